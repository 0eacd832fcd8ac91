import Aerospike

/// Answers about entries, which come in the order of the indexes that are given.
extension MapSelection {
    /// Keys, values or both.
    func elementsAnswer(_ indexes: [Int]) -> Value? {
        switch returning.kind {
        case .key: oneOrMany(indexes.map { entries[$0].key })
        case .value: oneOrMany(indexes.map { entries[$0].value })
        case .orderedMap: .map(map.part(map.isKeyOrdered ? indexes : map.sortedByKey(indexes), order: .keyOrdered))
        default: .map(map.part(indexes, order: .unordered))
        }
    }

    private func oneOrMany(_ values: [Value]) -> Value? {
        returning.isMany ? .list(Value.List(values)) : values.first
    }

    /// The places in the order of keys.
    func indexAnswer(_ indexes: [Int]) -> Value? {
        guard !indexes.isEmpty else { return returning.nothing }
        let places = map.isKeyOrdered ? indexes : map.placesByKey(indexes)
        return counts(places)
    }

    /// The places in the order of values.
    func rankAnswer(_ indexes: [Int]) -> Value {
        guard indexes.count > 1 else {
            return counts(indexes.map(map.rank))
        }
        var ranks = [Int](repeating: 0, count: total)
        for (rank, index) in map.indexesByValue.enumerated() {
            ranks[index] = rank
        }
        return counts(indexes.map { ranks[$0] })
    }

    private func counts(_ places: [Int]) -> Value {
        let places = places.map { returning.place($0, of: total) }
        return returning.isMany ? .counts(places) : .count(places.first ?? -1)
    }
}
