import BeanspikeCore

extension Scheduler {
    mutating func openSession(outbox: Int) -> SessionID {
        tubes[defaultTube].pointee.sessionsUsing += 1
        tubes[defaultTube].pointee.sessionsWatching += 1
        return sessions.open(Session(outbox: outbox, used: defaultTube, watched: [defaultTube]))
    }

    mutating func closeSession(_ id: SessionID, now: StoreInstant) {
        guard let session = sessions.find(id) else { return }
        forgetWait(id)
        // Closed first: what it gives up must not come back to it.
        session.pointee.isOpen = false
        while !session.pointee.reserved.isEmpty {
            let handle = session.pointee.reserved.first
            leaveState(handle)
            _ = slab[handle].pointee.lifecycle.abandon()
            enterState(handle, now: now)
        }
        tubes[session.pointee.used].pointee.sessionsUsing -= 1
        removeTubeIfUnneeded(session.pointee.used)
        for tube in session.pointee.watched {
            tubes[tube].pointee.sessionsWatching -= 1
            removeTubeIfUnneeded(tube)
        }
        session.pointee.watched = []
        outboxes[session.pointee.outbox].drop(id)
        if session.pointee.lastGate <= log.lastDone { sessions.release(id) } else { closing.append(id) }
        resume(now: now)
    }

    /// Gives back the numbers of closed sessions whose replies are all out.
    mutating func releaseClosed() {
        guard !closing.isEmpty else { return }
        var waiting: [SessionID] = []
        for id in closing {
            if sessions[id].pointee.lastGate <= log.lastDone { sessions.release(id) } else { waiting.append(id) }
        }
        closing = waiting
    }

    /// Whether the session waits in a reserve.
    func isBlocked(_ id: SessionID) -> Bool { sessions.find(id)?.pointee.isWaiting ?? false }

    mutating func use(_ name: TubeName, _ id: SessionID) {
        let session = sessions[id]
        guard let index = findOrMake(name, id) else { return }
        let old = session.pointee.used
        session.pointee.used = index
        tubes[index].pointee.sessionsUsing += 1
        tubes[old].pointee.sessionsUsing -= 1
        removeTubeIfUnneeded(old)
        send(.using(name), to: id)
    }

    mutating func watch(_ name: TubeName, _ id: SessionID) {
        let session = sessions[id]
        guard session.pointee.watched.count < Limits.watchedTubesMax else {
            let message = "a session watches at most \(Limits.watchedTubesMax) tubes; ignore some first"
            return send(.failed(JobStoreError(.limitReached, message)), to: id)
        }
        guard let index = findOrMake(name, id) else { return }
        if !session.pointee.watched.contains(index) {
            session.pointee.watched.append(index)
            tubes[index].pointee.sessionsWatching += 1
        }
        send(.watching(session.pointee.watched.count), to: id)
    }

    mutating func ignore(_ name: TubeName, _ id: SessionID) {
        let session = sessions[id]
        if let index = tubes.find(name), let at = session.pointee.watched.firstIndex(of: index) {
            guard session.pointee.watched.count > 1 else { return send(.notIgnored, to: id) }
            // As in beanstalkd's sets, the last one takes the place.
            session.pointee.watched.swapAt(at, session.pointee.watched.count - 1)
            session.pointee.watched.removeLast()
            tubes[index].pointee.sessionsWatching -= 1
            removeTubeIfUnneeded(index)
        }
        send(.watching(session.pointee.watched.count), to: id)
    }

    private mutating func findOrMake(_ name: TubeName, _ id: SessionID) -> TubeIndex? {
        if let index = tubes.find(name) { return index }
        guard tubes.order.count < Limits.tubesMax else {
            let message = "there are \(Limits.tubesMax) tubes, and no room for more; empty some first"
            send(.failed(JobStoreError(.limitReached, message)), to: id)
            return nil
        }
        return tubes.findOrMake(name)
    }
}
