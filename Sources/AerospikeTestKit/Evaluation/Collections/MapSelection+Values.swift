import Aerospike

/// Entries whose values are meant, and entries under one of some keys.
extension MapSelection {
    func byValues(_ interval: ValueInterval) throws(Refusal) -> CollectionSelection {
        try requireMany()
        guard total > 0 else { return nothing() }
        let ranked = map.ranked(interval, isMany: returning.isMany)
        // Without an index of ranks, nothing found is a case of its own.
        if ranked.indexes.isEmpty, !map.hasRankIndex {
            return returning.isInverted ? try selectAll() : nothing()
        }
        var mask = [Bool](repeating: returning.isInverted, count: total)
        for index in ranked.indexes {
            mask[index] = !returning.isInverted
        }
        // Only an index of ranks brings the entries in the order of their values.
        let isInOrderOfValues = map.hasRankIndex && !returning.isInverted && returning.kind != .orderedMap
        let indexes = isInOrderOfValues ? ranked.indexes : mask.marked
        let answer: Value?
        if returning.isElements {
            answer = elementsAnswer(indexes)
        } else if returning.isIndex {
            answer = indexAnswer(indexes)
        } else {
            answer = try returning.places(ranked.ranks, of: total)
        }
        return CollectionSelection(answer: answer, removal: .marked(mask))
    }

    // MARK: Several values

    func byValues(in values: Value) throws(Refusal) -> CollectionSelection {
        let items = try Selector.items(of: values)
        if items.isEmpty {
            return try amongNone()
        }
        // An entry alone counts as indexed.
        return map.hasRankIndex || total <= 1 ? try amongRanked(items) : try amongUnranked(items)
    }

    /// What is among no values or keys is nothing, and the rest everything.
    private func amongNone() throws(Refusal) -> CollectionSelection {
        guard returning.isInverted else { return nothing() }
        // It looks entries up in an index that it did not make.
        guard !returning.isElements || total <= 1 || map.persistsIndex else {
            throw .harmful("answering each entry that is not among none")
        }
        return try selectAll()
    }

    private func amongUnranked(_ items: [Value]) throws(Refusal) -> CollectionSelection {
        let search = ItemSearch(
            items,
            in: entries.map(\.value),
            isInverted: returning.isInverted,
            findsPlaces: returning.isRank
        )
        let answer =
            returning.isRank
            ? search.answer(returning)
            : returning.isIndex ? indexAnswer(search.mask.marked) : try self.answer(marked: search.mask)
        return CollectionSelection(answer: answer, removal: .marked(search.mask))
    }

    /// With an index of ranks each value is looked for, so that places come in the order of the values, once for each
    /// time that a value is given.
    private func amongRanked(_ items: [Value]) throws(Refusal) -> CollectionSelection {
        let byValue = map.indexesByValue
        let ranges = items.map { map.ranks(of: .equal(to: $0), isMany: true, byValue) }
        var mask = [Bool](repeating: returning.isInverted, count: total)
        for rank in ranges.joined() {
            mask[byValue[rank]] = !returning.isInverted
        }
        let answer: Value?
        switch returning.kind {
        case .index, .reverseIndex:
            answer =
                returning.isInverted
                ? indexAnswer(mask.marked)
                : .counts(ranges.joined().map { returning.place(byValue[$0], of: total) })
        case .rank, .reverseRank:
            answer =
                returning.isInverted
                ? rankAnswer(mask.marked) : .counts(ranges.flatMap { returning.run($0, of: total) })
        default:
            answer = try self.answer(marked: mask)
        }
        return CollectionSelection(answer: answer, removal: .marked(mask))
    }

    // MARK: Several keys

    func byKeys(in keys: Value) throws(Refusal) -> CollectionSelection {
        let items = try Selector.items(of: keys)
        if returning.isRank {
            throw .notApplicable("ranks of the entries under some keys are not answered")
        }
        if items.isEmpty {
            return try amongNone()
        }
        return map.isKeyOrdered ? try amongSortedKeys(items) : try amongKeys(items)
    }

    private func amongKeys(_ items: [Value]) throws(Refusal) -> CollectionSelection {
        let search = ItemSearch(
            items,
            in: entries.map(\.key),
            isInverted: returning.isInverted,
            findsPlaces: returning.isIndex
        )
        let answer = returning.isIndex ? search.answer(returning) : try self.answer(marked: search.mask)
        return CollectionSelection(answer: answer, removal: .marked(search.mask))
    }

    private func amongSortedKeys(_ items: [Value]) throws(Refusal) -> CollectionSelection {
        let search = StoredSearch(count: total) { entries[$0].key }
        let ranges = items.map { item -> Range<Int> in
            guard !item.hasComparison else { return search.ranks(of: .equal(to: item), isMany: true) }
            let found = map.find(item)
            return found.place..<found.place + (found.isFound ? 1 : 0)
        }
        var mask = [Bool](repeating: returning.isInverted, count: total)
        for index in ranges.joined() {
            mask[index] = !returning.isInverted
        }
        let answer =
            returning.isIndex
            ? returning.isInverted
                ? returning.places(markedIn: mask) : .counts(ranges.flatMap { returning.run($0, of: total) })
            : try self.answer(marked: mask)
        return CollectionSelection(answer: answer, removal: .marked(mask))
    }

    private func answer(marked mask: [Bool]) throws(Refusal) -> Value? {
        switch returning.kind {
        case .none: nil
        case .count: .count(mask.marked.count)
        case .exists: .boolean(mask.contains(true))
        case .key, .value, .keyValue, .unorderedMap, .orderedMap: elementsAnswer(mask.marked)
        case .index, .reverseIndex, .rank, .reverseRank:
            throw .notApplicable("\(returning.kind) is not answered here")
        }
    }
}
