import BeanspikeCore

extension Scheduler {
    /// When something happens next without anybody asking.
    @inline(__always)
    var nextDeadline: StoreInstant {
        let reservation = StoreInstant(microseconds: reservations.firstKey ?? .max)
        // Once a commit is wanted, lazy changes go with it and need no alarm.
        let lazy = log.isCommitWanted ? .never : log.lazyDue
        return min(min(reservation, lazy), min(tubeTimers.next, sessionTimers.next))
    }

    /// Does all that is due.
    mutating func tick(now: StoreInstant) {
        while let index = tubeTimers.popDue(now) {
            comeDue(index, now)
            let tube = tubes[index]
            if tube.pointee.isPaused, tube.pointee.pausedUntil <= now {
                tube.pointee.pauseSeconds = 0
                serveWaiters(index, now: now)
            }
            setTubeTimer(index)
        }
        while let key = reservations.firstKey, key <= now.microseconds, let handle = reservations.first {
            leaveState(handle)
            _ = slab[handle].pointee.lifecycle.timeOut(now: now)
            timeouts += 1
            markChangedLazily(handle, now: now)
            enterState(handle, now: now)
        }
        while let id = sessionTimers.popDue(now) {
            let session = sessions[id]
            let soon = deadlineSoon(id, now)
            if soon <= now {
                endWait(id, with: .deadlineSoon)
            } else if session.pointee.waitEnd <= now {
                endWait(id, with: .timedOut)
            } else {
                sessionTimers.set(id, at: min(soon, session.pointee.waitEnd))
            }
        }
        if log.lazyDue <= now {
            dropLazyOfGoneJobs(now: now)
            if log.lazyDue <= now { log.isCommitWanted = true }
        }
        resume(now: now)
    }

    private mutating func comeDue(_ index: TubeIndex, _ now: StoreInstant) {
        let tube = tubes[index]
        while let key = tube.pointee.delayed.firstKey, key <= now.microseconds, let handle = tube.pointee.delayed.first
        {
            tube.pointee.delayed.remove(handle, in: slab)
            count(slab[handle], -1)
            _ = slab[handle].pointee.lifecycle.comeDue(now: now)
            // So that a wall clock set back while the store is closed does not delay it again.
            markChangedLazily(handle, now: now)
            enterState(handle, now: now)
        }
    }

    /// Sets the alarm for the tube's next delayed job or the end of its pause.
    @inline(__always)
    mutating func setTubeTimer(_ index: TubeIndex) {
        let tube = tubes[index]
        let due = StoreInstant(microseconds: tube.pointee.delayed.firstKey ?? .max)
        tubeTimers.set(index, at: tube.pointee.isPaused ? min(due, tube.pointee.pausedUntil) : due)
    }
}
