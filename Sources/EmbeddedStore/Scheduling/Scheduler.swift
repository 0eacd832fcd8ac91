import BeanspikeCore

/// The whole queue as a value: commands and the time go in, replies and changes to be written come out.
///
/// No I/O, no clock, no locks. ``EmbeddedStore`` brings it together with threads, the clock and the journal. Each
/// part has its file: commands, reservations and waiting, time, what the journal gets, sessions, statistics.
struct Scheduler: ~Copyable {
    /// Whether changes are to be written, so that replies wait for commits.
    let isDurable: Bool
    /// Bodies above this many bytes in all stay on disk once they are there.
    let bodyMemoryBytesMax: Int

    var slab = JobSlab()
    var index = JobIndex()
    var tubes = TubeTable()
    var sessions = SessionTable()
    var outboxes: [Outbox] = []
    var log = ChangeLog()
    var attributes: [JobHandle: JobAttributes] = [:]

    /// Reserved jobs by deadline.
    var reservations = JobHeap()
    /// For each tube: when its next delayed job is due, or its pause ends.
    var tubeTimers = TimerHeap()
    /// For each waiting session: when its wait ends.
    var sessionTimers = TimerHeap()
    /// Sessions whose wait is over and that asked for more behind it.
    var resumable: [SessionID] = []
    /// Closed sessions whose last replies are not out yet.
    var closing: [SessionID] = []

    var nextID: JobID = 1
    var nextBurialSequence: UInt64 = 1
    var nextTicket: UInt64 = 1
    var counts = JobCounts()
    var timeouts: UInt64 = 0
    var sessionsWaiting = 0
    /// What the journal last said of itself.
    var journalStatistics = JournalStatistics()
    /// Bytes of bodies in memory.
    var bodyMemoryBytes = 0
    let defaultTube: TubeIndex

    init(isDurable: Bool, bodyMemoryBytesMax: Int) {
        self.isDurable = isDurable
        self.bodyMemoryBytesMax = bodyMemoryBytesMax
        defaultTube = tubes.findOrMake(.default)
    }

    /// Adds a place for a port's replies and returns its number.
    mutating func addOutbox() -> Int {
        outboxes.append(Outbox())
        return outboxes.count - 1
    }

    // MARK: - Replies

    /// The commit that the job's present state will be durable with; 0 when it is.
    @inline(__always)
    func gate(_ slot: UnsafeMutablePointer<JobSlot>) -> CommitNumber {
        switch slot.pointee.durability {
        case .durable: 0
        case .withCommitUnderWay: log.underWay?.number ?? 0
        case .withNextCommit: log.nextCommit
        }
    }

    /// The commit that a change made now will be durable with.
    @inline(__always)
    var changeGate: CommitNumber { isDurable ? log.nextCommit : 0 }

    /// Replies once commit `gate` is done and all earlier replies of the session are out.
    @inline(__always)
    mutating func send(_ reply: Reply, to id: SessionID, gate: CommitNumber = 0) {
        let session = sessions[id]
        let outbox = session.pointee.outbox
        if gate == 0, session.pointee.lastGate <= log.lastDone {
            outboxes[outbox].ready.append(reply, session: id)
            outboxes[outbox].needsWake = true
        } else {
            let at = gatedBatch(session, gate)
            outboxes[outbox].gated[at].batch.append(reply, session: id)
        }
    }

    /// Replies with a job; its body is copied now, or read from disk with the next commit.
    @inline(__always)
    mutating func send(job handle: JobHandle, reserved: Bool, to id: SessionID) {
        let slot = slab[handle]
        let session = sessions[id]
        let outbox = session.pointee.outbox
        var view = JobView(
            id: slot.pointee.id,
            body: .empty,
            priority: slot.pointee.lifecycle.priority,
            ttrSeconds: slot.pointee.lifecycle.ttrSeconds,
            reserves: slot.pointee.lifecycle.reserves,
            attributes: slot.pointee.flags.contains(.hasAttributes) ? attributes[handle] : nil
        )
        let isSpilled = slot.pointee.flags.contains(.spilled)
        let gate = isSpilled ? log.nextCommit : gate(slot)
        if gate == 0, session.pointee.lastGate <= log.lastDone {
            view.body = outboxes[outbox].ready.append(body: slot.pointee.bodyBytes)
            outboxes[outbox].ready.append(reserved ? .reserved(view) : .found(view), session: id)
            outboxes[outbox].needsWake = true
            return
        }
        let at = gatedBatch(session, gate)
        if isSpilled {
            log.loads.append(view.id)
            log.isCommitWanted = true
            let entry = outboxes[outbox].gated[at].batch.entries.count
            outboxes[outbox].gated[at].loads.append((entry, view.id))
        } else {
            view.body = outboxes[outbox].gated[at].batch.append(body: slot.pointee.bodyBytes)
        }
        outboxes[outbox].gated[at].batch.append(reserved ? .reserved(view) : .found(view), session: id)
    }

    /// Where a reply that waits for commit `gate` goes, and the note that the session waits for it.
    private mutating func gatedBatch(
        _ session: UnsafeMutablePointer<Session>,
        _ gate: CommitNumber
    ) -> Int {
        let outbox = session.pointee.outbox
        var gate = max(gate, session.pointee.lastGate)
        // Batches leave in order, so a reply never goes before one that waits for a later commit.
        if let last = outboxes[outbox].gated.last { gate = max(gate, last.commit) }
        session.pointee.lastGate = gate
        if outboxes[outbox].gated.last?.commit != gate { outboxes[outbox].gated.append(Outbox.Gated(commit: gate)) }
        return outboxes[outbox].gated.count - 1
    }

    // MARK: - States

    /// Counts a job in or out of its present state.
    @inline(__always)
    mutating func count(_ slot: UnsafeMutablePointer<JobSlot>, _ delta: Int64) {
        let tube = tubes[slot.pointee.tube]
        counts.add(slot.pointee.lifecycle, delta)
        tube.pointee.counts.add(slot.pointee.lifecycle, delta)
    }

    /// Takes the job out of whatever its state keeps it in.
    @inline(__always)
    mutating func leaveState(_ handle: JobHandle) {
        let slot = slab[handle]
        let tube = tubes[slot.pointee.tube]
        count(slot, -1)
        switch slot.pointee.lifecycle.state {
        case .ready:
            tube.pointee.ready.remove(handle, in: slab)
        case .reserved:
            sessions[slot.pointee.holder].pointee.reserved.remove(handle, in: slab)
            if slot.pointee.heapPosition != .none { reservations.remove(handle, in: slab) }
            slot.pointee.holder = .none
        case .delayed:
            tube.pointee.delayed.remove(handle, in: slab)
            setTubeTimer(slot.pointee.tube)
        case .buried:
            tube.pointee.buried.remove(handle, in: slab)
            slot.pointee.heapPosition = .none
            slot.pointee.holder = .none
        }
    }

    /// Puts the job where its new state keeps it; a ready job goes straight to who waits for it.
    @inline(__always)
    mutating func enterState(_ handle: JobHandle, now: StoreInstant) {
        let slot = slab[handle]
        let tube = tubes[slot.pointee.tube]
        switch slot.pointee.lifecycle.state {
        case .ready:
            if tube.pointee.sessionsWaiting > 0, !tube.pointee.isPaused,
                let session = nextWaiter(slot.pointee.tube)
            {
                give(handle, to: session, now: now)
                return
            }
            tube.pointee.ready.insert(handle, in: slab)
        case .delayed:
            tube.pointee.delayed.insert(handle, key: slot.pointee.lifecycle.deadline.microseconds, in: slab)
            setTubeTimer(slot.pointee.tube)
        case .buried:
            tube.pointee.buried.append(handle, in: slab)
            slot.pointee.burialSequence = nextBurialSequence
            nextBurialSequence += 1
        case .reserved:
            sessions[slot.pointee.holder].pointee.reserved.append(handle, in: slab)
            if slot.pointee.lifecycle.deadline != .never {
                reservations.insert(handle, key: slot.pointee.lifecycle.deadline.microseconds, in: slab)
            }
        }
        count(slot, 1)
    }

    /// Adds a job that is new to memory; its state is entered by the caller.
    mutating func add(_ slot: JobSlot, attributes extra: JobAttributes?) -> JobHandle {
        let handle = slab.allocate(slot)
        index.insert(slot.id, handle, in: slab)
        if let extra {
            attributes[handle] = extra
            slab[handle].pointee.flags.insert(.hasAttributes)
        }
        if slot.body != nil { bodyMemoryBytes += Int(slot.bodyCount) }
        countBytes(handle, 1)
        return handle
    }

    /// Forgets a job that has left its state, and its tube when nothing needs that.
    mutating func forget(_ handle: JobHandle) {
        let slot = slab[handle]
        let tube = slot.pointee.tube
        countBytes(handle, -1)
        if slot.pointee.body != nil { bodyMemoryBytes -= Int(slot.pointee.bodyCount) }
        if slot.pointee.flags.contains(.hasAttributes) { attributes[handle] = nil }
        if !log.replacedBodies.isEmpty { forgetReplaced(handle) }
        index.remove(slot.pointee.id, in: slab)
        slab.release(handle)
        removeTubeIfUnneeded(tube)
    }

    mutating func countBytes(_ handle: JobHandle, _ sign: Int64) {
        let slot = slab[handle]
        let extra = slot.pointee.flags.contains(.hasAttributes) ? attributes[handle] : nil
        let used = sign * Int64(slot.pointee.bodyCount)
        let original = extra?.isCompressed == true ? sign * Int64(extra?.originalBodyBytes ?? 0) : used
        let skipped = extra?.isCompressionSkipped == true ? used : 0
        counts.addBytes(used: used, original: original, skipped: skipped)
        tubes[slot.pointee.tube].pointee.counts.addBytes(used: used, original: original, skipped: skipped)
    }

    mutating func removeTubeIfUnneeded(_ tube: TubeIndex) {
        guard tube != defaultTube, !tubes[tube].pointee.isNeeded else { return }
        tubeTimers.set(tube, at: .never)
        tubes.remove(tube)
    }
}

extension JobCounts {
    @inline(__always)
    mutating func add(_ job: JobLifecycle, _ delta: Int64) {
        let change = UInt64(bitPattern: delta)
        switch job.state {
        case .ready:
            ready &+= change
            if job.priority < Limits.urgentPriorityBelow { urgent &+= change }
        case .reserved: reserved &+= change
        case .delayed: delayed &+= change
        case .buried: buried &+= change
        }
    }

    @inline(__always)
    mutating func addBytes(used: Int64, original: Int64, skipped: Int64) {
        usedBytes &+= UInt64(bitPattern: used)
        bodyBytes &+= UInt64(bitPattern: original)
        skippedBytes &+= UInt64(bitPattern: skipped)
    }
}
