import Aerospike

/// Writes to one map, which may have to be created first (aerospike-server 8.1, base/particle_map.c, `map_*`).
struct MapWriter {
    private let site: CollectionSite
    private var map: Value.Map
    private var answer: Value?
    private var isWritten = false

    /// A writer.
    ///
    /// - Parameters:
    ///   - site: where the map is or will be.
    ///   - flags: the flags of the map if it is to be created.
    init(_ site: CollectionSite, flags: UInt64) {
        self.site = site
        map = site.value?.map ?? Self.created(at: site, flags)
    }

    /// A map as it is created: one that nothing sorts gets no index either (`map_flags_to_static_ix`).
    private static func created(at site: CollectionSite, _ flags: UInt64) -> Value.Map {
        var map = Value.Map(flags: UInt8(truncatingIfNeeded: flags)) ?? Value.Map()
        if map.order == .unordered || !site.isBin {
            map.persistsIndex = false
        }
        return map
    }

    /// What it came to: a missing bin is created even if nothing is written, unlike what is missing deeper.
    var effect: CollectionEffect {
        let isCreated = isWritten || (site.isMissing && !site.isCreatedByPath)
        return CollectionEffect(answer: answer, written: isCreated ? .map(map) : Value?.none)
    }

    private mutating func answerTotal() {
        answer = .count(map.entries.count)
    }

    // MARK: The map itself

    mutating func setFlags(_ flags: UInt64) throws(Refusal) {
        guard var ordered = Value.Map(flags: UInt8(truncatingIfNeeded: flags)) else {
            throw .notApplicable("no map is ordered by \(flags)")
        }
        if !site.isBin {
            ordered.persistsIndex = false
        }
        ordered.entries = map.isKeyOrdered ? map.entries : map.indexesByKey.map { map.entries[$0] }
        map = ordered
        isWritten = true
    }

    // MARK: Entries

    mutating func put(_ key: Value, _ value: Value, _ flags: MapWriteFlags) throws(Refusal) {
        guard key.isMapKey, let value = value.stored else { throw .parameter("\(key): \(value) is no entry") }
        let found = map.isKeyOrdered ? map.find(key) : map.findAnywhere(key)
        if found.isFound ? flags.contains(.createOnly) : flags.contains(.updateOnly) {
            return try refuse(key, isFound: found.isFound, flags)
        }
        if found.isFound {
            map.entries[found.place] = (key, value)
        } else {
            map.entries.insert((key, value), at: found.place)
        }
        isWritten = true
        answerTotal()
    }

    mutating func put(contentsOf items: Value, _ flags: MapWriteFlags) throws(Refusal) {
        guard case .map(let items) = items, let sorted = Value.map(items).stored?.map else {
            throw .parameter("\(items) where a map belongs")
        }
        if sorted.entries.isEmpty {
            isWritten = site.isCreatedByPath
            return answerTotal()
        }
        let isPartial = flags.contains(.noFail) && flags.contains(.partial)
        // A server checks an empty map only for whether all may fail, and creates even what may only be updated.
        if map.entries.isEmpty, !flags.contains(.updateOnly) || isPartial {
            map.entries = sorted.entries
            isWritten = true
            return answerTotal()
        }
        if !map.isKeyOrdered {
            map.entries = map.indexesByKey.map { map.entries[$0] }
        }
        var merged = map.entries
        var offset = 0
        for entry in sorted.entries {
            let found = map.find(entry.key)
            if found.isFound ? flags.contains(.createOnly) : flags.contains(.updateOnly) {
                guard isPartial else { return try refuse(entry.key, isFound: found.isFound, flags) }
            } else if found.isFound {
                merged[found.place + offset] = entry
            } else {
                merged.insert(entry, at: found.place + offset)
                offset += 1
            }
        }
        map.entries = merged
        isWritten = true
        answerTotal()
    }

    mutating func increment(_ key: Value, by amount: Value?, isDifference: Bool) throws(Refusal) {
        let found = map.isKeyOrdered ? map.find(key) : map.findAnywhere(key)
        let value = found.isFound ? map.entries[found.place].value : Value?.none
        let sum = try NumberSum.of(value, amount, isDifference: isDifference)
        try put(key, sum, [])
        answer = sum
    }

    private mutating func refuse(_ key: Value, isFound: Bool, _ flags: MapWriteFlags) throws(Refusal) {
        guard flags.contains(.noFail) else {
            throw isFound ? Refusal(.elementExists, "the map has \(key)") : Refusal(.elementNotFound, "no \(key)")
        }
        answerTotal()
    }
}
