import Aerospike

/// A map as an operation looks at it: entries in the order of their keys, and the order of their values.
extension Value.Map {
    /// Whether entries are found by searching their keys.
    ///
    /// An index stored beside a map makes it sorted, even if nothing else does (base/particle_map.c, `is_k_ordered`).
    var isKeyOrdered: Bool { order != .unordered || persistsIndex }

    /// Whether an index of ranks is stored beside the map.
    var hasRankIndex: Bool { persistsIndex && order == .keyValueOrdered && entries.count > 1 }

    /// The flags as a server keeps them.
    var flags: UInt8 { order.rawValue | (persistsIndex ? MessagePack.persistsIndexFlag : 0) }

    /// An empty map with flags; nil if a server knows no such map (base/cdt.c, `cdt_check_flags`).
    init?(flags: UInt8) {
        let orderFlags = flags & ~MessagePack.persistsIndexFlag
        guard let order = MapOrder(rawValue: orderFlags) else { return nil }
        self.init([], order: order)
        persistsIndex = flags != orderFlags
    }

    /// Where a key is or belongs, if the keys are sorted (base/particle_map.c, `packed_map_find_key_indexed`).
    func find(_ key: Value) -> (isFound: Bool, place: Int) {
        var lower = 0
        var upper = entries.count
        var place = upper / 2
        while lower < upper {
            switch key.storedOrder(to: entries[place].key) {
            case .greater:
                guard place < upper - 1 else { return (false, place + 1) }
                lower = place + 1
                place = (place + upper) / 2
            case .less:
                guard place != lower else { return (false, place) }
                upper = place
                place = (place + lower) / 2
            default:
                return (true, place)
            }
        }
        return (false, lower)
    }

    /// Where a key is or belongs, if the keys may not be sorted: before the first greater one as far as they are, at the
    /// end otherwise (base/particle_map.c, `packed_map_find_key_maybe_unordered`).
    func findAnywhere(_ key: Value) -> (isFound: Bool, place: Int) {
        var place = entries.count
        var isSorted = true
        for index in entries.indices {
            isSorted = isSorted && (index == 0 || entries[index - 1].key.storedOrder(to: entries[index].key) == .less)
            switch key.storedOrder(to: entries[index].key) {
            case .equal: return (true, index)
            case .less where isSorted && place == entries.count: place = index
            default: break
            }
        }
        return (false, place)
    }

    /// The indexes of the entries of some ranks, the least first; of equal values the one with the lesser key.
    func indexes(ranked range: Range<Int>) -> [Int] {
        let ranked = RankOrder(count: entries.count) { compareValues($0, $1) }.indexes(ranked: range)
        return ranked.isDescending ? ranked.indexes.reversed() : ranked.indexes
    }

    /// The ranks of what is in an interval, and its indexes in the order of values.
    func ranked(_ interval: ValueInterval, isMany: Bool) -> (ranks: Range<Int>, indexes: [Int]) {
        if hasRankIndex, interval.hasComparison {
            // A search among sorted values may meet others than a look at each of them.
            let byValue = indexesByValue
            let ranks = ranks(of: interval, isMany: isMany, byValue)
            return (ranks, Array(byValue[ranks]))
        }
        var less = 0
        var found: [Int] = []
        for (index, entry) in entries.enumerated() {
            if interval.isAfter(entry.value) {
                less += 1
            } else if interval.isBeforeEnd(entry.value) {
                found.append(index)
            }
        }
        let indexes = isMany ? sortedByValue(found) : Array(found.prefix(1))
        return (less..<less + indexes.count, indexes)
    }

    /// The ranks of what is in an interval, among the indexes in the order of values (base/particle_map.c,
    /// `packed_map_find_rank_range_by_value_interval_indexed`).
    func ranks(of interval: ValueInterval, isMany: Bool, _ byValue: [Int]) -> Range<Int> {
        let search = StoredSearch(count: byValue.count, index: { byValue[$0] }, value: { entries[byValue[$0]].value })
        let first = search.find(interval.first, .first)
        if interval.isOneValue {
            guard first.isFound else { return first.place..<first.place }
            return first.place..<(isMany ? search.find(interval.first, .last).place : first.place + 1)
        }
        let end = interval.end.map { search.find($0, .first).place } ?? byValue.count
        return first.place..<(end > first.place ? end : first.place)
    }

    /// Every index in the order of values.
    var indexesByValue: [Int] {
        sortedByValue(Array(entries.indices))
    }

    /// Every index in the order of keys.
    var indexesByKey: [Int] {
        isKeyOrdered ? Array(entries.indices) : sortedByKey(Array(entries.indices))
    }

    func sortedByValue(_ indexes: [Int]) -> [Int] {
        RankOrder(count: indexes.count) { entries[indexes[$0]].value.storedOrder(to: entries[indexes[$1]].value) }
            .sorted().map { indexes[$0] }
    }

    func sortedByKey(_ indexes: [Int]) -> [Int] {
        RankOrder(count: indexes.count) { entries[indexes[$0]].key.storedOrder(to: entries[indexes[$1]].key) }
            .sorted().map { indexes[$0] }
    }

    /// The places of some entries in the order of keys.
    func placesByKey(_ indexes: [Int]) -> [Int] {
        var places = [Int](repeating: 0, count: entries.count)
        for (place, index) in indexesByKey.enumerated() {
            places[index] = place
        }
        return indexes.map { places[$0] }
    }

    /// The rank of one entry.
    func rank(of index: Int) -> Int {
        entries.indices.count { compareValues($0, index) == .less }
    }

    /// Some of the entries.
    func part(_ indexes: [Int], order: MapOrder) -> Value.Map {
        var part = Value.Map([], order: order)
        part.entries = indexes.map { entries[$0] }
        return part
    }

    private func compareValues(_ left: Int, _ right: Int) -> Value.Comparison {
        let comparison = entries[left].value.storedOrder(to: entries[right].value)
        return comparison == .equal ? entries[left].key.storedOrder(to: entries[right].key) : comparison
    }
}
