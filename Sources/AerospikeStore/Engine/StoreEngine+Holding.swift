import BeanspikeCore
import NIOCore

// A job that this process holds is nobody else's business: nobody changes it, as long as this process lives. So its time to
// run is kept here, and its changes need no guard but that of the process itself.
extension StoreEngine {
    /// Changes, or (with nil) deletes, a job that the session holds.
    func settle(_ job: JobID, to entry: JobEntry?, _ session: Session, _ ticket: Ticket, _ reply: Reply) {
        guard let held = held[job] else { return finish(session, ticket, .notFound) }
        held.isSettling = true
        held.segment.updates[held.place.slot] = PendingUpdate(
            entry: entry,
            before: held.entry.details,
            completion: .reply(session, ticket, reply)
        )
        touch(held.segment)
    }

    /// Starts a job's time to run anew.
    ///
    /// Only this process has to know.
    func touch(_ job: JobID) -> Reply {
        guard let held = held[job], !held.isSettling else { return .notFound }
        let ttr = held.entry.details.ttrSeconds
        if ttr > 0 { held.deadline = .now() + .seconds(Int64(ttr)) }
        return .touched
    }

    /// Starts a job's time anew as soon as it is known that nobody took this process for dead.
    func touchWhenSure(_ job: JobID, _ session: Session, _ ticket: Ticket) async {
        if let held = held[job] { await untilSure(of: held) }
        finish(session, ticket, touch(job))
    }

    /// Waits until it is known that nobody took this process for dead; or the job is not held any more.
    func untilSure(of job: HeldJob) async {
        while registry.isDoubtful(), isHeld(job), !isClosing, !isAbandoned {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Whether a session still holds a job, and it is the same reservation.
    func isHeld(_ job: HeldJob) -> Bool { held[job.place.id] === job }

    /// The session has the job: its time to run begins.
    func handedOut(_ job: HeldJob) {
        job.isHandedOut = true
        let ttr = job.entry.details.ttrSeconds
        guard ttr > 0 else { return }
        let deadline = NIODeadline.now() + .seconds(Int64(ttr))
        job.deadline = deadline
        timers.insert(.reservation(job), at: deadline)
    }

    /// Gives a job up, because its session is gone.
    func abandon(_ job: JobID) {
        guard let held = held[job], !held.isSettling else { return }
        giveUp(held, as: held.entry.abandoned())
    }

    /// Gives a job up whose body could not be read.
    ///
    /// Where it is lost the job is buried with the reason: handed out again and again, it would be in the way of the others.
    func giveUpUnread(_ job: HeldJob, _ error: any Error) {
        guard let lost = error as? JobStoreError, lost.code == .readFailed else { return abandon(job.place.id) }
        let entry = job.entry
        let buried = entry.buried(
            priority: entry.details.priority,
            reason: lost.message,
            nowMicroseconds: nextBurial()
        )
        giveUp(job, as: buried)
    }

    func expireReservation(_ held: HeldJob, _ now: NIODeadline) {
        guard isHeld(held), let deadline = held.deadline else { return }
        guard deadline <= now, !held.isSettling else {
            // Touched meanwhile; or its change is under way, and may fail.
            timers.insert(.reservation(held), at: max(deadline, now + .milliseconds(50)))
            return
        }
        giveUp(held, as: held.entry.timedOut(), isTimeout: true)
    }

    private func giveUp(_ held: HeldJob, as entry: JobEntry, isTimeout: Bool = false) {
        // The session does not hold it from now on, however long the change takes.
        letGo(held)
        held.segment.updates[held.place.slot] = PendingUpdate(
            entry: entry,
            before: held.entry.details,
            isTimeout: isTimeout,
            completion: .nothing
        )
        touch(held.segment)
    }

    /// The session holds the job no more.
    func letGo(_ held: HeldJob) {
        held.session.held.remove(held.place.id)
        self.held[held.place.id] = nil
    }

    /// Drops everything that this process held: the others took it for dead, and give its jobs out.
    func died() {
        for job in held.values {
            job.session.held.remove(job.place.id)
            job.segment.held.remove(job.place.slot)
        }
        life += 1
        held = [:]
        for segment in segments.values {
            segment.held = []
            segment.returning = []
            segment.record.forget()
            for (_, update) in segment.updates { complete(update, isPresent: false) }
            segment.updates = SlotTable()
            // Who reserves by an id wrote the old number into it.
            for change in segment.guarded { change.continuation.resume(returning: nil) }
            segment.guarded = []
            segment.marks = SegmentMarks()
        }
        for tube in tubes.values { tube.ahead = [] }
        claimedAhead = []
        endTurn()
    }

    /// Answers whoever asked for a change that is done, or cannot be.
    func complete(_ update: PendingUpdate, isPresent: Bool) {
        switch update.completion {
        case .nothing: break
        case .reply(let session, let ticket, let reply):
            finish(session, ticket, isPresent ? reply : .notFound)
            if session.queue.isEmpty, update.holder == nil { session.settledAt = .now() }
        }
    }

    func fail(_ update: PendingUpdate, _ error: JobStoreError) {
        switch update.completion {
        case .nothing: break
        case .reply(let session, let ticket, _): finish(session, ticket, .failed(error))
        }
    }
}
