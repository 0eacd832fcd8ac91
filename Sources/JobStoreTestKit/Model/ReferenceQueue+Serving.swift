import BeanspikeCore

extension ReferenceQueue {
    /// Changes a job and, where that made it ready, hands it to who waits for it.
    func change(_ id: JobID, _ body: (inout Job) -> Void) {
        guard let index = jobs.firstIndex(where: { $0.id == id }) else { return }
        let wasReady = jobs[index].lifecycle.state == .ready
        body(&jobs[index])
        if jobs[index].lifecycle.state != .reserved { jobs[index].holder = nil }
        if !wasReady && jobs[index].lifecycle.state == .ready { serve() }
    }

    /// Hands ready jobs to waiting sessions until there is no pair left: the best job to the longest waiting.
    func serve() {
        while let job = bestReady(where: { waiting(for: $0) != nil }), let key = waiting(for: job) {
            endWait(key, with: .reserved(hand(job.id, to: key)))
        }
    }

    /// The session that gets a ready job.
    func waiting(for job: Job) -> SessionKey? {
        var best: (key: SessionKey, wait: Wait)?
        for session in sessions {
            guard let wait = session.wait, session.watched.contains(job.tube), isOffered(job, to: session) else {
                continue
            }
            if let found = best, !isServed(wait, before: found.wait) { continue }
            best = (session.key, wait)
        }
        return best?.key
    }

    /// The best ready job of tubes that are not paused.
    func bestReady(where isWanted: (Job) -> Bool) -> Job? {
        best(of: { $0.lifecycle.state == .ready && !isPaused($0.tube) && isWanted($0) }, by: isBetter)
    }

    func best(of isCandidate: (Job) -> Bool, by isBefore: (Job, Job) -> Bool) -> Job? {
        var best: Job?
        for job in jobs where isCandidate(job) {
            if let found = best, !isBefore(job, found) { continue }
            best = job
        }
        return best
    }

    func isPaused(_ tube: TubeName) -> Bool { tubes[tube]?.pausedUntil != nil }

    /// Reserves a job for a session and says what the session is told.
    func hand(_ id: JobID, to key: SessionKey) -> TestJob {
        nextSequence += 1
        change(id) { job in
            _ = job.lifecycle.reserve(now: now)
            job.holder = key
            job.sequence = nextSequence
            job.dueWallMilliseconds = 0
        }
        if let session = sessions.first(where: { $0.key == key }) { didHand(id, to: session) }
        return view(id)
    }

    func view(_ id: JobID) -> TestJob {
        guard let job = jobs.first(where: { $0.id == id }) else { preconditionFailure("job \(id) is not there") }
        return TestJob(
            id: job.id,
            body: job.body,
            priority: job.lifecycle.priority,
            ttrSeconds: job.lifecycle.ttrSeconds,
            reserves: job.lifecycle.reserves,
            attributes: job.attributes ?? JobAttributes()
        )
    }
}
