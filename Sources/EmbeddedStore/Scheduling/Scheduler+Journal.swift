import BeanspikeCore

// What the journal gets to write, and what becomes of it. A commit takes everything that changed since the last one
// began; while it is under way, further changes gather for the next.
extension Scheduler {
    /// Notes that the job is new or changed in something a client is promised.
    @inline(__always)
    mutating func markChanged(_ handle: JobHandle) {
        guard isDurable else { return }
        let slot = slab[handle]
        slot.pointee.durability = .withNextCommit
        log.isCommitWanted = true
        guard !slot.pointee.flags.contains(.listed) else { return }
        slot.pointee.flags.insert(.listed)
        log.changed.append(ChangeLog.Listed(handle: handle, id: slot.pointee.id))
    }

    /// Notes that the job changed in what nobody is promised; it is written within about a second.
    @inline(__always)
    mutating func markChangedLazily(_ handle: JobHandle, now: StoreInstant) {
        guard isDurable else { return }
        let slot = slab[handle]
        guard slot.pointee.flags.isDisjoint(with: [.listed, .listedLazily]) else { return }
        slot.pointee.flags.insert(.listedLazily)
        log.appendLazy(ChangeLog.Listed(handle: handle, id: slot.pointee.id), now: now)
    }

    /// Forgets lazy changes of jobs that are gone, or written since: most, where jobs are quickly done.
    mutating func dropLazyOfGoneJobs(now: StoreInstant) {
        while let oldest = log.oldestLazy, !isListedLazily(oldest.job), log.popLazy(dueAt: now) != nil {}
    }

    private func isListedLazily(_ job: ChangeLog.Listed) -> Bool {
        slab.holds(job.id, at: job.handle) && slab[job.handle].pointee.flags.contains(.listedLazily)
    }

    /// Notes that the job is about to be forgotten.
    @inline(__always)
    mutating func markDeleted(_ handle: JobHandle) {
        guard isDurable else { return }
        let slot = slab[handle]
        log.isCommitWanted = true
        guard slot.pointee.flags.contains(.journaled) else { return }
        log.deletes.append(
            JournalBatch.Delete(id: slot.pointee.id, wasUpdated: slot.pointee.flags.contains(.updated))
        )
    }

    /// When the next commit should begin; `never` while one is under way or nobody wants one.
    var commitDue: StoreInstant { log.underWay == nil && log.isCommitWanted ? log.notBefore : .never }

    /// Begins a commit of all that changed.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - wallMilliseconds: The wall clock at `now`, for times that are kept.
    ///   - everything: Whether lazy changes are written that are not due yet, because the store ends.
    /// - Returns: What to write.
    mutating func beginCommit(now: StoreInstant, wallMilliseconds: Int64, everything: Bool = false) -> JournalBatch {
        var batch = JournalBatch()
        var underWay = ChangeLog.UnderWay(number: log.nextCommit, idsReservedBefore: log.idsReservedBelow)
        batch.bytes.reserveCapacity(log.changed.count * 192)
        for job in log.changed where slab.holds(job.id, at: job.handle) {
            let flags = slab[job.handle].pointee.flags
            let record = encode(job.handle, now, wallMilliseconds, into: &batch)
            if flags.contains(.journaled) {
                var update = JournalBatch.Update(id: job.id, record: record)
                if !log.replacedBodies.isEmpty, log.replacedBodies[job.handle] != nil {
                    update.body = batch.append(body: slab[job.handle].pointee.bodyBytes)
                }
                batch.updates.append(update)
                underWay.updates.append(job)
                slab[job.handle].pointee.flags.insert(.updated)
            } else {
                let body = batch.append(body: slab[job.handle].pointee.bodyBytes)
                batch.puts.append(JournalBatch.Put(id: job.id, record: record, body: body))
                underWay.puts.append(job)
                slab[job.handle].pointee.flags.insert(.journaled)
            }
        }
        log.changed.removeAll(keepingCapacity: log.changed.capacity <= 65_536)
        while let job = log.popLazy(dueAt: everything ? StoreInstant.never.advanced(byMicroseconds: -1) : now) {
            guard isListedLazily(job) else { continue }
            let record = encode(job.handle, now, wallMilliseconds, into: &batch)
            batch.updates.append(JournalBatch.Update(id: job.id, record: record))
            underWay.updates.append(job)
            slab[job.handle].pointee.flags.insert(.updated)
        }
        swap(&batch.deletes, &log.deletes)
        underWay.deletes = batch.deletes
        swap(&batch.loads, &log.loads)
        swap(&underWay.replacedBodies, &log.replacedBodies)
        if nextID > log.idsReservedBelow {
            log.idsReservedBelow = nextID + ChangeLog.idsReservedAhead
            batch.idsReservedBelow = log.idsReservedBelow
        }
        log.isCommitWanted = false
        log.newBodyBytes = 0
        log.nextCommit += 1
        log.underWay = underWay
        return batch
    }

    /// Writes the job's record into the batch; from now on it is part of the commit under way.
    private mutating func encode(
        _ handle: JobHandle,
        _ now: StoreInstant,
        _ wallMilliseconds: Int64,
        into batch: inout JournalBatch
    ) -> ByteRange {
        let slot = slab[handle]
        slot.pointee.flags.subtract([.listed, .listedLazily])
        if slot.pointee.durability == .withNextCommit { slot.pointee.durability = .withCommitUnderWay }
        var lifecycle = slot.pointee.lifecycle
        var due: Int64 = 0
        switch lifecycle.state {
        case .delayed:
            due = wallMilliseconds + (lifecycle.deadline.microseconds - now.microseconds + 999) / 1_000
        case .reserved:
            // Nobody holds anything after a restart.
            lifecycle.state = .ready
        case .ready, .buried: break
        }
        let record = JournalRecord(
            lifecycle: lifecycle,
            tube: tubes[slot.pointee.tube].pointee.name,
            createdWallMilliseconds: wallMilliseconds - (now.microseconds - slot.pointee.created.microseconds) / 1_000,
            dueWallMilliseconds: due,
            burialSequence: lifecycle.state == .buried ? slot.pointee.burialSequence : 0,
            attributes: slot.pointee.flags.contains(.hasAttributes) ? attributes[handle] : nil
        )
        return record.encode(into: &batch.bytes)
    }

    // MARK: - What became of it

    /// What a commit did.
    struct CommitOutcome {
        /// Why the new jobs could not be kept; nil when they were.
        var putsError: JobStoreError?
        /// Why the other changes could not be kept; nil when they were.
        var changesError: JobStoreError?
        /// Why the new bodies of jobs that were there could not be kept; nil when they were.
        var bodiesError: JobStoreError?
        /// Bodies read.
        var bodies: [JobID: [UInt8]] = [:]
        /// Why bodies could not be read.
        var loadError: JobStoreError?
    }

    /// Ends the commit under way: replies that waited for it may go out, as they were or as errors.
    mutating func endCommit(_ outcome: CommitOutcome, now: StoreInstant) {
        guard let underWay = log.underWay else { return }
        log.underWay = nil
        log.lastDone = underWay.number
        for job in underWay.updates where slab.holds(job.id, at: job.handle) { settle(job.handle) }
        if outcome.putsError == nil {
            for job in underWay.puts where slab.holds(job.id, at: job.handle) {
                settle(job.handle)
                spill(job.handle)
            }
        }
        if outcome.bodiesError == nil {
            dropReplaced(underWay.replacedBodies)
        } else {
            restoreReplaced(underWay.replacedBodies)
        }
        if outcome.putsError != nil || outcome.changesError != nil || outcome.bodiesError != nil {
            undo(underWay, outcome, now)
        }
        for at in outboxes.indices {
            fillBodies(at, upTo: underWay.number, outcome)
            outboxes[at].open(upTo: underWay.number) { id in sessions[id].pointee.isOpen }
        }
        releaseClosed()
    }

    private func settle(_ handle: JobHandle) {
        let slot = slab[handle]
        if slot.pointee.durability == .withCommitUnderWay { slot.pointee.durability = .durable }
    }

    /// Leaves a body to the disk when memory for bodies is used up.
    private mutating func spill(_ handle: JobHandle) {
        let slot = slab[handle]
        guard bodyMemoryBytes > bodyMemoryBytesMax, slot.pointee.body != nil else { return }
        bodyMemoryBytes -= Int(slot.pointee.bodyCount)
        slab.dropBody(handle)
        slot.pointee.flags.insert(.spilled)
    }

    /// Puts memory right after a commit that failed.
    ///
    /// New jobs that could not be kept are gone, since their producers are told so. Other changes stand and are
    /// written with a later commit: whoever asked for them is told that the outcome is in doubt.
    private mutating func undo(_ underWay: ChangeLog.UnderWay, _ outcome: CommitOutcome, _ now: StoreInstant) {
        var failedPuts: [JobID: Void] = [:]
        if outcome.putsError != nil {
            for job in underWay.puts {
                failedPuts[job.id] = ()
                guard slab.holds(job.id, at: job.handle) else { continue }
                leaveState(job.handle)
                counts.total -= 1
                tubes[slab[job.handle].pointee.tube].pointee.counts.total -= 1
                forget(job.handle)
            }
        }
        for job in underWay.updates where slab.holds(job.id, at: job.handle) {
            // With its body the rest of such a job's change was left out.
            if outcome.changesError != nil || underWay.replacedBodies[job.handle] != nil { markChanged(job.handle) }
        }
        if outcome.changesError != nil {
            log.deletes += underWay.deletes
            log.idsReservedBelow = underWay.idsReservedBefore
            log.isCommitWanted = true
            log.notBefore = now.advanced(byMicroseconds: ChangeLog.retryMicroseconds)
        }
        for outbox in outboxes.indices {
            for gated in outboxes[outbox].gated.indices {
                let isThisCommit = outboxes[outbox].gated[gated].commit <= underWay.number
                // Who gave a job another body, and then, say, released it: neither is on disk.
                var failedUpdaters: Set<SessionID> = []
                for entry in outboxes[outbox].gated[gated].batch.entries.indices {
                    let reply = outboxes[outbox].gated[gated].batch.entries[entry].reply
                    let session = outboxes[outbox].gated[gated].batch.entries[entry].session
                    if isThisCommit, let error = outcome.bodiesError, case .updated = reply {
                        failedUpdaters.insert(session)
                        outboxes[outbox].gated[gated].batch.entries[entry].reply = .failed(error)
                        continue
                    }
                    var outcome = outcome
                    if failedUpdaters.contains(session) {
                        outcome.changesError = outcome.changesError ?? outcome.bodiesError?.inDoubtToo
                    }
                    if let other = replacement(of: reply, isThisCommit, failedPuts, outcome) {
                        outboxes[outbox].gated[gated].batch.entries[entry].reply = other
                    }
                }
            }
        }
    }

    /// What takes the reply's place, or nil when the reply is still true.
    private func replacement(
        of reply: Reply,
        _ isThisCommit: Bool,
        _ failedPuts: [JobID: Void],
        _ outcome: CommitOutcome
    ) -> Reply? {
        switch reply {
        case .inserted(let id):
            return failedPuts[id] == nil ? nil : outcome.putsError.map { .failed($0) }
        case .reserved(let view):
            // There never was a job: its would-be holder did nothing wrong.
            return failedPuts[view.id] == nil ? nil : .timedOut
        case .found(let view):
            return failedPuts[view.id] == nil ? nil : .notFound
        case .deleted, .released, .buried, .updated, .kicked, .kickedJob, .truncated:
            return isThisCommit ? outcome.changesError.map { .failed($0) } : nil
        default:
            return nil
        }
    }

    /// Puts bodies that were read where their replies point.
    private mutating func fillBodies(_ outbox: Int, upTo commit: CommitNumber, _ outcome: CommitOutcome) {
        for at in outboxes[outbox].gated.indices where outboxes[outbox].gated[at].commit <= commit {
            for load in outboxes[outbox].gated[at].loads {
                guard let body = outcome.bodies[load.id] else {
                    let error = outcome.loadError ?? JobStoreError(.readFailed, "job \(load.id) has no body on disk")
                    outboxes[outbox].gated[at].batch.entries[load.entry].reply = .failed(error)
                    continue
                }
                let range = body.withUnsafeBytes { outboxes[outbox].gated[at].batch.append(body: $0) }
                outboxes[outbox].gated[at].batch.entries[load.entry].reply.body = range
            }
        }
    }

    // MARK: - Start

    /// Takes a job back from the journal.
    ///
    /// Buried jobs get their places by ``bury(replayed:now:)`` when all are there.
    ///
    /// - Returns: The job's handle when it is buried and waits for that.
    mutating func replay(
        _ id: JobID,
        wasUpdated: Bool,
        _ record: JournalRecord,
        body: UnsafeRawBufferPointer,
        now: StoreInstant,
        wallMilliseconds: Int64
    ) -> JobHandle? {
        let keepsBody = bodyMemoryBytes + body.count <= bodyMemoryBytesMax
        var slot = JobSlot(
            id: id,
            lifecycle: record.lifecycle,
            tube: tubes.findOrMake(record.tube),
            bodyCount: UInt32(truncatingIfNeeded: body.count),
            body: keepsBody ? JobSlab.makeBody(body) : nil,
            created: now.advanced(byMicroseconds: min(0, record.createdWallMilliseconds - wallMilliseconds) * 1_000)
        )
        slot.flags = wasUpdated ? [.live, .journaled, .updated] : [.live, .journaled]
        if slot.body == nil, !body.isEmpty { slot.flags.insert(.spilled) }
        var isCut = false
        switch record.lifecycle.state {
        case .delayed:
            // A wall clock that stepped must not hold a job longer than it was to be delayed.
            let whole = Int64(record.lifecycle.delaySeconds) * 1_000
            let recorded = record.dueWallMilliseconds - wallMilliseconds
            let left = min(max(0, recorded), whole)
            isCut = recorded > whole
            slot.lifecycle.deadline = now.advanced(byMicroseconds: left * 1_000)
        case .reserved:
            slot.lifecycle.state = .ready
            slot.lifecycle.deadline = .never
        case .ready, .buried:
            slot.lifecycle.deadline = .never
        }
        let handle = add(slot, attributes: record.attributes)
        nextID = max(nextID, id + 1)
        if record.lifecycle.state == .buried {
            // Known to its list only once all are sorted; its order must not be taken for a place in a heap.
            nextBurialSequence = max(nextBurialSequence, record.burialSequence + 1)
            return handle
        }
        enterState(handle, now: now)
        // Otherwise every start would delay it anew, for as long as the wall clock is behind what the record says.
        if isCut { markChangedLazily(handle, now: now) }
        return nil
    }

    /// Puts replayed buried jobs in their order.
    mutating func bury(replayed jobs: [(sequence: UInt64, handle: JobHandle)], now: StoreInstant) {
        for job in jobs.sorted(by: { $0.sequence < $1.sequence }) {
            enterState(job.handle, now: now)
            slab[job.handle].pointee.burialSequence = job.sequence
        }
    }
}

extension JobStoreError {
    /// The same of a change that may be kept later.
    fileprivate var inDoubtToo: JobStoreError { JobStoreError(code, message, inDoubt: true) }
}
