import Aerospike

/// Writes to one list, which may have to be created first (aerospike-server 8.1, base/particle_list.c, `list_*`).
struct ListWriter {
    private let site: CollectionSite
    private var list: Value.List
    private var answer: Value?
    private var isWritten = false

    /// A writer.
    ///
    /// - Parameters:
    ///   - site: where the list is or will be.
    ///   - order: the flags of the list's order if it is to be created.
    init(_ site: CollectionSite, order: UInt64) {
        self.site = site
        list = site.value?.list ?? Value.List(flags: UInt8(truncatingIfNeeded: order)) ?? Value.List()
        list.persistsIndex = list.persistsIndex && site.isBin
    }

    /// What it came to: a missing bin is created even if nothing is written, unlike what is missing deeper.
    var effect: CollectionEffect {
        let isCreated = isWritten || (site.isMissing && !site.isCreatedByPath)
        return CollectionEffect(answer: answer, written: isCreated ? .list(list) : Value?.none)
    }

    private var total: Int { list.elements.count }

    private mutating func write(_ elements: [Value]) {
        list.elements = elements
        isWritten = true
    }

    private mutating func answerTotal() {
        answer = .count(total)
    }

    /// Answers that there was nothing to write, which creates what is missing nevertheless.
    private mutating func writeNothing() {
        isWritten = site.isCreatedByPath
        answerTotal()
    }

    // MARK: The list itself

    mutating func setOrder(_ flags: UInt64) throws(Refusal) {
        guard var ordered = Value.List(flags: UInt8(truncatingIfNeeded: flags)) else {
            throw .notApplicable("no list is ordered by \(flags)")
        }
        ordered.persistsIndex = ordered.persistsIndex && site.isBin
        guard ordered.flags != list.flags else {
            isWritten = site.isCreatedByPath
            return
        }
        let elements = list.elements
        ordered.elements =
            ordered.order == .ordered && list.order == .unordered
            ? RankOrder(count: total) { elements[$0].storedOrder(to: elements[$1]) }.sorted().map { elements[$0] }
            : elements
        list = ordered
        isWritten = true
    }

    // MARK: Elements

    mutating func append(_ value: Value, _ flags: ListWriteFlags) throws(Refusal) {
        let value = try Self.stored(value)
        guard list.order == .ordered else { return try insertUnordered([value], at: total, flags, isMany: false) }
        let found = search.find(value, .any)
        guard !found.isFound || !flags.contains(.addUnique) else { return try refuseDuplicate(flags) }
        list.elements.insert(value, at: found.place)
        isWritten = true
        answerTotal()
    }

    mutating func append(contentsOf values: Value, _ flags: ListWriteFlags) throws(Refusal) {
        let values = try Self.storedElements(values)
        guard list.order == .ordered else {
            return try insertUnordered(values, at: total, flags, isMany: true)
        }
        try mergeOrdered(values, flags)
    }

    mutating func insert(_ value: Value, at index: Int64, _ flags: ListWriteFlags) throws(Refusal) {
        try insert([try Self.stored(value)], at: index, flags, isMany: false)
    }

    mutating func insert(contentsOf values: Value, at index: Int64, _ flags: ListWriteFlags) throws(Refusal) {
        try insert(try Self.storedElements(values), at: index, flags, isMany: true)
    }

    private mutating func insert(
        _ values: [Value],
        at index: Int64,
        _ flags: ListWriteFlags,
        isMany: Bool
    ) throws(Refusal) {
        guard list.order == .unordered else { throw .notApplicable("an ordered list finds the place itself") }
        if values.isEmpty {
            return writeNothing()
        }
        try insertUnordered(values, at: try place(index), flags, isMany: isMany)
    }

    mutating func set(_ index: Int64, to value: Value, _ flags: ListWriteFlags) throws(Refusal) {
        let value = try Self.stored(value)
        guard list.order == .unordered else { throw .notApplicable("an ordered list finds the place itself") }
        try setUnordered(try place(index), to: value, flags)
    }

    mutating func increment(_ index: Int64, by amount: Value?, _ flags: ListWriteFlags) throws(Refusal) {
        let place = try place(index)
        let sum = try NumberSum.of(place < total ? list.elements[place] : Value?.none, amount)
        if list.order == .ordered {
            try replaceOrdered(place, by: sum, flags)
        } else {
            try setUnordered(place, to: sum, flags)
        }
        answer = sum
    }

    // MARK: Unordered lists

    private mutating func setUnordered(_ place: Int, to value: Value, _ flags: ListWriteFlags) throws(Refusal) {
        guard place < total else {
            try insertUnordered([value], at: place, flags, isMany: false)
            answer = nil
            return
        }
        if flags.contains(.addUnique), hasDuplicate(of: value, besides: place) {
            try refuseDuplicate(flags)
            answer = nil
            return
        }
        list.elements[place] = value
        isWritten = true
    }

    private func hasDuplicate(of value: Value, besides place: Int) -> Bool {
        list.elements.indices.contains { $0 != place && list.elements[$0].isStoredEqual(to: value) }
    }

    private mutating func insertUnordered(
        _ values: [Value],
        at place: Int,
        _ flags: ListWriteFlags,
        isMany: Bool
    ) throws(Refusal) {
        if values.isEmpty {
            return writeNothing()
        }
        if flags.contains(.insertBounded), place > total {
            guard flags.contains(.noFail) else { throw .notApplicable("\(place) is beyond the end at \(total)") }
            return answerTotal()
        }
        var values = values
        if flags.contains(.addUnique) {
            guard let unique = try unique(values, flags) else { return answerTotal() }
            values = unique
        }
        guard place - total <= Self.paddingMax else { throw Refusal(.recordTooBig, "an index of \(place)") }
        if place > total {
            list.elements += Array(repeating: .null, count: place - total)
        }
        list.elements.insert(contentsOf: values, at: place)
        isWritten = true
        answerTotal()
    }

    /// The most elements of nil that fit into a record, which has at most 1 MiB unless a server is told otherwise.
    static let paddingMax = 1024 * 1024

    /// The values that the list does not have yet; nil if there is nothing to do.
    private func unique(_ values: [Value], _ flags: ListWriteFlags) throws(Refusal) -> [Value]? {
        var unique: [Value] = []
        for (index, value) in values.enumerated() {
            let isInList = list.elements.contains { $0.isStoredEqual(to: value) }
            guard isInList || values[..<index].contains(where: { $0.isStoredEqual(to: value) }) else {
                unique.append(value)
                continue
            }
            guard flags.contains(.noFail) else {
                throw isInList
                    ? Refusal(.elementExists, "\(value) is in the list") : .notApplicable("\(value) is given twice")
            }
            guard flags.contains(.partial) else { return nil }
        }
        return unique.isEmpty ? nil : unique
    }

    // MARK: Ordered lists

    private var search: StoredSearch {
        let elements = list.elements
        return StoredSearch(count: elements.count) { elements[$0] }
    }

    private mutating func mergeOrdered(_ values: [Value], _ flags: ListWriteFlags) throws(Refusal) {
        if values.isEmpty {
            return writeNothing()
        }
        let isUnique = flags.contains(.addUnique)
        var sorted = RankOrder(count: values.count) { values[$0].storedOrder(to: values[$1]) }.sorted().map {
            values[$0]
        }
        if isUnique, let once = sorted.droppingDuplicates, once.count < sorted.count {
            guard flags.contains(.noFail) else { throw .notApplicable("a value is given twice") }
            guard flags.contains(.partial) else { return answerTotal() }
            sorted = once
        }
        let search = search
        var merged: [Value] = []
        var taken = 0
        for value in sorted {
            let found = search.find(value, .any)
            if isUnique, found.isFound {
                guard flags.contains(.noFail), flags.contains(.partial) else { return try refuseDuplicate(flags) }
                continue
            }
            merged += list.elements[taken..<max(taken, found.place)]
            taken = max(taken, found.place)
            merged.append(value)
        }
        write(merged + list.elements[taken...])
        answerTotal()
    }

    private mutating func replaceOrdered(_ place: Int, by value: Value, _ flags: ListWriteFlags) throws(Refusal) {
        guard place <= total else { throw .notApplicable("\(place) is beyond the end of an ordered list") }
        let found = search.find(value, .first)
        if flags.contains(.addUnique), found.isFound {
            return found.place == place ? () : try refuseDuplicate(flags)
        }
        var elements = list.elements
        elements.insert(value, at: found.place)
        if place < total {
            elements.remove(at: found.place <= place ? place + 1 : place)
        }
        write(elements)
    }

    // MARK: Checks

    /// The place that an index means, which may be beyond the end.
    private func place(_ index: Int64) throws(Refusal) -> Int {
        let place = index < 0 ? Int64(total) + index : index
        guard place >= 0, place <= Int64(Int32.max) else { throw .notApplicable("no index \(index) of \(total)") }
        return Int(place)
    }

    private mutating func refuseDuplicate(_ flags: ListWriteFlags) throws(Refusal) {
        guard flags.contains(.noFail) else { throw Refusal(.elementExists, "the list has the value") }
        answerTotal()
    }

    private static func stored(_ value: Value) throws(Refusal) -> Value {
        guard let stored = value.stored else { throw .harmful("an element \(value), which it does not check") }
        return stored
    }

    private static func storedElements(_ value: Value) throws(Refusal) -> [Value] {
        guard case .list(let list) = value else { throw .parameter("\(value) where a list belongs") }
        guard let stored = Value.list(list).stored?.list else {
            throw .harmful("elements of \(value), which it does not check")
        }
        return stored.elements
    }
}
