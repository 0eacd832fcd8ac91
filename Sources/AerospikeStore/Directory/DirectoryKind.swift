import Aerospike

/// By what a tube's directory lists segments.
package enum DirectoryKind: Int, Sendable, Hashable, CaseIterable {
    /// The best ready job: priority, then id.
    case ready
    /// The earliest time at which something in the segment is due, in milliseconds.
    case wake
    /// The earliest burial, in microseconds.
    case buried

    /// The map of entries, in the tube's record and in a leaf.
    var bin: String {
        switch self {
        case .ready: "r"
        case .wake: "w"
        case .buried: "b"
        }
    }

    /// In a leaf: under which key at most the tube's record lists it; absent if that is not known.
    var markBin: String { "m" + bin }

    /// In a leaf: how often ``markBin`` was raised or cleared.
    var epochBin: String { "e" + bin }

    /// How many numbers make a key.
    var keyWidth: Int { self == .ready ? 2 : 1 }
}

/// What a directory sorts entries by: two numbers for ready jobs, one for times.
package struct DirectoryKey: Sendable, Hashable, Comparable {
    /// The priority or the time.
    package let major: Int64
    /// The job's id; 0 for times.
    package let minor: Int64

    private init(_ major: Int64, _ minor: Int64) {
        // One less than the greatest number, so that each key has a next one.
        self.major = min(major, .max - 1)
        self.minor = min(minor, .max - 1)
    }

    /// The key of a ready job.
    package static func ready(priority: UInt32, job: UInt64) -> DirectoryKey {
        DirectoryKey(Int64(priority), Int64(clamping: job))
    }

    /// A time, in the unit of its kind.
    package static func time(_ time: Int64) -> DirectoryKey { DirectoryKey(time, 0) }

    package static func < (left: DirectoryKey, right: DirectoryKey) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// The key from the first elements of an entry; nil if that is none.
    init?(_ elements: Value.List, _ kind: DirectoryKind) {
        guard elements.count >= kind.keyWidth, let major = elements.first?.integer else { return nil }
        guard kind.keyWidth == 2 else {
            self.init(major, 0)
            return
        }
        guard let minor = elements[1].integer else { return nil }
        self.init(major, minor)
    }

    /// The key as the first elements of an entry, which come before those of every entry under this key.
    func elements(_ kind: DirectoryKind) -> [Value] {
        kind.keyWidth == 2 ? [.integer(major), .integer(minor)] : [.integer(major)]
    }

    /// A list that comes after every entry under this key, and before or with those under the next.
    func elementsAfter(_ kind: DirectoryKind) -> Exp<Value.List> {
        let next: [Value] =
            kind.keyWidth == 2 ? [.integer(major), .integer(minor + 1)] : [.integer(major + 1)]
        return Exp(Value.List(next))
    }
}
