import Aerospike

/// The way from a bin to a list or map nested in it (aerospike-server 8.1, base/cdt.c, `cdt_context_dig`).
struct CollectionPath {
    /// One step that was gone: into what, and where; what is created goes where nothing was.
    private enum Link {
        case element(of: Value.List, at: Int)
        case newElement(of: Value.List, padding: Int)
        case entry(of: Value.Map, at: Int)
        case newEntry(of: Value.Map, at: Int, key: Value)
    }

    private var links: [Link] = []
    private let isInMissingBin: Bool
    private var isCreatedByRank = false
    /// Where the way leads; nil if it is to be created.
    private var target: Value?

    /// What an operation finds at the end of the way.
    var site: CollectionSite {
        CollectionSite(
            value: target,
            isBin: false,
            isInMissingBin: isInMissingBin,
            isCreatedByPath: target == nil
        )
    }

    /// Goes the way.
    ///
    /// - Parameters:
    ///   - bin: what the bin holds; nil if there is none.
    ///   - reader: reads the way, a list of types and places.
    ///   - modifies: whether what is missing can be created.
    /// - Throws: ``Refusal`` if there is no such way.
    init(in bin: Value?, _ reader: inout CollectionCallReader, modifies: Bool) throws(Refusal) {
        target = bin
        isInMissingBin = bin == nil
        switch bin {
        case .list, .map: break
        case nil where modifies: break
        default: throw .parameter("nothing is nested in the bin")
        }
        guard let count = reader.listCount(), count > 0, count.isMultiple(of: 2) else {
            throw .parameter("a way is pairs of types and places")
        }
        for _ in 0..<count / 2 {
            guard let type = reader.number() else { throw .parameter("a way without a type") }
            let step = CollectionStep(type: UInt64(bitPattern: type))
            guard step.isKnown else { throw .notApplicable("no step is of type \(type)") }
            if target != nil {
                try go(step, &reader)
                guard target != nil || modifies else { throw .notApplicable("nothing to read there") }
            } else {
                guard step.creates || !links.isEmpty else {
                    throw .notApplicable("nothing there, and nothing to create")
                }
                guard !isCreatedByRank else { throw .harmful("more steps after one that creates by rank") }
                try create(step, &reader)
            }
        }
    }

    /// The bin, with another list or map at the end of the way.
    func bin(with value: Value) -> Value {
        links.reversed().reduce(value) { nested, link in
            switch link {
            case .element(let list, let index): .list(list.replacing(index, by: nested))
            case .newElement(let list, let padding): .list(list.appending(nested, padding: padding))
            case .entry(var map, let index):
                {
                    map.entries[index].value = nested
                    return .map(map)
                }()
            case .newEntry(var map, let index, let key):
                {
                    map.entries.insert((key, nested), at: index)
                    return .map(map)
                }()
            }
        }
    }

    // MARK: Going

    private mutating func go(_ step: CollectionStep, _ reader: inout CollectionCallReader) throws(Refusal) {
        switch target {
        case .list(let list) where !step.isIntoMap: try go(into: list, step, &reader)
        case .map(let map) where !step.isIntoList: try go(into: map, step, &reader)
        default: throw .notApplicable("a step into a list or a map that is none")
        }
    }

    private mutating func go(
        into list: Value.List,
        _ step: CollectionStep,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) {
        let elements = list.elements
        let index: Int?
        switch step.place {
        case .rank where list.order == .unordered:
            guard let rank = reader.number() else { throw .notApplicable("no rank") }
            index = SelectorRange.place(rank, of: elements.count).map {
                RankOrder(count: elements.count) { elements[$0].storedOrder(to: elements[$1]) }
                    .indexes(ranked: $0..<$0 + 1).indexes[0]
            }
        case .index, .rank:
            guard let number = reader.number() else { throw .notApplicable("no index") }
            index = SelectorRange.place(number, of: elements.count)
            if index == nil, step.creates {
                isCreatedByRank = step.place == .rank
                return create(in: list, padding: try step.padding(of: list, to: number))
            }
        case .value:
            guard let value = reader.compared() else { throw .notApplicable("no value") }
            index =
                list.order == .ordered
                ? StoredSearch(count: elements.count) { elements[$0] }.ranks(of: .equal(to: value), isMany: false).first
                : elements.firstIndex { $0.isStoredEqual(to: value) }
        case .key:
            throw .notApplicable("a list has no keys")
        }
        guard let index else { throw .notApplicable("no such element") }
        links.append(.element(of: list, at: index))
        target = elements[index]
    }

    private mutating func go(
        into map: Value.Map,
        _ step: CollectionStep,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) {
        let index: Int?
        switch step.place {
        case .index:
            guard let number = reader.number() else { throw .notApplicable("no index") }
            index = SelectorRange.place(number, of: map.entries.count).map { map.indexesByKey[$0] }
        case .rank:
            guard let number = reader.number() else { throw .notApplicable("no rank") }
            index = SelectorRange.place(number, of: map.entries.count).map { map.indexes(ranked: $0..<$0 + 1)[0] }
        case .key:
            guard let key = reader.storedAlone() else { throw .notApplicable("no key") }
            let found = map.isKeyOrdered ? map.find(key) : map.findAnywhere(key)
            if !found.isFound, step.creates {
                links.append(.newEntry(of: map, at: found.place, key: key))
                target = nil
                return
            }
            index = found.isFound ? found.place : nil
        case .value:
            guard let value = reader.compared() else { throw .notApplicable("no value") }
            index = map.entries.indices.first { map.entries[$0].value.isStoredEqual(to: value) }
            let isGreatest = map.entries.allSatisfy { $0.value.storedOrder(to: value) == .less }
            guard !map.hasRankIndex || !isGreatest else { throw .harmful("a step by a value over all, with an index") }
        }
        guard let index else { throw .notApplicable("no such entry") }
        links.append(.entry(of: map, at: index))
        target = map.entries[index].value
    }

    // MARK: Creating

    /// What is missing is created from here on: a list or map of the step's kind, and the place in it.
    private mutating func create(_ step: CollectionStep, _ reader: inout CollectionCallReader) throws(Refusal) {
        let isBin = links.isEmpty
        guard isBin || !step.persistsIndex else { throw .notApplicable("an index is stored beside bins only") }
        switch step.place {
        case .key where step.isIntoMap:
            guard let key = reader.storedAlone() else { throw .notApplicable("no key") }
            var map = Value.Map([], order: step.mapOrder)
            map.persistsIndex = step.persistsIndex
            links.append(.newEntry(of: map, at: 0, key: key))
        case .index where step.isIntoList:
            guard let index = reader.number(), index >= -1 else { throw .notApplicable("no index") }
            guard index >= 0 || !step.pads else { throw .harmful("padding to an index of \(index)") }
            let list = Value.List([], order: step.listOrder)
            create(in: list, padding: try step.padding(of: list, to: index))
        default:
            throw .notApplicable("nothing is created by rank or value")
        }
    }

    private mutating func create(in list: Value.List, padding: Int) {
        links.append(.newElement(of: list, padding: padding))
        target = nil
    }
}

extension Value.List {
    fileprivate func appending(_ element: Value, padding: Int) -> Value.List {
        var list = self
        guard order == .ordered else {
            list.elements += Array(repeating: .null, count: padding) + [element]
            return list
        }
        let search = StoredSearch(count: elements.count) { elements[$0] }
        list.elements.insert(element, at: search.find(element, .first).place)
        return list
    }

    /// The list with another element, which changes its place in an ordered one (base/particle_list.c,
    /// `cdt_context_unwind_list`).
    fileprivate func replacing(_ index: Int, by element: Value) -> Value.List {
        var list = self
        list.elements[index] = element
        guard order == .ordered else { return list }
        let place = StoredSearch(count: elements.count) { elements[$0] }.find(element, .first).place
        guard place != index, place != index + 1 else { return list }
        list.elements.remove(at: index)
        list.elements.insert(element, at: place > index ? place - 1 : place)
        return list
    }
}
