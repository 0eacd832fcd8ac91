import BeanspikeCore

extension Connection {
    /// Waits for a job of any of some tubes.
    ///
    /// - Parameter tubes: at least one.
    /// - Returns: the job; nil where there is none after all.
    /// - Throws: ``BeanspikeError``, or `CancellationError`; what came then is back in the queue.
    func reserveAny(of tubes: [Tube]) async throws -> Job? {
        guard let job = try await reserve(.forever, upTo: 1, of: tubes).first else { return nil }
        guard tubes.count > 1 else { return job }
        // A store does not say with the job which tube it is of; to ask is the price of having waited.
        do {
            guard case .jobStatistics(let statistics) = try await run(.jobStatistics(job.id), in: job.tube.tubeName),
                let tube = tubes.first(where: { $0.tubeName == statistics.tube })
            else {
                // Deleted meanwhile, with its tube.
                if job.reservation.giveUp() { lanes.release(job.reservation, isLost: true) }
                return nil
            }
            return job.moved(to: tube)
        } catch {
            if job.reservation.giveUp() { lanes.release(job.reservation, isLost: true) }
            throw error
        }
    }
}

extension Job {
    /// The same, said to be of another tube.
    func moved(to tube: Tube) -> Job { Job(self, tube: tube) }
}
