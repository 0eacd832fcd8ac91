import Aerospike

/// The bins of a segment record; docs/aerospike-data-model.md tells what each is for.
enum SegmentBin {
    /// The tube's name.
    static let tube = "t"
    /// The segment's position in its tube's directory.
    static let position = "p"
    /// The next slot to be given; with it, how many jobs were ever put here.
    static let nextSlot = "n"
    /// 1 once nothing is put here any more.
    static let closed = "c"
    /// The jobs: slot → entry.
    static let jobs = "j"
    /// The number of what a process did last here: a bin for each, which costs the server less than a map of them.
    static func token(_ process: ProcessNumber) -> String { tokenStart + String(process, radix: 36) }
    static let tokenStart = "k"
    /// Whose token a bin is; nil if it is none.
    static func process(ofToken name: String) -> ProcessNumber? {
        name.hasPrefix(tokenStart) ? ProcessNumber(name.dropFirst(tokenStart.count), radix: 36) : nil
    }
    /// Under what the directory lists the segment, or under less: the key's numbers.
    static func mark(_ kind: DirectoryKind) -> String { kind.markBin }
    /// How often that was raised.
    static func epoch(_ kind: DirectoryKind) -> String { kind.epochBin }
    /// Reservations that ran out of time.
    static let timeouts = "to"
    /// Stored bytes of the bodies that are here.
    static let usedBytes = "u"
    /// By how much they were larger before compression.
    static let savedBytes = "z"
    /// Bytes of those bodies whose compression saved nothing.
    static let skippedBytes = "s"
}

/// The key of a ready job in the order of the queue.
struct ReadyKey: Comparable, Hashable, Sendable {
    var priority: UInt32
    var id: UInt64

    init(priority: UInt32, id: UInt64) {
        self.priority = priority
        self.id = id
    }

    /// That of the job in a slot of a segment.
    init(priority: UInt32, slot: Int, in segment: SegmentNumber) {
        self.init(priority: priority, id: JobPlace(segment: segment, slot: slot).id)
    }

    /// Not greater than that of any job of the segment.
    static func least(of segment: SegmentNumber) -> ReadyKey {
        ReadyKey(priority: 0, id: JobPlace.firstID(of: segment))
    }

    static func < (a: ReadyKey, b: ReadyKey) -> Bool {
        a.priority != b.priority ? a.priority < b.priority : a.id < b.id
    }

    var directoryKey: DirectoryKey { .ready(priority: priority, job: id) }
}

/// What a segment record says that its directory lists it under, in one kind.
///
/// The mark is never less than the entry in the directory. It becomes lower only after the entry did, and only if nobody
/// raised it meanwhile: the epoch counts that. See ``TubeDirectory``.
struct SegmentMark: Equatable, Sendable {
    /// Nil where the segment need not be listed.
    var key: DirectoryKey?
    var epoch = 0

    /// Whether what has this key is listed.
    func covers(_ key: DirectoryKey) -> Bool { self.key.map { $0 <= key } ?? false }
}

/// The marks of every kind.
struct SegmentMarks: Equatable, Sendable {
    var marks: [DirectoryKind: SegmentMark] = [:]

    subscript(kind: DirectoryKind) -> SegmentMark {
        get { marks[kind] ?? SegmentMark() }
        set { marks[kind] = newValue }
    }

    init() {}

    /// From the answers to ``reads``.
    init(_ answers: ArraySlice<Value>) {
        var answers = answers
        for kind in DirectoryKind.allCases {
            let key = answers.popFirst()
            let epoch = answers.popFirst()
            self[kind] = SegmentMark(
                key: key?.list.flatMap { DirectoryKey($0, kind) },
                epoch: Int(epoch?.integer ?? 0)
            )
        }
    }

    static let reads: [Operation] = DirectoryKind.allCases.flatMap {
        [.get(SegmentBin.mark($0)), .get(SegmentBin.epoch($0))]
    }
}
