import Aerospike

/// Operations on a bin, most of them fit for what it holds.
extension CollectionGenerator {
    /// An operation.
    ///
    /// - Parameters:
    ///   - bin: the bin's name.
    ///   - held: what it holds; nil for nothing.
    /// - Returns: the operation.
    mutating func operation(on bin: String, holding held: Value?) -> Operation {
        var context: [CollectionContext] = []
        var target = held
        while context.count < 4, chance(context.isEmpty ? 40 : 35) {
            let (step, next) = step(into: target)
            context.append(step)
            target = next
        }
        let isList: Bool
        switch target {
        case .list: isList = !chance(3)
        case .map: isList = chance(3)
        default: isList = chance(50)
        }
        return isList
            ? listOperation(bin, context, on: target?.list ?? Value.List())
            : mapOperation(bin, context, on: target?.map ?? Value.Map())
    }

    // MARK: Steps

    private mutating func step(into target: Value?) -> (step: CollectionContext, next: Value?) {
        switch target {
        case .list(let list) where !chance(5): step(into: list)
        case .map(let map) where !chance(5): step(into: map)
        default: chance(50) ? step(into: Value.List()) : step(into: Value.Map())
        }
    }

    private mutating func step(into list: Value.List) -> (CollectionContext, Value?) {
        let total = list.elements.count
        let nested = list.elements.indices.filter { list.elements[$0].list != nil || list.elements[$0].map != nil }
        let index = !nested.isEmpty && chance(70) ? one(of: nested) : index(total)
        let next: Value? = list.elements.indices.contains(index) ? list.elements[index] : Value?.none
        switch below(8) {
        case 0: return (.listRank(index), list.elements.sorted { $0.precedes($1) }.dropFirst(max(0, index)).first)
        case 1: return (.listValue(next ?? sought(among: list.elements)), next)
        case 2...4:
            let pads = chance(40)
            let index = next == nil ? pads ? below(total + 4) : one(of: [total, -1, total + 1, index]) : index
            return (.listIndex(index, creating: listOrder(), pads: pads && index >= 0), next)
        default: return (.listIndex(next != nil && chance(20) ? index - total : index), next)
        }
    }

    private mutating func step(into map: Value.Map) -> (CollectionContext, Value?) {
        let nested = map.entries.indices.filter {
            map.entries[$0].value.list != nil || map.entries[$0].value.map != nil
        }
        let index = !nested.isEmpty && chance(70) ? one(of: nested) : index(map.entries.count)
        let next = map.entries.indices.contains(index) ? map.entries[index] : nil
        switch below(10) {
        case 0:
            return (.mapRank(index), map.entries.map(\.value).sorted { $0.precedes($1) }.dropFirst(max(0, index)).first)
        case 1: return (.mapValue(next?.value ?? sought(among: map.entries.map(\.value))), next?.value)
        case 2: return (.mapIndex(index), next?.value)
        case 3: return (.mapKey(chance(30) ? one(of: [true, .wildcard, [1], nil, 2.5]) : key()), nil)
        case 4...7: return (.mapKey(chance(50) ? next?.key ?? key() : key(), creating: mapOrder()), next?.value)
        default: return (.mapKey(next?.key ?? key()), next?.value)
        }
    }

    // MARK: Lists

    private mutating func listOperation(
        _ bin: String,
        _ context: [CollectionContext],
        on list: Value.List
    ) -> Operation {
        let operations = Operation.list(bin, at: context)
        let total = list.elements.count
        switch below(30) {
        case 0: return operations.create(order: listOrder(), pads: false, persistsIndex: chance(30))
        case 1: return operations.setOrder(listOrder(), persistsIndex: chance(30))
        case 2: return operations.sort(one(of: [[], .descending, .dropDuplicates, [.descending, .dropDuplicates]]))
        case 3: return operations.size()
        case 4: return chance(30) ? operations.clear() : operations.size()
        case 5...6: return operations.append(stored(near: list.elements), policy: listPolicy())
        case 7...8:
            let values = some(4) { $0.stored(near: list.elements) }
            return operations.append(contentsOf: values, policy: listPolicy())
        case 9: return operations.insert(stored(near: list.elements), at: place(total), policy: listPolicy())
        case 10:
            let values = some(4) { $0.stored(near: list.elements) }
            return operations.insert(contentsOf: values, at: place(total), policy: listPolicy())
        case 11: return operations.set(place(total), to: stored(near: list.elements), policy: listPolicy())
        case 12...13: return operations.increment(place(total), by: amount(), policy: listPolicy())
        case 14: return operations.pop(index(total))
        case 15: return operations.pop(from: index(total), count: count(total))
        case 16: return operations.remove(at: index(total))
        case 17: return operations.remove(from: index(total), count: count(total))
        case 18: return operations.trim(from: index(total), count: count(total) ?? 2)
        case 19: return operations.get(index(total))
        case 20: return operations.get(from: index(total), count: count(total))
        case 21...26: return operations.get(listSelector(list), returning: returning())
        default: return operations.remove(listSelector(list), returning: returning())
        }
    }

    /// A value to store, often one that is there already.
    private mutating func stored(near values: [Value]) -> Value {
        !values.isEmpty && chance(30) ? one(of: values) : value()
    }

    /// An index to write at, not so far beyond the end that only nil would be written.
    private mutating func place(_ total: Int) -> Int {
        chance(90) ? below(2 * total + 3) - total - 1 : one(of: [total + 20, -total - 5, Int.min, Int.max, 1 << 31])
    }

    private mutating func listPolicy() -> ListWritePolicy? {
        chance(30) ? nil : ListWritePolicy(order: listOrder(), flags: ListWriteFlags(rawValue: UInt8(below(16))))
    }

    private mutating func listSelector(_ list: Value.List) -> ListSelector {
        let total = list.elements.count
        switch below(8) {
        case 0: return .index(index(total))
        case 1: return .indexes(from: index(total), count: count(total))
        case 2: return .rank(index(total))
        case 3: return .ranks(from: index(total), count: count(total))
        case 4: return .value(sought(among: list.elements))
        case 5: return .values(in: some(4) { $0.sought(among: list.elements) })
        case 6:
            let first = chance(20) ? nil : sought(among: list.elements)
            return .values(from: first, upTo: chance(20) ? nil : sought(among: list.elements))
        default:
            return .values(near: sought(among: list.elements), rank: index(total), count: count(total))
        }
    }

    // MARK: Maps

    private mutating func mapOperation(_ bin: String, _ context: [CollectionContext], on map: Value.Map) -> Operation {
        let operations = Operation.map(bin, at: context)
        let isBin = context.isEmpty
        switch below(26) {
        case 0: return operations.create(order: mapOrder(), persistsIndex: chance(50))
        case 1: return operations.setOrder(mapOrder(), persistsIndex: chance(50))
        case 2: return operations.size()
        case 3: return chance(30) ? operations.clear() : operations.size()
        case 4...7: return operations.put(writtenKey(map), writtenValue(map), policy: mapPolicy(isBin))
        case 8...9:
            var items: [Value: Value] = [:]
            for key in some(4, { $0.writtenKey(map) }) {
                items[key] = writtenValue(map)
            }
            let entries = items.map { ($0.key, $0.value) }.sorted { $0.0.precedes($1.0) }
            return operations.put(contentsOf: Value.Map(entries), policy: mapPolicy(isBin && !entries.isEmpty))
        case 10: return operations.increment(writtenKey(map), by: amount(), policy: mapPolicy(isBin))
        case 11: return operations.decrement(writtenKey(map), by: amount(), policy: mapPolicy(isBin))
        case 12...20: return operations.get(mapSelector(map), returning: returning())
        default: return operations.remove(mapSelector(map), returning: returning())
        }
    }

    private mutating func mapPolicy(_ persists: Bool) -> MapWritePolicy {
        MapWritePolicy(
            order: mapOrder(),
            persistsIndex: persists && chance(50),
            flags: chance(50) ? [] : MapWriteFlags(rawValue: UInt8(below(16)))
        )
    }

    private mutating func writtenKey(_ map: Value.Map) -> Value {
        if chance(4) {
            return one(of: [true, nil, 2.5, [1], .wildcard])
        }
        return !map.isEmpty && chance(40) ? one(of: map.entries).key : key()
    }

    private mutating func writtenValue(_ map: Value.Map) -> Value {
        if chance(4) {
            return one(of: [.wildcard, [.infinity], [[true: 1]], .map(Value.Map([("a", 1), ("b", 2), ("a", 3)]))])
        }
        return stored(near: map.entries.map(\.value))
    }

    private mutating func soughtKey(_ map: Value.Map) -> Value {
        if chance(8) {
            return one(of: [.wildcard, .infinity, nil, true, [1], 2.5])
        }
        return !map.isEmpty && chance(60) ? one(of: map.entries).key : key()
    }

    private mutating func mapSelector(_ map: Value.Map) -> MapSelector {
        let total = map.entries.count
        let values = map.entries.map(\.value)
        switch below(12) {
        case 0: return .key(soughtKey(map))
        case 1: return .keys(in: some(4) { $0.soughtKey(map) })
        case 2: return .keys(from: chance(20) ? nil : soughtKey(map), upTo: chance(20) ? nil : soughtKey(map))
        case 3: return .keys(near: soughtKey(map), index: index(total), count: count(total))
        case 4: return .index(index(total))
        case 5: return .indexes(from: index(total), count: count(total))
        case 6: return .rank(index(total))
        case 7: return .ranks(from: index(total), count: count(total))
        case 8: return .value(sought(among: values))
        case 9: return .values(in: some(4) { $0.sought(among: values) })
        case 10:
            return .values(
                from: chance(20) ? nil : sought(among: values),
                upTo: chance(20) ? nil : sought(among: values)
            )
        default: return .values(near: sought(among: values), rank: index(total), count: count(total))
        }
    }
}
