public import BeanspikeCore

extension ReferenceQueue {
    /// When something will happen of itself next: a job due, a reservation, pause or wait over, a deadline near.
    public var nextEvent: StoreInstant? {
        let instants = events
        return instants.min()
    }

    /// Every instant at which something will happen of itself.
    public var events: [StoreInstant] {
        var instants = jobs.map(\.lifecycle.deadline) + tubes.values.compactMap(\.pausedUntil)
        for session in sessions {
            guard let wait = session.wait else { continue }
            instants.append(wait.until)
            if let soonest = soonestDeadline(session.key) { instants.append(soonest.advanced(byMicroseconds: -margin)) }
        }
        return instants.filter { $0 != .never }
    }

    /// Lets time pass up to an instant; what happens on the way happens at its own time.
    public func advance(to target: StoreInstant) {
        while let next = nextEvent, next <= target { step(to: max(next, now)) }
        moveClock(to: target)
    }

    /// A holder is warned this long before its reservation ends.
    private var margin: Int64 { Limits.deadlineMargin.wholeMicroseconds }

    private func moveClock(to instant: StoreInstant) {
        now = instant
        wallMilliseconds = start.wallMilliseconds + (now.microseconds - start.now.microseconds) / 1_000
    }

    private func step(to instant: StoreInstant) {
        moveClock(to: instant)
        while let job = best(of: { $0.lifecycle.state == .delayed && $0.lifecycle.deadline <= now }, by: isDue) {
            change(job.id) { _ = $0.lifecycle.comeDue(now: now) }
        }
        for name in tubes.keys.sorted() {
            if let until = tubes[name]?.pausedUntil, until <= now {
                tubes[name]?.pausedUntil = nil
                serve()
            }
        }
        for session in sessions where session.wait != nil && isDeadlineSoon(session.key) {
            endWait(session.key, with: .deadlineSoon)
        }
        while let job = best(of: { $0.lifecycle.state == .reserved && $0.lifecycle.deadline <= now }, by: isDue) {
            totalTimeouts += 1
            change(job.id) { _ = $0.lifecycle.timeOut(now: now) }
        }
        for session in sessions {
            if let wait = session.wait, wait.until <= now { endWait(session.key, with: .timedOut) }
        }
        finish()
    }

    func soonestDeadline(_ key: SessionKey) -> StoreInstant? {
        let deadline = jobs.filter { $0.holder == key }.map(\.lifecycle.deadline).min()
        return deadline == .never ? nil : deadline
    }

    func isDeadlineSoon(_ key: SessionKey) -> Bool {
        guard let soonest = soonestDeadline(key) else { return false }
        return soonest.advanced(byMicroseconds: -margin) <= now
    }

    /// The queue after a clean stop and a start: what a durable store has kept.
    ///
    /// - Parameters:
    ///   - now: Where the monotonic clock stands at the start.
    ///   - wallMilliseconds: Where the wall clock stands at the start.
    /// - Returns: Another queue, without sessions.
    public func restarted(now: StoreInstant, wallMilliseconds: Int64) -> Self {
        let next = Self(now: now, wallMilliseconds: wallMilliseconds)
        next.takesIDs = takesIDs
        next.past = past
        for (name, tube) in tubes { next.past.add(tube, name, isWhole: remembersPast) }
        if remembersPast {
            (next.totalPut, next.totalDeleted, next.totalTimeouts) = (totalPut, totalDeleted, totalTimeouts)
            for name in Set(jobs.map(\.tube) + [.default]) { next.tubes[name] = tubes[name] }
        } else {
            next.past.total += totalPut
            next.past.deleted += totalDeleted
            next.past.timeouts += totalTimeouts
        }
        next.nextJobID = nextJobID
        next.nextSequence = nextSequence
        next.nextSession = nextSession
        for var job in jobs {
            _ = job.lifecycle.abandon()
            job.holder = nil
            if job.lifecycle.state == .delayed {
                let delay = Int64(job.lifecycle.delaySeconds) * 1_000
                let left = min(max(job.dueWallMilliseconds - wallMilliseconds, 0), delay)
                job.lifecycle.deadline = now.advanced(byMicroseconds: left * 1_000)
                job.dueWallMilliseconds = min(job.dueWallMilliseconds, wallMilliseconds + delay)
            }
            let age = max(0, wallMilliseconds - job.createdWallMilliseconds)
            job.created = now.advanced(byMicroseconds: -age * 1_000)
            next.ensureTube(job.tube)
            next.jobs.append(job)
        }
        next.advance(to: now)
        return next
    }
}
