import BeanspikeCore

extension ReferenceQueue {
    /// Carries one command out; nil where the session now waits.
    func perform(_ request: Request, session key: SessionKey) -> TestReply? {
        guard let at = sessions.firstIndex(where: { $0.key == key }) else { return nil }
        switch request.command {
        case .put(let priority, let delaySeconds, let ttrSeconds, _, let attributes):
            let lifecycle = JobLifecycle(
                priority: priority,
                delaySeconds: delaySeconds,
                ttrSeconds: ttrSeconds,
                now: now
            )
            return .inserted(insert(lifecycle, request.body, attributes, tube: sessions[at].used))
        case .reserve(let wait):
            return reserve(wait, at)
        case .reserveJob(let id):
            guard let job = find(id), job.lifecycle.state != .reserved else { return .notFound }
            return .reserved(hand(id, to: key))
        case .delete(let id):
            guard let job = find(id), job.lifecycle.state != .reserved || job.holder == key else { return .notFound }
            remove { $0.id == id }
            tubes[job.tube]?.deleted += 1
            totalDeleted += 1
            return .deleted
        case .release(let id, let priority, let delaySeconds, let isRetry):
            guard isHeld(id, by: key) else { return .notFound }
            change(id) { job in
                _ = job.lifecycle.release(priority: priority, delaySeconds: delaySeconds, now: now)
                job.dueWallMilliseconds = delaySeconds > 0 ? wallMilliseconds + Int64(delaySeconds) * 1_000 : 0
                let before = job.attributes ?? JobAttributes()
                job.attributes = before.with(retries: before.retries + (isRetry ? 1 : 0), retryFlag: isRetry)
            }
            return .released
        case .bury(let id, let priority, let reason):
            guard isHeld(id, by: key) else { return .notFound }
            nextSequence += 1
            change(id) { job in
                _ = job.lifecycle.bury(priority: priority)
                job.sequence = nextSequence
                job.attributes = (job.attributes ?? JobAttributes()).with(buryReason: reason)
            }
            return .buried
        case .touch(let id):
            guard isHeld(id, by: key) else { return .notFound }
            change(id) { _ = $0.lifecycle.touch(now: now) }
            return .touched
        case .update(let id, _, let form):
            guard isHeld(id, by: key) else { return .notFound }
            change(id) { job in
                _ = job.lifecycle.touch(now: now)
                job.body = request.body
                job.attributes = (job.attributes ?? JobAttributes()).with(form: form)
            }
            return .updated
        case .kick(let bound):
            return .kicked(kick(sessions[at].used, bound))
        case .kickJob(let id):
            guard let state = find(id)?.lifecycle.state, state == .buried || state == .delayed else { return .notFound }
            kickOne(id)
            return .kickedJob
        case .peek, .peekNext:
            return peek(request.command, used: sessions[at].used)
        case .truncate(let tube):
            let count = jobs.filter { $0.tube == tube }.count
            remove { $0.tube == tube }
            tubes[tube]?.deleted += UInt64(count)
            totalDeleted += UInt64(count)
            return .truncated(UInt64(count))
        case .pause(let tube, let seconds):
            guard tubes[tube] != nil else { return .notFound }
            tubes[tube]?.pauses += 1
            tubes[tube]?.pauseSeconds = UInt64(seconds)
            tubes[tube]?.pausedUntil = seconds > 0 ? now.advanced(bySeconds: seconds) : nil
            serve()
            return .paused
        case .use, .watch, .ignore, .tubeUsed, .tubesWatched:
            return performOnSession(request.command, at)
        case .jobStatistics, .tubeStatistics, .storeStatistics, .tubes:
            return statistics(request.command)
        }
    }

    private func performOnSession(_ command: Command, _ at: Int) -> TestReply? {
        switch command {
        case .use(let tube):
            sessions[at].used = tube
            ensureTube(tube)
            return .using(tube)
        case .watch(let tube):
            if !sessions[at].watched.contains(tube) { sessions[at].watched.append(tube) }
            ensureTube(tube)
            return .watching(sessions[at].watched.count)
        case .ignore(let tube):
            if sessions[at].watched == [tube] { return .notIgnored }
            sessions[at].watched.removeAll { $0 == tube }
            return .watching(sessions[at].watched.count)
        case .tubeUsed:
            return .using(sessions[at].used)
        default:
            return .tubes(sessions[at].watched.sorted())
        }
    }

    func find(_ id: JobID) -> Job? { jobs.first { $0.id == id } }

    private func isHeld(_ id: JobID, by key: SessionKey) -> Bool { find(id)?.holder == key }

    private func remove(where isDoomed: (Job) -> Bool) { jobs.removeAll(where: isDoomed) }

    private func insert(
        _ lifecycle: JobLifecycle,
        _ body: [UInt8],
        _ attributes: JobAttributes?,
        tube: TubeName
    ) -> JobID {
        let id = idToCome ?? makeID(in: tube)
        idToCome = nil
        nextJobID = max(nextJobID, id + 1)
        var job = Job(
            id: id,
            tube: tube,
            lifecycle: lifecycle,
            body: body,
            attributes: attributes,
            created: now,
            createdWallMilliseconds: wallMilliseconds
        )
        if lifecycle.state == .delayed {
            job.dueWallMilliseconds = wallMilliseconds + Int64(lifecycle.delaySeconds) * 1_000
        }
        jobs.append(job)
        tubes[tube]?.total += 1
        totalPut += 1
        serve()
        return id
    }

    private func reserve(_ wait: ReserveWait, _ at: Int) -> TestReply? {
        let session = sessions[at]
        if let job = bestReady(where: { session.watched.contains($0.tube) && isOffered($0, to: session) }) {
            return .reserved(hand(job.id, to: session.key))
        }
        if isDeadlineSoon(session.key) { return .deadlineSoon }
        var until = StoreInstant.never
        switch wait {
        case .none: return .timedOut
        case .forever: break
        case .microseconds(let microseconds):
            if microseconds <= 0 { return .timedOut }
            until = now.advanced(byMicroseconds: microseconds)
        }
        nextSequence += 1
        sessions[at].wait = Wait(sequence: nextSequence, until: until, instance: session.instance)
        return nil
    }

    private func kick(_ tube: TubeName, _ bound: UInt64) -> UInt64 {
        let here = jobs.filter { $0.tube == tube }
        var kickable = here.filter { $0.lifecycle.state == .buried }.sorted { isKicked(buried: $0, before: $1) }
        if kickable.isEmpty { kickable = here.filter { $0.lifecycle.state == .delayed }.sorted(by: isDue) }
        let kicked = kickable.prefix(Int(clamping: bound))
        for job in kicked { kickOne(job.id) }
        return UInt64(kicked.count)
    }

    private func kickOne(_ id: JobID) {
        change(id) { job in
            _ = job.lifecycle.kick()
            job.dueWallMilliseconds = 0
        }
    }

    private func peek(_ command: Command, used: TubeName) -> TestReply {
        let job: Job?
        switch command {
        case .peek(let id): job = find(id)
        case .peekNext(let state):
            let isCandidate = { (job: Job) in job.tube == used && job.lifecycle.state == state }
            switch state {
            case .ready: job = best(of: isCandidate, by: isBetter)
            case .delayed: job = best(of: isCandidate, by: isDue)
            case .buried: job = best(of: isCandidate, by: { isKicked(buried: $0, before: $1) })
            case .reserved: job = nil
            }
        default: job = nil
        }
        return job.map { .found(view($0.id)) } ?? .notFound
    }
}
