import Aerospike

/// Selects entries of a map (aerospike-server 8.1, base/particle_map.c, `packed_map_get_remove_*`).
struct MapSelection {
    let map: Value.Map
    let returning: Returning

    var entries: [(key: Value, value: Value)] { map.entries }
    var total: Int { map.entries.count }

    func select(_ selector: Selector) throws(Refusal) -> CollectionSelection {
        switch selector {
        case .key(let key): return try byKey(key)
        case .keyInterval(let first, let end): return try byKeys(.interval(from: first, upTo: end))
        case .keys(let keys): return try byKeys(in: keys)
        case .index(let index):
            guard let place = SelectorRange.place(index, of: total) else {
                throw .notApplicable("no entry at \(index) of \(total)")
            }
            return try byIndexes(place..<place + 1)
        case .indexes(let index, let count):
            return try byIndexes(SelectorRange.places(from: index, count: count, of: total))
        case .indexesNear(let key, let index, let count):
            let near = SelectorRange.near(place(of: key), index: index, count: count)
            return try byIndexes(SelectorRange.places(from: near.index, count: near.count, of: total))
        case .rank(let rank):
            guard let place = SelectorRange.place(rank, of: total) else {
                throw .notApplicable("no entry of rank \(rank) of \(total)")
            }
            return try byRanks(place..<place + 1)
        case .ranks(let rank, let count):
            return try byRanks(SelectorRange.places(from: rank, count: count, of: total))
        case .ranksNear(let value, let rank, let count):
            let first = map.ranked(.equal(to: value), isMany: true).ranks.lowerBound
            let near = SelectorRange.near(first, index: rank, count: count)
            return try byRanks(SelectorRange.places(from: near.index, count: near.count, of: total))
        case .firstValue(let value), .value(let value): return try byValues(.equal(to: value))
        case .valueInterval(let first, let end): return try byValues(.interval(from: first, upTo: end))
        case .values(let values): return try byValues(in: values)
        }
    }

    func nothing() -> CollectionSelection {
        CollectionSelection(answer: returning.nothing, removal: .nothing)
    }

    func requireMany() throws(Refusal) {
        guard returning.isMany || !returning.isInverted else {
            throw .notApplicable("what is not the one entry is not answered")
        }
    }

    /// The same for what is selected, where it was asked about the rest and the rest was found.
    private var straight: MapSelection {
        MapSelection(map: map, returning: returning.straight)
    }

    func selectAll() throws(Refusal) -> CollectionSelection {
        try straight.inside(0..<total)
    }

    // MARK: Keys

    /// How many keys are less than one, or where a search among sorted keys meets it.
    private func place(of key: Value) -> Int {
        map.isKeyOrdered ? map.find(key).place : entries.count { $0.key.storedOrder(to: key) == .less }
    }

    private func byKey(_ key: Value) throws(Refusal) -> CollectionSelection {
        if map.isKeyOrdered {
            let found = map.find(key)
            return found.isFound ? try byIndexes(found.place..<found.place + 1) : nothing()
        }
        try requireMany()
        guard let index = entries.firstIndex(where: { $0.key.isStoredEqual(to: key) }) else { return nothing() }
        let answer: Value?
        switch returning.kind {
        case .none, .count, .exists: answer = try returning.places(0..<1, of: total)
        case .index, .reverseIndex: answer = .count(returning.place(place(of: key), of: total))
        case .rank, .reverseRank: answer = rankAnswer([index])
        case .key, .value, .keyValue, .unorderedMap, .orderedMap: answer = elementsAnswer([index])
        }
        return CollectionSelection(answer: answer, removal: .range(index..<index + 1))
    }

    private func byKeys(_ interval: ValueInterval) throws(Refusal) -> CollectionSelection {
        if map.isKeyOrdered {
            let first = map.find(interval.first).place
            let end = interval.end.map { map.find($0).place } ?? total
            return try byIndexes(first..<max(first, end))
        }
        let less = entries.count { interval.isAfter($0.key) }
        let mask = entries.map { !interval.isAfter($0.key) && interval.isBeforeEnd($0.key) }
        let chosen = returning.isInverted ? mask.inverted : mask
        let answer: Value?
        if returning.isElements {
            answer = elementsAnswer(chosen.marked)
        } else if returning.isRank {
            answer = rankAnswer(chosen.marked)
        } else {
            answer = try returning.places(less..<less + mask.marked.count, of: total)
        }
        return CollectionSelection(answer: answer, removal: .marked(chosen))
    }

    // MARK: Indexes

    private func byIndexes(_ range: Range<Int>) throws(Refusal) -> CollectionSelection {
        try requireMany()
        guard returning.isInverted else { return try inside(range) }
        guard let outside = range.outside(of: total) else { return try bothSides(of: range) }
        return try straight.inside(outside)
    }

    private func inside(_ range: Range<Int>) throws(Refusal) -> CollectionSelection {
        guard !range.isEmpty else { return nothing() }
        if range.count == total {
            let isPlaces = returning.isIndex || returning.isRank
            return CollectionSelection(
                answer: isPlaces && returning.isMany
                    ? .counts(Array(0..<total)) : try answer(Array(0..<total), places: range),
                removal: .range(range)
            )
        }
        guard !map.isKeyOrdered else {
            return CollectionSelection(answer: try answer(Array(range), places: range), removal: .range(range))
        }
        let indexes = Array(map.indexesByKey[range])
        var mask = [Bool](repeating: false, count: total)
        for index in indexes {
            mask[index] = true
        }
        return CollectionSelection(answer: try answer(indexes, places: range), removal: .marked(mask))
    }

    private func bothSides(of range: Range<Int>) throws(Refusal) -> CollectionSelection {
        var mask = [Bool](repeating: true, count: total)
        for index in map.indexesByKey[range] {
            mask[index] = false
        }
        let answer: Value?
        if returning.kind == .exists, map.isKeyOrdered {
            answer = true
        } else {
            answer = try self.answer(mask.marked, places: range)
        }
        return CollectionSelection(answer: answer, removal: .marked(mask))
    }

    /// The answer about entries whose places among all, in the order of keys, are a range or what is outside of it.
    private func answer(_ indexes: [Int], places: Range<Int>) throws(Refusal) -> Value? {
        if returning.isElements {
            elementsAnswer(indexes)
        } else if returning.isRank {
            rankAnswer(indexes)
        } else {
            try returning.places(places, of: total)
        }
    }

    // MARK: Ranks

    private func byRanks(_ range: Range<Int>) throws(Refusal) -> CollectionSelection {
        try requireMany()
        if returning.isInverted, let outside = range.outside(of: total) {
            return try straight.byRanks(outside)
        }
        guard !range.isEmpty else { return nothing() }
        let isInverted = returning.isInverted
        let ranked = map.indexes(ranked: range)
        var mask = [Bool](repeating: isInverted, count: total)
        for index in ranked {
            mask[index] = !isInverted
        }
        let answer: Value?
        if returning.isElements {
            answer = elementsAnswer(isInverted || returning.kind == .orderedMap ? mask.marked : ranked)
        } else if returning.isIndex {
            answer = indexAnswer(isInverted ? mask.marked : ranked)
        } else {
            answer = try returning.places(range, of: total)
        }
        return CollectionSelection(answer: answer, removal: .marked(mask))
    }
}
