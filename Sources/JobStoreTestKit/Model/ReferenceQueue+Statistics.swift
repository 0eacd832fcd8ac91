import BeanspikeCore

extension ReferenceQueue {
    func statistics(_ command: Command) -> TestReply {
        switch command {
        case .jobStatistics(let id):
            guard let job = find(id) else { return .notFound }
            return .jobStatistics(statistics(of: job).comparable)
        case .tubeStatistics(let name):
            guard let tube = tubes[name] else { return .notFound }
            return .tubeStatistics(statistics(of: tube, name))
        case .storeStatistics:
            return .storeStatistics(storeStatistics())
        default:
            return .tubes(tubes.keys.sorted())
        }
    }

    private func statistics(of job: Job) -> JobStatistics {
        let isTimed = job.lifecycle.deadline != .never
        return JobStatistics(
            id: job.id,
            tube: job.tube,
            lifecycle: job.lifecycle,
            ageSeconds: now.seconds(since: job.created),
            timeLeftSeconds: isTimed ? job.lifecycle.deadline.seconds(since: now) : 0,
            journalFile: 0,
            bodyBytes: UInt64(job.body.count),
            attributes: job.attributes
        )
    }

    private func statistics(of tube: Tube, _ name: TubeName) -> TubeStatistics {
        var counts = self.counts { $0.tube == name }
        counts.total = tube.total
        counts.deleted = tube.deleted
        return TubeStatistics(
            name: name,
            jobs: counts,
            sessionsUsing: count { $0.used == name },
            sessionsWatching: count { $0.watched.contains(name) },
            sessionsWaiting: count { $0.wait != nil && $0.watched.contains(name) },
            pauses: tube.pauses,
            pauseSeconds: tube.pausedUntil == nil ? 0 : tube.pauseSeconds,
            pauseLeftSeconds: tube.pausedUntil.map { $0.seconds(since: now) } ?? 0
        )
    }

    private func storeStatistics() -> StoreStatistics {
        var statistics = StoreStatistics()
        statistics.jobs = counts { _ in true }
        statistics.jobs.total = totalPut
        statistics.jobs.deleted = totalDeleted
        statistics.timeouts = totalTimeouts
        statistics.tubes = UInt64(tubes.count)
        statistics.sessionsWaiting = count { $0.wait != nil }
        return statistics
    }

    private func count(_ isCounted: (Session) -> Bool) -> UInt64 { UInt64(sessions.filter(isCounted).count) }

    private func counts(_ isCounted: (Job) -> Bool) -> JobCounts {
        var counts = JobCounts()
        for job in jobs where isCounted(job) {
            switch job.lifecycle.state {
            case .ready:
                counts.ready += 1
                if job.lifecycle.priority < Limits.urgentPriorityBelow { counts.urgent += 1 }
            case .reserved: counts.reserved += 1
            case .delayed: counts.delayed += 1
            case .buried: counts.buried += 1
            }
            let stored = UInt64(job.body.count)
            let original = UInt64(job.attributes?.originalBodyBytes ?? 0)
            counts.usedBytes += stored
            counts.bodyBytes += original > 0 ? original : stored
            if job.attributes?.isCompressionSkipped ?? false { counts.skippedBytes += stored }
        }
        return counts
    }
}
