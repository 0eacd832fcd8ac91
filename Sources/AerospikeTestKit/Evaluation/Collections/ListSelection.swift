import Aerospike

/// Selects elements of a list (aerospike-server 8.1, base/particle_list.c, `packed_list_get_remove_*`).
struct ListSelection {
    let elements: [Value]
    let isOrdered: Bool
    let returning: Returning

    var total: Int { elements.count }

    func select(_ selector: Selector) throws(Refusal) -> CollectionSelection {
        switch selector {
        case .index(let index):
            guard let place = SelectorRange.place(index, of: total) else {
                throw .notApplicable("no element at \(index) of \(total)")
            }
            return try byIndexes(place..<place + 1)
        case .indexes(let index, let count):
            return try byIndexes(SelectorRange.places(from: index, count: count, of: total))
        case .rank(let rank):
            guard let place = SelectorRange.place(rank, of: total) else {
                throw .notApplicable("no element of rank \(rank) of \(total)")
            }
            return try byRanks(place..<place + 1)
        case .ranks(let rank, let count):
            return try byRanks(SelectorRange.places(from: rank, count: count, of: total))
        case .firstValue(let value), .value(let value):
            return try byValues(.equal(to: value))
        case .valueInterval(let first, let end):
            return try byValues(.interval(from: first, upTo: end))
        case .values(let values):
            return try byValues(in: values)
        case .ranksNear(let value, let rank, let count):
            let place =
                isOrdered
                ? ranks(of: .equal(to: value)).lowerBound : elements.count { $0.storedOrder(to: value) == .less }
            let near = SelectorRange.near(place, index: rank, count: count)
            return try byRanks(SelectorRange.places(from: near.index, count: near.count, of: total))
        case .key, .keys, .keyInterval, .indexesNear:
            throw .parameter("a list has no keys")
        }
    }

    /// A selection for which nothing was found.
    private func nothing() throws(Refusal) -> CollectionSelection {
        switch returning.kind {
        case .key, .keyValue, .unorderedMap, .orderedMap: throw .notApplicable("a list has no keys")
        default: return CollectionSelection(answer: returning.nothing, removal: .nothing)
        }
    }

    private func requireMany() throws(Refusal) {
        guard returning.isMany || !returning.isInverted else {
            throw .notApplicable("what is not the one element is not answered")
        }
    }

    // MARK: Indexes

    private func byIndexes(_ range: Range<Int>) throws(Refusal) -> CollectionSelection {
        try requireMany()
        guard returning.isInverted else { return try inside(range) }
        guard let outside = range.outside(of: total) else { return try bothSides(of: range) }
        return try inside(outside)
    }

    private func inside(_ range: Range<Int>) throws(Refusal) -> CollectionSelection {
        guard !range.isEmpty else { return try nothing() }
        let answer: Value?
        switch returning.kind {
        case .none, .count, .exists, .index, .reverseIndex:
            answer = try returning.straight.places(range, of: total)
        case .rank, .reverseRank:
            // Of all elements the ranks are answered in order, whatever the order of the elements.
            if isOrdered || range.count == total {
                answer = try returning.straight.places(range, of: total)
            } else if returning.isMany {
                answer = .counts(range.map(rank))
            } else {
                answer = .count(rank(of: range.lowerBound))
            }
        case .value:
            answer = returning.isMany ? .list(Value.List(Array(elements[range]))) : elements[range.lowerBound]
        case .key, .keyValue, .unorderedMap, .orderedMap:
            throw .notApplicable("a list has no keys")
        }
        return CollectionSelection(answer: answer, removal: .range(range))
    }

    private func bothSides(of range: Range<Int>) throws(Refusal) -> CollectionSelection {
        let before = 0..<range.lowerBound
        let after = range.upperBound..<total
        let answer: Value?
        switch returning.kind {
        case .none: answer = nil
        case .count: answer = .count(before.count + after.count)
        case .exists: answer = true
        case .rank where !isOrdered, .reverseRank where !isOrdered:
            answer = .counts(before.map(rank) + after.map(rank))
        case .index, .reverseIndex, .rank, .reverseRank:
            answer = .counts(returning.run(before, of: total) + returning.run(after, of: total))
        case .value: answer = .list(Value.List(Array(elements[before] + elements[after])))
        case .key, .keyValue, .unorderedMap, .orderedMap:
            throw .notApplicable("a list has no keys")
        }
        return CollectionSelection(answer: answer, removal: .marked(elements.indices.map { !range.contains($0) }))
    }

    /// How many elements are less than the one at an index, as it is answered.
    private func rank(of index: Int) -> Int {
        returning.place(elements.count { $0.storedOrder(to: elements[index]) == .less }, of: total)
    }

    // MARK: Ranks

    private func byRanks(_ range: Range<Int>) throws(Refusal) -> CollectionSelection {
        try requireMany()
        if isOrdered {
            return try byIndexes(range)
        }
        let isInverted = returning.isInverted
        guard range.count != (isInverted ? total : 0) else { return try nothing() }
        let ranked = RankOrder(count: total) { elements[$0].storedOrder(to: elements[$1]) }.indexes(ranked: range)
            .indexes
        var mask = [Bool](repeating: isInverted, count: total)
        for index in ranked {
            mask[index] = !isInverted
        }
        let answer: Value?
        switch returning.kind {
        case .index, .reverseIndex: answer = returning.places(markedIn: mask)
        case .value where !returning.isMany: answer = elements[ranked[0]]
        // Not sorted: they come as a server's heap leaves them.
        case .value: answer = .list(Value.List((isInverted ? mask.marked : ranked).map { elements[$0] }))
        default: answer = try returning.places(range, of: total)
        }
        return CollectionSelection(answer: answer, removal: .marked(mask))
    }

    // MARK: Values

    private func byValues(_ interval: ValueInterval) throws(Refusal) -> CollectionSelection {
        try requireMany()
        if isOrdered {
            let range = ranks(of: interval)
            return range.isEmpty && !returning.isMany ? try nothing() : try byIndexes(range)
        }
        var rank = 0
        var mask = [Bool](repeating: false, count: total)
        for (index, element) in elements.enumerated() {
            let isBefore = interval.isAfter(element)
            rank += isBefore ? 1 : 0
            mask[index] = (!isBefore && interval.isBeforeEnd(element)) != returning.isInverted
        }
        if !returning.isMany, let first = mask.firstIndex(of: true) {
            mask = elements.indices.map { $0 == first }
        }
        let marked = mask.marked
        let answer: Value?
        switch returning.kind {
        case .index, .reverseIndex:
            answer =
                returning.isMany || !marked.isEmpty ? returning.places(markedIn: mask) : returning.nothing
        case .value where !returning.isMany: answer = marked.first.map { elements[$0] }
        case .value: answer = .list(Value.List(marked.map { elements[$0] }))
        default:
            let count = returning.isInverted ? total - marked.count : marked.count
            answer = try returning.places(rank..<rank + count, of: total)
        }
        return CollectionSelection(answer: answer, removal: .marked(mask))
    }

    /// The places of what is in an interval, in a list that is ordered.
    func ranks(of interval: ValueInterval) -> Range<Int> {
        let search = StoredSearch(count: total) { elements[$0] }
        return search.ranks(of: interval, isMany: returning.isMany)
    }
}
