import Aerospike

/// Applies operations to a list (aerospike-server 8.1, base/particle_list.c, `cdt_process_state_packed_list_*`).
enum ListEvaluator {
    /// The operations that are no selectors (base/proto.h, `AS_CDT_OP_LIST_*`).
    private enum Code: Int64 {
        case setOrder = 0
        case append = 1
        case appendItems = 2
        case insert = 3
        case insertItems = 4
        case pop = 5
        case popRange = 6
        case remove = 7
        case removeRange = 8
        case set = 9
        case trim = 10
        case clear = 11
        case increment = 12
        case sort = 13
        case size = 16
        case get = 17
        case getRange = 18
    }

    // MARK: Reading

    static func read(
        _ list: Value.List,
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) -> Value? {
        if let (returning, selector) = try reader.listSelector(head, isRemoval: false) {
            return try list.select(selector, returning).answer
        }
        switch Code(rawValue: head.code) {
        case .size: return .count(list.elements.count)
        case .get:
            let selector = try oneElement(head, &reader)
            return try list.select(selector, Returning(.value, isMany: false)).answer
        case .getRange:
            let selector = try someElements(head, &reader)
            return try list.select(selector, Returning(.value, isMany: true)).answer
        default:
            throw .parameter("\(head.code) does not read a list")
        }
    }

    // MARK: Writing

    static func modify(
        _ site: CollectionSite,
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) -> CollectionEffect {
        if (32...40).contains(head.code) {
            guard let list = site.value?.list else { return .nothing }
            guard let (returning, selector) = try reader.listSelector(head, isRemoval: true) else { return .nothing }
            return try list.remove(selector, returning)
        }
        guard let code = Code(rawValue: head.code) else { throw .parameter("\(head.code) does not change a list") }
        switch code {
        case .setOrder, .append, .appendItems, .insert, .insertItems, .set, .increment:
            return try write(code, site, head, &reader)
        case .sort: return try sort(site, head, &reader)
        case .pop, .popRange, .remove, .removeRange, .trim, .clear:
            guard let list = site.value?.list else { return .nothing }
            return try remove(code, from: list, head, &reader)
        case .size, .get, .getRange:
            throw .parameter("\(head.code) does not change a list")
        }
    }

    private static func write(
        _ code: Code,
        _ site: CollectionSite,
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) -> CollectionEffect {
        let kinds: [CollectionCallReader.Kind]
        let optional: Int
        switch code {
        case .setOrder: (kinds, optional) = ([.number], 0)
        case .append, .appendItems: (kinds, optional) = ([.stored, .number, .number], 2)
        case .increment: (kinds, optional) = ([.number, .compared, .number, .number], 3)
        default: (kinds, optional) = ([.number, .stored, .number], 1)
        }
        let arguments = try reader.arguments(kinds, of: head, optional: optional)
        // Where the order of a new list is among the arguments.
        let orderIndex = code == .increment ? 2 : code == .append || code == .appendItems ? 1 : nil
        var writer = ListWriter(site, order: orderIndex.map { arguments.flags($0) } ?? 0)
        let flags = ListWriteFlags(rawValue: UInt8(truncatingIfNeeded: arguments.flags(kinds.count - 1)))
        switch code {
        case .setOrder: try writer.setOrder(arguments.flags(0))
        case .append: try writer.append(arguments[0], flags)
        case .appendItems: try writer.append(contentsOf: arguments[0], flags)
        case .insert: try writer.insert(arguments[1], at: arguments.number(0), flags)
        case .insertItems: try writer.insert(contentsOf: arguments[1], at: arguments.number(0), flags)
        case .increment: try writer.increment(arguments.number(0), by: arguments.optional(1), flags)
        default: try writer.set(arguments.number(0), to: arguments[1], flags)
        }
        return writer.effect
    }

    private static func sort(
        _ site: CollectionSite,
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) -> CollectionEffect {
        guard !site.isInMissingBin else { throw Refusal(.incompatibleType, "no list to sort") }
        let flags = try reader.arguments([.number], of: head, optional: 1).flags(0)
        guard let list = site.value?.list, list.elements.count > 1 else { return .nothing }
        return .writing(try list.sorted(ListSortFlags(rawValue: UInt8(truncatingIfNeeded: flags))))
    }

    private static func remove(
        _ code: Code,
        from list: Value.List,
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) -> CollectionEffect {
        switch code {
        case .pop, .remove:
            let kind: Returning.Kind = code == .pop ? .value : .count
            return try list.remove(try oneElement(head, &reader), Returning(kind, isMany: false))
        case .popRange, .removeRange:
            let kind: Returning.Kind = code == .popRange ? .value : .count
            return try list.remove(try someElements(head, &reader), Returning(kind, isMany: true))
        case .trim:
            let selector = try someElements(head, &reader, optional: 0)
            return try list.remove(selector, Returning(.count, isInverted: true, isMany: true))
        default:
            return .writing(Value.List([], order: list.order))
        }
    }

    // MARK: Arguments

    private static func oneElement(
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) -> Selector {
        .index(try reader.arguments([.number], of: head).number(0))
    }

    private static func someElements(
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader,
        optional: Int = 1
    ) throws(Refusal) -> Selector {
        let arguments = try reader.arguments([.number, .number], of: head, optional: optional)
        return .indexes(from: arguments.number(0), count: arguments.count(1))
    }
}

extension Value.List {
    fileprivate func select(_ selector: Selector, _ returning: Returning) throws(Refusal) -> CollectionSelection {
        try ListSelection(elements: elements, isOrdered: order == .ordered, returning: returning).select(selector)
    }

    fileprivate func remove(_ selector: Selector, _ returning: Returning) throws(Refusal) -> CollectionEffect {
        let selection = try select(selector, returning)
        guard let remaining = selection.removal.remaining(of: elements) ?? selection.removal.rewritten(elements) else {
            return .answering(selection.answer)
        }
        var list = self
        list.elements = remaining
        if remaining.isEmpty, order == .ordered || !selector.isRanks {
            // An empty list loses its index, unless its elements were found by their ranks.
            list.persistsIndex = false
        }
        return .writing(list, answering: selection.answer)
    }

    fileprivate func sorted(_ flags: ListSortFlags) throws(Refusal) -> Value.List {
        let indexes =
            order == .ordered
            ? Array(elements.indices)
            : RankOrder(count: elements.count) { elements[$0].storedOrder(to: elements[$1]) }
                .sorted(descending: flags.contains(.descending))
        var sorted = indexes.map { elements[$0] }
        if flags.contains(.dropDuplicates) {
            // Duplicates are looked for in rising order only (base/cdt.c, `order_index_sorted_mark_dup_eles`).
            guard let kept = sorted.droppingDuplicates else {
                throw .parameter("duplicates are not found from the greatest to the least")
            }
            sorted = kept
        }
        // A server stops over the index if elements go, and over that of a long list in any case.
        guard !persistsIndex || (order == .ordered ? sorted.count <= 1 || sorted.count == count : sorted.count <= 128)
        else { throw .harmful("sorting a list with an index") }
        var list = self
        list.elements = sorted
        return list
    }

    /// The flags as a server keeps them.
    var flags: UInt8 { order.rawValue | (persistsIndex ? MessagePack.persistsIndexFlag : 0) }

    /// An empty list with flags; nil if a server knows no such list (base/cdt.c, `cdt_check_flags`).
    init?(flags: UInt8) {
        let orderFlags = flags & ~MessagePack.persistsIndexFlag
        guard let order = ListOrder(rawValue: orderFlags) else { return nil }
        self.init([], order: order)
        persistsIndex = flags != orderFlags
    }
}

extension [Value] {
    /// One of each run of equal elements, the first; nil if an element is less than the one before it.
    var droppingDuplicates: [Value]? {
        var kept: [Value] = []
        for (index, element) in enumerated() {
            switch index == 0 ? .less : self[index - 1].storedOrder(to: element) {
            case .less: kept.append(element)
            case .equal: break
            default: return nil
            }
        }
        return kept
    }
}
