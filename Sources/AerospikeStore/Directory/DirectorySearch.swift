import Aerospike

/// What is asked of a directory.
package struct DirectoryQuestion: Sendable, Hashable {
    /// By what.
    package var kind: DirectoryKind
    /// The most entries to answer.
    package var limit: Int
    /// Only entries with a lesser key are wanted; nil for no bound.
    package var end: DirectoryKey?

    /// The least entries of a kind.
    package init(_ kind: DirectoryKind, limit: Int, before end: DirectoryKey? = nil) {
        self.kind = kind
        self.limit = max(1, limit)
        self.end = end
    }
}

/// The least entries of a directory, as far as they are known.
package struct DirectoryAnswer: Sendable, Equatable {
    /// Entries in the order of their keys, such that nothing else has a lesser key than the last.
    package var entries: [DirectoryEntry]
    /// What all else has at least for a key; nil if there is nothing else.
    package var rest: DirectoryKey?
}

/// A search for the least entries in root and leaves: it sends nothing.
struct DirectorySearch: Sendable {
    let question: DirectoryQuestion
    private var root: [RootEntry] = []
    private var isRootCut = false
    private var leaves: [Int: Leaf] = [:]

    private struct Leaf {
        var entries: [DirectoryEntry]
        var isCut: Bool
    }

    /// How many leaves of the root are looked at.
    static let rootEntriesMax = 16
    /// How many leaves are read at once.
    static let leavesAtOnce = 4

    init(_ question: DirectoryQuestion) {
        self.question = question
    }

    // MARK: What is read

    var rootOperation: Operation { ListedMap.least(question.kind, count: Self.rootEntriesMax) }
    var leafOperation: Operation { ListedMap.least(question.kind, count: question.limit) }

    mutating func note(root record: Record) {
        let map = record[question.kind.bin]?.map ?? Value.Map()
        root = map.compactMap { leaf, value in
            leaf.integer.flatMap { RootEntry(question.kind, leaf: Int($0), value) }
        }
        root.sort { ($0.key, $0.leaf) < ($1.key, $1.leaf) }
        isRootCut = map.count >= Self.rootEntriesMax
    }

    /// Takes in what a leaf has; nil if there is no such leaf.
    mutating func note(leaf: Int, _ record: Record?) {
        let map = record?[question.kind.bin]?.map ?? Value.Map()
        var entries = map.compactMap { offset, value in
            offset.integer.flatMap {
                DirectoryEntry(question.kind, position: Place(leaf: leaf, offset: Int($0)).position, value)
            }
        }
        entries.sort { ($0.key, $0.position) < ($1.key, $1.position) }
        leaves[leaf] = Leaf(entries: entries, isCut: map.count >= question.limit)
    }

    // MARK: What follows

    /// What all that was not read has at least for a key; nil if everything was read.
    private var bound: DirectoryKey? {
        var keys = [root.first { leaves[$0.leaf] == nil }?.key]
        if isRootCut { keys.append(root.last?.key) }
        keys += leaves.values.filter(\.isCut).map { $0.entries.last?.key }
        return keys.compactMap { $0 }.min()
    }

    /// What is known by now.
    var answer: DirectoryAnswer {
        let bound = bound
        var entries = leaves.values.flatMap(\.entries).filter { entry in
            (question.end.map { entry.key < $0 } ?? true) && (bound.map { entry.key <= $0 } ?? true)
        }
        entries.sort { ($0.key, $0.position) < ($1.key, $1.position) }
        let known = entries.prefix(question.limit)
        // What is left out for the limit, or as too late, or as not surely the least.
        let told = Set(known)
        let others = leaves.values.flatMap(\.entries).filter { !told.contains($0) }.map(\.key).min()
        let rest = [bound, others].compactMap { $0 }.min()
        return DirectoryAnswer(entries: Array(known), rest: rest)
    }

    /// Leaves to read before there is an answer.
    var wanted: [Int] {
        guard answer.entries.isEmpty else { return [] }
        let unread = root.filter { entry in
            leaves[entry.leaf] == nil && (question.end.map { entry.key < $0 } ?? true)
        }
        return unread.prefix(Self.leavesAtOnce).map(\.leaf)
    }

    /// The leaf to read along with the root the next time: the one that the first entry came from.
    var hint: Int? { answer.entries.first.map { Place($0.position).leaf } }

    /// Entries of the root that promised what their leaves did not keep, with the least that those have.
    ///
    /// Not those that only lag behind a leaf that is the best all the same: they do no harm.
    var broken: [(entry: RootEntry, least: DirectoryKey?)] {
        root.indices.compactMap { index in
            let entry = root[index]
            guard let leaf = leaves[entry.leaf] else { return nil }
            guard let least = leaf.entries.first?.key else { return (entry, nil) }
            guard least > entry.key else { return nil }
            let isPastEnd = question.end.map { entry.key < $0 && least >= $0 } ?? false
            let isPastNext = index + 1 < root.count && least > root[index + 1].key
            return isPastEnd || isPastNext ? (entry, least) : nil
        }
    }

    /// Whether the root may have more leaves with what is wanted than were told.
    var mayFindMore: Bool {
        guard answer.entries.isEmpty, isRootCut, let last = root.last?.key else { return false }
        return question.end.map { last < $0 } ?? true
    }
}
