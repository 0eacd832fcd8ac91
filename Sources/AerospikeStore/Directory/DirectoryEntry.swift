import Aerospike

/// That a segment may have something under a key, as a leaf of the directory says.
package struct DirectoryEntry: Sendable, Hashable {
    /// By what it is listed.
    package let kind: DirectoryKind
    /// The segment's place in the directory.
    package let position: Int
    /// The segment's number.
    package let segment: Int
    /// What is in the segment has this key or a greater one.
    package let key: DirectoryKey
    /// Different with each write of the entry: what was seen can be struck, and nothing else.
    package let stamp: Int64

    init(kind: DirectoryKind, position: Int, segment: Int, key: DirectoryKey, stamp: Int64) {
        self.kind = kind
        self.position = position
        self.segment = segment
        self.key = key
        self.stamp = stamp
    }

    /// The entry as a leaf has it: the key, the segment, the stamp.
    init?(_ kind: DirectoryKind, position: Int, _ value: Value) {
        guard let list = value.list, list.count == kind.keyWidth + 2, let key = DirectoryKey(list, kind),
            let segment = list[kind.keyWidth].integer, let stamp = list[kind.keyWidth + 1].integer
        else { return nil }
        self.init(kind: kind, position: position, segment: Int(segment), key: key, stamp: stamp)
    }

    /// The whole entry as it is kept.
    var elements: [Value] { key.elements(kind) + [.integer(Int64(segment)), .integer(stamp)] }
}

/// That a leaf may have entries from a key on, as the tube's record says.
struct RootEntry: Sendable, Hashable {
    let kind: DirectoryKind
    let leaf: Int
    let key: DirectoryKey
    let stamp: Int64

    init(kind: DirectoryKind, leaf: Int, key: DirectoryKey, stamp: Int64) {
        self.kind = kind
        self.leaf = leaf
        self.key = key
        self.stamp = stamp
    }

    init?(_ kind: DirectoryKind, leaf: Int, _ value: Value) {
        guard let list = value.list, list.count == kind.keyWidth + 1, let key = DirectoryKey(list, kind),
            let stamp = list[kind.keyWidth].integer
        else { return nil }
        self.init(kind: kind, leaf: leaf, key: key, stamp: stamp)
    }

    var elements: [Value] { key.elements(kind) + [.integer(stamp)] }
}
