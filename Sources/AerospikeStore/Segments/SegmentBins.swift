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
    /// What was done last for each process: process → sequence.
    static let tokens = "k"
    /// The ready key that the directory lists the segment under, or lower: [priority, id].
    static let readyMark = "mr"
    /// The time that it is listed under for its delayed jobs, or later than that: milliseconds.
    static let wakeMark = "mw"
    /// The time of burial that it is listed under: microseconds.
    static let buriedMark = "mb"
    /// Jobs deleted by command.
    static let deleted = "d"
    /// Reservations that ran out of time.
    static let timeouts = "to"
    /// Stored bytes of the bodies that are here.
    static let usedBytes = "u"
    /// The same before compression.
    static let bodyBytes = "b"
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

    /// Not greater than that of any job of the segment.
    static func least(of segment: SegmentNumber) -> ReadyKey {
        ReadyKey(priority: 0, id: JobPlace.firstID(of: segment))
    }

    static func < (a: ReadyKey, b: ReadyKey) -> Bool {
        a.priority != b.priority ? a.priority < b.priority : a.id < b.id
    }

    var value: Value { .list(Value.List([.integer(Int64(priority)), .integer(Int64(id))])) }

    init?(_ value: Value?) {
        guard case .list(let list)? = value, list.count == 2, case .integer(let priority) = list[0],
            case .integer(let id) = list[1], let priority = UInt32(exactly: priority), id > 0
        else { return nil }
        self.init(priority: priority, id: UInt64(id))
    }
}

/// What a segment record says that its directory lists it under.
struct SegmentMarks: Equatable, Sendable {
    var ready: ReadyKey?
    var wakeMilliseconds: Int64?
    var buriedMicroseconds: Int64?

    init() {}

    init(ready: Value?, wake: Value?, buried: Value?) {
        self.ready = ReadyKey(ready)
        wakeMilliseconds = wake?.integer
        buriedMicroseconds = buried?.integer
    }

    static let reads: [Operation] = [
        .get(SegmentBin.readyMark), .get(SegmentBin.wakeMark), .get(SegmentBin.buriedMark),
    ]
}
