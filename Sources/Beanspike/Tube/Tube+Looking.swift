import BeanspikeCore

extension Tube {
    /// The job that would be handed out next; nil where none is ready.
    public func peekReady() async throws -> JobSnapshot? { try await look(.peekNext(.ready)) }

    /// The delayed job that is due next; nil where none is delayed.
    public func peekDelayed() async throws -> JobSnapshot? { try await look(.peekNext(.delayed)) }

    /// The buried job that would be kicked first, with the reason; nil where none is buried.
    public func peekBuried() async throws -> JobSnapshot? { try await look(.peekNext(.buried)) }

    /// A job by its number, whoever holds it; nil where there is none.
    public func peek(_ job: Job.ID) async throws -> JobSnapshot? { try await look(.peek(job)) }

    private func look(_ command: Command) async throws -> JobSnapshot? {
        let answer = try await connection.answer(command, in: tubeName)
        guard case .found(let view) = answer.reply else { return nil }
        do throws(JobStoreError) {
            return JobSnapshot(view, body: try connection.whole(answer.body, view.attributes))
        } catch {
            throw BeanspikeError(error)
        }
    }

    /// What a tube has; known without reading a job.
    public struct Statistics: Sendable, Equatable {
        /// Jobs present.
        public var jobs = 0
        /// Jobs that wait to be reserved.
        public var ready = 0
        /// Jobs that somebody holds.
        public var reserved = 0
        /// Jobs that wait for their time.
        public var delayed = 0
        /// Jobs set aside.
        public var buried = 0
        /// Jobs deleted since the store was opened; on Aerospike since the tube has been there.
        public var deleted = 0
        /// Bytes of the bodies of present jobs as they were put.
        public var bodyBytes = 0
        /// Bytes of the bodies of present jobs as they are stored.
        public var usedBytes = 0
        /// Bytes of the bodies of present jobs where compression was tried and saved nothing.
        public var skippedBytes = 0
        /// Those who wait for a job, of this and other processes.
        public var waiting = 0
        /// What is left of a pause, in seconds; 0 where the tube is not paused.
        public var pauseLeftSeconds = 0

        /// An empty tube.
        public init() {}
    }

    /// What the tube has; all zero where it is not there.
    public func statistics() async throws -> Statistics {
        let reply = try await connection.run(.tubeStatistics(tubeName), in: tubeName)
        var statistics = Statistics()
        guard case .tubeStatistics(let known) = reply else { return statistics }
        statistics.jobs = Int(clamping: known.jobs.present)
        statistics.ready = Int(clamping: known.jobs.ready)
        statistics.reserved = Int(clamping: known.jobs.reserved)
        statistics.delayed = Int(clamping: known.jobs.delayed)
        statistics.buried = Int(clamping: known.jobs.buried)
        statistics.deleted = Int(clamping: known.jobs.deleted)
        statistics.bodyBytes = Int(clamping: known.jobs.bodyBytes)
        statistics.usedBytes = Int(clamping: known.jobs.usedBytes)
        statistics.skippedBytes = Int(clamping: known.jobs.skippedBytes)
        statistics.waiting = Int(clamping: known.sessionsWaiting)
        statistics.pauseLeftSeconds = Int(clamping: known.pauseLeftSeconds)
        return statistics
    }
}
