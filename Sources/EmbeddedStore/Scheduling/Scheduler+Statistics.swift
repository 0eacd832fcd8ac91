import BeanspikeCore

extension Scheduler {
    /// The store's statistics.
    var statistics: StoreStatistics {
        var statistics = StoreStatistics()
        statistics.jobs = counts
        statistics.timeouts = timeouts
        statistics.tubes = UInt64(tubes.order.count)
        statistics.sessionsWaiting = UInt64(sessionsWaiting)
        statistics.journal = journalStatistics
        return statistics
    }

    mutating func sendStatistics(of job: JobID, _ id: SessionID, _ now: StoreInstant) {
        guard let handle = find(job) else { return send(.notFound, to: id) }
        let slot = slab[handle].pointee
        let isTimed = slot.lifecycle.state == .reserved || slot.lifecycle.state == .delayed
        let statistics = JobStatistics(
            id: job,
            tube: tubes[slot.tube].pointee.name,
            lifecycle: slot.lifecycle,
            ageSeconds: now.seconds(since: slot.created),
            timeLeftSeconds: isTimed && slot.lifecycle.deadline != .never
                ? slot.lifecycle.deadline.seconds(since: now) : 0,
            journalFile: isDurable ? 1 : 0,
            bodyBytes: UInt64(slot.bodyCount),
            attributes: slot.flags.contains(.hasAttributes) ? attributes[handle] : nil
        )
        send(.jobStatistics(statistics), to: id)
    }

    mutating func sendStatistics(of name: TubeName, _ id: SessionID, _ now: StoreInstant) {
        guard let index = tubes.find(name) else { return send(.notFound, to: id) }
        let tube = tubes[index]
        let statistics = TubeStatistics(
            name: name,
            jobs: tube.pointee.counts,
            sessionsUsing: UInt64(tube.pointee.sessionsUsing),
            sessionsWatching: UInt64(tube.pointee.sessionsWatching),
            sessionsWaiting: UInt64(tube.pointee.sessionsWaiting),
            pauses: tube.pointee.pauses,
            pauseSeconds: UInt64(tube.pointee.pauseSeconds),
            pauseLeftSeconds: tube.pointee.isPaused ? tube.pointee.pausedUntil.seconds(since: now) : 0
        )
        send(.tubeStatistics(statistics), to: id)
    }
}
