import Aerospike

/// Elements equal to one of some values.
extension ListSelection {
    func byValues(in values: Value) throws(Refusal) -> CollectionSelection {
        let items = try Selector.items(of: values)
        if items.isEmpty {
            // What is none of no values is everything.
            return try selectAll(returning.isInverted)
        }
        return isOrdered ? try amongOrdered(items) : try amongUnordered(items)
    }

    private func selectAll(_ isAll: Bool) throws(Refusal) -> CollectionSelection {
        let selection = ListSelection(elements: elements, isOrdered: isOrdered, returning: returning.straight)
        return try selection.select(.indexes(from: 0, count: isAll ? UInt64(total) : 0))
    }

    private func amongUnordered(_ items: [Value]) throws(Refusal) -> CollectionSelection {
        let search = ItemSearch(
            items,
            in: elements,
            isInverted: returning.isInverted,
            findsPlaces: returning.isRank
        )
        let answer = returning.isRank ? search.answer(returning) : try answer(marked: search.mask)
        return CollectionSelection(answer: answer, removal: .marked(search.mask))
    }

    /// In an ordered list each value is looked for, so that the answers come in the order of the values, once for each
    /// time that a value is given.
    private func amongOrdered(_ items: [Value]) throws(Refusal) -> CollectionSelection {
        let ranges = items.map { ranks(of: .equal(to: $0)) }
        var mask = [Bool](repeating: returning.isInverted, count: total)
        for index in ranges.joined() {
            mask[index] = !returning.isInverted
        }
        let answer: Value?
        switch returning.kind {
        case .index where !returning.isInverted, .reverseIndex where !returning.isInverted,
            .rank where !returning.isInverted, .reverseRank where !returning.isInverted:
            answer = .counts(ranges.flatMap { returning.run($0, of: total) })
        case .rank, .reverseRank: answer = returning.places(markedIn: mask)
        case .value where !returning.isInverted: answer = .list(Value.List(ranges.flatMap { elements[$0] }))
        default: answer = try self.answer(marked: mask)
        }
        return CollectionSelection(answer: answer, removal: .marked(mask))
    }

    private func answer(marked mask: [Bool]) throws(Refusal) -> Value? {
        switch returning.kind {
        case .none: nil
        case .index, .reverseIndex: returning.places(markedIn: mask)
        case .count: .count(mask.marked.count)
        case .exists: .boolean(mask.contains(true))
        case .value: .list(Value.List(mask.marked.map { elements[$0] }))
        case .rank, .reverseRank, .key, .keyValue, .unorderedMap, .orderedMap:
            throw .notApplicable("\(returning.kind) is not answered here")
        }
    }
}
