import BeanspikeCore

/// What changed since the last commit, and what the commit under way has.
///
/// A job is listed once however often it changes: what is written is its state when the commit begins, so a job
/// that is put and deleted between two commits never reaches the disk.
struct ChangeLog {
    struct Listed {
        var handle: JobHandle
        var id: JobID
    }

    /// Jobs that are new or changed in something that a client was, or will be, promised.
    var changed: [Listed] = []
    /// Jobs changed only in what nobody was promised, such as a count of reserves, oldest first.
    var lazy: [(job: Listed, since: StoreInstant)] = []
    var lazyGone = 0
    /// Jobs that the journal has and that are gone.
    var deletes: [JournalBatch.Delete] = []
    /// Jobs whose bodies are wanted back.
    var loads: [JobID] = []
    /// What bodies the jobs had that the journal has and that were given others since the last commit began.
    var replacedBodies: [JobHandle: ReplacedBody] = [:]
    /// Bytes of new jobs' bodies.
    var newBodyBytes = 0
    /// Somebody waits for the next commit.
    var isCommitWanted = false
    /// Number of the next commit.
    var nextCommit: CommitNumber = 1
    /// Number of the last commit that is done.
    var lastDone: CommitNumber = 0
    /// The commit under way.
    var underWay: UnderWay?
    /// After a failure the next commit waits until then.
    var notBefore = StoreInstant(microseconds: .min)
    /// Ids below this are reserved on disk, or will be by the commit under way.
    var idsReservedBelow: JobID = 1

    struct UnderWay {
        var number: CommitNumber
        var puts: [Listed] = []
        var updates: [Listed] = []
        var deletes: [JournalBatch.Delete] = []
        var replacedBodies: [JobHandle: ReplacedBody] = [:]
        var idsReservedBefore: JobID
    }

    /// How long a change that nobody was promised may wait for a commit that is made anyway.
    static let lazyMicroseconds: Int64 = 1_000_000
    /// Lazy changes are looked at this often, not one by one.
    static let lazyStepMicroseconds: Int64 = 250_000
    /// How many ids are reserved at a time; as many may be skipped after a crash.
    static let idsReservedAhead: JobID = 1_024
    /// The pause after a commit that failed.
    static let retryMicroseconds: Int64 = 50_000

    /// When the oldest lazy change is to be written.
    var lazyDue: StoreInstant {
        guard lazyGone < lazy.count else { return .never }
        let due = lazy[lazyGone].since.microseconds + Self.lazyMicroseconds
        return StoreInstant(microseconds: (due / Self.lazyStepMicroseconds + 1) * Self.lazyStepMicroseconds)
    }

    /// The oldest lazy change.
    var oldestLazy: (job: Listed, since: StoreInstant)? { lazyGone < lazy.count ? lazy[lazyGone] : nil }

    mutating func appendLazy(_ job: Listed, now: StoreInstant) {
        lazy.append((job, now))
    }

    /// Takes the oldest lazy change if it is old enough.
    mutating func popLazy(dueAt now: StoreInstant) -> Listed? {
        guard let first = oldestLazy, first.since.advanced(byMicroseconds: Self.lazyMicroseconds) <= now else {
            return nil
        }
        let job = first.job
        lazyGone += 1
        if lazyGone == lazy.count {
            lazy.removeAll(keepingCapacity: lazy.capacity <= 65_536)
            lazyGone = 0
        } else if lazyGone > 65_536, lazyGone * 2 > lazy.count {
            lazy.removeFirst(lazyGone)
            lazyGone = 0
        }
        return job
    }
}
