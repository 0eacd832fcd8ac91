import Aerospike
import BeanspikeCore
import NIOCore

/// What is to be answered when a change of a job is done.
enum Completion: Sendable {
    /// Nobody waits for it.
    case nothing
    /// This reply if the job was still there, otherwise NOT_FOUND.
    case reply(Session, Ticket, Reply)
}

/// Changes of jobs that this process does not hold: all of them, if all are as they were seen, or none.
struct GuardedChange: Sendable {
    var updates: SlotTable<PendingUpdate>
    /// Is told whether they were; nil where the change could not be made.
    var continuation: CheckedContinuation<Bool?, Never>
}

/// A put that waits for its place.
struct PendingAppend: Sendable {
    var entry: JobEntry
    var putter: Putter
}

/// Who waits for a put's answer.
struct Putter: Sendable {
    var session: Session
    var ticket: Ticket
}

/// A change of a job.
struct PendingUpdate: Sendable {
    /// As the job is to be; nil to delete it.
    var entry: JobEntry?
    /// As it was: its body is counted out when it is deleted.
    var before: JobDetails
    /// As it was seen, where this process does not hold it.
    var expected: JobEntry?
    var isTimeout = false
    /// Whether the job gets another body.
    var replacesBody = false
    /// Who holds the job from now on, where the change reserves it.
    var holder: Session?
    var completion: Completion
}

/// What this process knows of one segment, and what it is to do there.
///
/// Confined to the engine.
///
/// `@unchecked Sendable`: the engine alone uses it, on its event loop.
final class Segment: @unchecked Sendable {
    let number: SegmentNumber
    /// Its record.
    let key: Key
    private(set) var tube: Tube
    /// Where its tube's directory has it.
    private(set) var position: Int

    // MARK: What is known of it

    /// Its best ready job has this key or a greater one; nil where it has none, as far as is known.
    ///
    /// It is set by ``Tube/setBest(_:of:)``.
    var best: ReadyKey?
    /// How many ready jobs it has; nil where that is not known.
    var readyCount: Int?
    /// When ``best`` was last learned from the record itself.
    var knownSince = NIODeadline.uptimeNanoseconds(0)
    /// What its directory lists it under, as was last seen.
    var listed: DirectoryEntry?
    /// What the record says that it is listed under; a bound that may have been raised since.
    var marks = SegmentMarks()
    /// Jobs that this process holds here.
    var held = SlotSet()

    /// Among them, those that go back unused: nobody gets a worse job before they are ready again.
    var returning = SlotSet()

    // MARK: The tail's

    /// The next slot; known where this process put here last.
    var nextSlot: Int?
    var bytes = 0

    // MARK: What is under way

    /// Works that were sent, the first of them first: each is refused unless the one before it was done.
    var flights = CircularBuffer<Flight>()
    /// A work that cannot be sent as it is, and waits for those that were.
    var unprepared: WorkInHand?
    /// Whether a task has to do with it: nothing is sent meanwhile.
    var isCarried = false
    /// Whether that task has jobs to put.
    var carriesPuts = false
    /// Whether works that it carries out later ask for jobs.
    var carriesPops = false
    /// Requests that a work had no job for, while works behind it ask too: they come first there.
    var leftOver: [ReserveRequest] = []
    /// How many of its ready jobs are asked for in works under way.
    var popsUnderWay = 0
    /// Where its record is as this process left it: nobody else wrote there since.
    var record = RecordKnowledge()
    /// Whether its ready jobs were read before many of them were reserved.
    var isLearned = false

    // MARK: What is to be done

    var updates = SlotTable<PendingUpdate>()
    /// Changes that are refused unless the jobs are as they were seen; each goes by itself.
    var guarded: [GuardedChange] = []
    /// Until when works wait, because one failed or the process is in doubt.
    var restsUntil = NIODeadline.uptimeNanoseconds(0)
    /// Whether it is on the list of those that have something to do.
    var isDirty = false
    var pops = CircularBuffer<ReserveRequest>()
    /// Whether no job is left in it, as was last learned; whoever acts on it looks first.
    var isEmptied = false
    /// Whether it is to take no more jobs: this process has left it behind.
    var isToClose = false
    /// Whether its directory is being told something about it.
    var isRaising = false

    init(_ number: SegmentNumber, at key: Key, tube: Tube, position: Int) {
        self.number = number
        self.key = key
        self.tube = tube
        self.position = position
    }

    var isTail: Bool { tube.tail === self }

    /// Is another value's of the same tube from now on.
    func move(to other: Tube, position: Int) {
        let key = best
        tube.setBest(nil, of: self)
        tube = other
        self.position = position
        tube.setBest(key, of: self)
    }

    /// So many works are under way at once: while the server does one, the next is on its way, and the answers of the one
    /// before are dealt with.
    static let flightsMax = 2

    /// Whether jobs are being put here: those that go to the next tail come behind them.
    var hasPutsUnderWay: Bool {
        carriesPuts || unprepared.map { !$0.putters.isEmpty } ?? false
            || flights.contains { !$0.hand.putters.isEmpty }
    }

    /// Whether works under way, or to come, ask for jobs.
    var asksForJobs: Bool {
        carriesPops || !pops.isEmpty || unprepared.map { !$0.pops.isEmpty } ?? false
            || flights.contains { !$0.hand.pops.isEmpty }
    }

    var isBusy: Bool { isCarried || !flights.isEmpty || unprepared != nil }

    /// Whether a work may be sent behind those under way.
    var takesWork: Bool {
        guard !isCarried, flights.count < Self.flightsMax else { return false }
        return flights.isEmpty
            || unprepared == nil && guarded.isEmpty && flights.allSatisfy { $0.hand.guarded == nil && !$0.hasFailed }
    }

    /// So many of the jobs that were asked for are no more.
    func noteSettled(_ pops: Int) { popsUnderWay = max(0, popsUnderWay - pops) }

    /// Whether it may have ready jobs that nobody was sent to yet.
    var hasUnclaimed: Bool { readyCount.map { $0 > pops.count + popsUnderWay } ?? true }

    /// Has no ready job, as far as is known.
    func noteEmpty() {
        tube.setBest(nil, of: self)
        readyCount = 0
        knownSince = .now()
    }

    /// Whether something is to be done here.
    var isInUse: Bool { isBusy || isRaising || isToClose || !updates.isEmpty || !guarded.isEmpty || !pops.isEmpty }

    /// Whether nothing is to be done or known here that would be lost with this value.
    var isIdle: Bool {
        !isInUse && held.isEmpty && best == nil && !isTail
    }
}
