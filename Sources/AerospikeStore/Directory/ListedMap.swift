import Aerospike

/// The map of what a record lists by keys, and the ways to change it; the tube's record and leaves have the same.
///
/// An entry ends in a stamp, which the server takes from a counter of the record with each write, also of the same key
/// once more. So no two writes of an entry leave the same stamp, not even if one of them is a late duplicate of the other.
enum ListedMap {
    /// The counter.
    static let stampBin = "s"

    /// Makes an entry's key at most so great, and its stamp a new one in any case.
    ///
    /// An entry that is low enough keeps its key: somebody else may count on it.
    static func lower(
        _ kind: DirectoryKind,
        at index: Int,
        to key: DirectoryKey,
        _ rest: [Value] = []
    ) -> [Operation] {
        let map = Exp<Value.Map>.map(bin: kind.bin)
        let old = map.get(.key(index), .value(Value.List.self))
        let isLowEnough: Exp<Bool> = map.get(.key(index), .exists) && old < key.elementsAfter(kind)
        let unstamped: Exp<Value.List> = .cond(
            (when: isLowEnough, then: old.removing(.index(-1))),
            otherwise: Exp(Value.List(key.elements(kind) + rest))
        )
        return write([(index, unstamped)], kind)
    }

    /// Puts an entry in the place of whatever is there.
    static func put(_ kind: DirectoryKind, at index: Int, _ key: DirectoryKey, _ rest: [Value] = []) -> [Operation] {
        put(kind, [(index, key, rest)])
    }

    /// Puts entries in the places of whatever is there, with one stamp.
    static func put(_ kind: DirectoryKind, _ entries: [(index: Int, key: DirectoryKey, rest: [Value])]) -> [Operation] {
        write(entries.map { ($0.index, Exp(Value.List($0.key.elements(kind) + $0.rest))) }, kind)
    }

    private static func write(_ unstamped: [(index: Int, elements: Exp<Value.List>)], _ kind: DirectoryKind)
        -> [Operation]
    {
        let stamp = Exp<Int>.int(bin: stampBin)
        let map = unstamped.reduce(Exp<Value.Map>.map(bin: kind.bin)) { map, entry in
            map.putting(entry.index, entry.elements.appending(stamp))
        }
        // The read fills the index of ranks before it is stored, see SegmentWork.
        return [
            .add(stampBin, 1), .write(map, to: kind.bin),
            .map(kind.bin).get(.ranks(from: 0, count: 1), returning: .key),
        ]
    }

    /// Removes an entry.
    static func remove(_ kind: DirectoryKind, at index: Int) -> Operation {
        .map(kind.bin).remove(.key(.integer(Int64(index))))
    }

    /// Whether an entry is this, its stamp included.
    static func has(_ kind: DirectoryKind, at index: Int, _ elements: [Value]) -> Exp<Bool> {
        let map = Exp<Value.Map>.map(bin: kind.bin)
        return map.get(.key(index), .exists)
            && map.get(.key(index), .value(Value.List.self)) == Exp(Value.List(elements))
    }

    /// Whether there is no entry with a key less than this; with nil, whether there is none at all.
    static func hasNothing(_ kind: DirectoryKind, below key: DirectoryKey?) -> Exp<Bool> {
        let map = Exp<Value.Map>.map(bin: kind.bin)
        guard let key else { return map.size() == 0 }
        let least = map.get(.rank(0), .value(Value.List.self))
        return map.size() > 0 && least >= Exp(Value.List(key.elements(kind)))
    }

    /// Reads the least entries.
    static func least(_ kind: DirectoryKind, count: Int) -> Operation {
        .map(kind.bin).get(.ranks(from: 0, count: count), returning: .keyValue)
    }

    /// What a new record begins with.
    static let creation: [Operation] =
        [.put(stampBin, 0)]
        + DirectoryKind.allCases.map { .map($0.bin).create(order: .keyValueOrdered, persistsIndex: true) }
}
