import BeanspikeCore

// Reserving, and waiting for something to reserve. Between two commands this holds: an unpaused tube that somebody
// waits for has no ready jobs. So a job that becomes ready goes to the longest waiting session of its tube at once,
// and a session waits only after it has looked at all its tubes.
extension Scheduler {
    mutating func reserve(_ wait: ReserveWait, _ id: SessionID, _ now: StoreInstant) {
        if let handle = bestReady(for: id) {
            give(handle, leaving: true, to: id, now: now)
            return
        }
        if deadlineSoon(id, now) <= now { return send(.deadlineSoon, to: id) }
        switch wait {
        case .none: send(.timedOut, to: id)
        case .forever: startWaiting(id, until: .never, now)
        case .microseconds(let limit):
            if limit <= 0 {
                send(.timedOut, to: id)
            } else {
                startWaiting(id, until: now.advanced(byMicroseconds: limit), now)
            }
        }
    }

    mutating func reserveJob(_ job: JobID, _ id: SessionID, _ now: StoreInstant) {
        guard let handle = find(job), slab[handle].pointee.lifecycle.state != .reserved else {
            return send(.notFound, to: id)
        }
        give(handle, leaving: true, to: id, now: now)
    }

    /// The best ready job of the session's watched tubes that are not paused.
    @inline(__always)
    private func bestReady(for id: SessionID) -> JobHandle? {
        let session = sessions[id]
        var best: JobHandle?
        for index in session.pointee.watched {
            let tube = tubes[index]
            guard !tube.pointee.isPaused, let candidate = tube.pointee.ready.first(in: slab) else { continue }
            guard let known = best else {
                best = candidate
                continue
            }
            let a = slab[candidate]
            let b = slab[known]
            if (a.pointee.lifecycle.priority, a.pointee.id) < (b.pointee.lifecycle.priority, b.pointee.id) {
                best = candidate
            }
        }
        return best
    }

    /// Makes the session the job's holder and tells it.
    ///
    /// With `leaving`, the job is still kept where its state keeps it.
    @inline(__always)
    mutating func give(_ handle: JobHandle, leaving: Bool = false, to id: SessionID, now: StoreInstant) {
        if leaving { leaveState(handle) }
        let slot = slab[handle]
        _ = slot.pointee.lifecycle.reserve(now: now)
        slot.pointee.holder = id
        let session = sessions[id]
        session.pointee.deadlineBound = min(session.pointee.deadlineBound, slot.pointee.lifecycle.deadline)
        enterState(handle, now: now)
        markChangedLazily(handle, now: now)
        send(job: handle, reserved: true, to: id)
    }

    // MARK: - Waiting

    private mutating func startWaiting(_ id: SessionID, until end: StoreInstant, _ now: StoreInstant) {
        let session = sessions[id]
        session.pointee.waitTicket = nextTicket
        session.pointee.waitEnd = end
        nextTicket += 1
        sessionsWaiting += 1
        for index in session.pointee.watched {
            let tube = tubes[index]
            tube.pointee.appendWaiter(Tube.Waiter(session: id, ticket: session.pointee.waitTicket))
            tube.pointee.pruneWaiters { isCurrent($0) }
        }
        sessionTimers.set(id, at: min(end, deadlineSoon(id, now)))
    }

    private mutating func stopWaiting(_ id: SessionID) {
        let session = sessions[id]
        session.pointee.waitTicket = 0
        sessionsWaiting -= 1
        for index in session.pointee.watched { tubes[index].pointee.sessionsWaiting -= 1 }
        sessionTimers.set(id, at: .never)
        if session.pointee.held != nil { resumable.append(id) }
    }

    /// Answers a waiting reserve with something else than a job.
    mutating func endWait(_ id: SessionID, with reply: Reply) {
        guard sessions[id].pointee.isWaiting else { return }
        stopWaiting(id)
        send(reply, to: id)
    }

    /// Ends the wait of a session that goes away.
    mutating func forgetWait(_ id: SessionID) {
        sessions[id].pointee.held = nil
        if sessions[id].pointee.isWaiting { stopWaiting(id) }
    }

    private func isCurrent(_ waiter: Tube.Waiter) -> Bool {
        guard let session = sessions.find(waiter.session) else { return false }
        return session.pointee.waitTicket == waiter.ticket
    }

    /// The longest waiting session of the tube; its wait is over.
    mutating func nextWaiter(_ index: TubeIndex) -> SessionID? {
        guard let id = tubes[index].pointee.popWaiter({ isCurrent($0) }) else { return nil }
        stopWaiting(id)
        return id
    }

    /// Hands ready jobs to waiting sessions, after a pause.
    mutating func serveWaiters(_ index: TubeIndex, now: StoreInstant) {
        let tube = tubes[index]
        while !tube.pointee.isPaused, tube.pointee.sessionsWaiting > 0, let handle = tube.pointee.ready.first(in: slab)
        {
            guard let id = nextWaiter(index) else { return }
            give(handle, leaving: true, to: id, now: now)
        }
    }

    /// When the session is to be told that one of its reservations is about to end, or earlier.
    ///
    /// It is exact when it is now or past: then, and only then, all that the session holds is looked at.
    func deadlineSoon(_ id: SessionID, _ now: StoreInstant) -> StoreInstant {
        let session = sessions[id]
        let bound = Self.toldBefore(session.pointee.deadlineBound)
        guard bound <= now else { return bound }
        var soonest = StoreInstant.never
        var handle = session.pointee.reserved.first
        while handle != .none {
            soonest = min(soonest, slab[handle].pointee.lifecycle.deadline)
            if Self.toldBefore(soonest) <= now { return Self.toldBefore(soonest) }
            handle = slab[handle].pointee.next
        }
        session.pointee.deadlineBound = soonest
        return Self.toldBefore(soonest)
    }

    private static func toldBefore(_ deadline: StoreInstant) -> StoreInstant {
        deadline == .never ? .never : deadline.advanced(byMicroseconds: -deadlineMarginMicroseconds)
    }

    private static var deadlineMarginMicroseconds: Int64 { Limits.deadlineMargin.components.seconds * 1_000_000 }
}
