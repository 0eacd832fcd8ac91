import BeanspikeCore

extension Tube {
    /// Takes the best ready job.
    ///
    /// - Returns: the job; nil where none is ready.
    /// - Throws: ``BeanspikeError``; `CancellationError`, and what came then is back in the queue.
    public func reserve() async throws -> Job? {
        try await connection.reserve(.none, upTo: 1, of: [self]).first
    }

    /// Takes the best ready job, and waits for one where there is none.
    ///
    /// Waiting costs nothing: whoever puts a job wakes who waits. A task that is cancelled meanwhile loses no job: one that
    /// came just then is put back.
    ///
    /// - Parameter timeout: how long to wait at most.
    /// - Returns: the job; nil where none came in time.
    /// - Throws: ``BeanspikeError``; `CancellationError`, and what came then is back in the queue.
    public func reserve(timeout: Duration) async throws -> Job? {
        let (seconds, attoseconds) = timeout.components
        let (microseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let wait: ReserveWait =
            overflow ? .forever : .microseconds(microseconds + attoseconds / 1_000_000_000_000)
        return try await connection.reserve(wait, upTo: 1, of: [self]).first
    }

    /// Takes the best ready job, as soon as there is one.
    ///
    /// - Returns: the job.
    /// - Throws: ``BeanspikeError``; `CancellationError`, and what came then is back in the queue.
    public func next() async throws -> Job {
        while true {
            if let job = try await connection.reserve(.forever, upTo: 1, of: [self]).first { return job }
            try Task.checkCancellation()
        }
    }

    /// Takes the best ready jobs.
    ///
    /// - Parameters:
    ///   - count: how many at most.
    ///   - timeout: how long to wait for the first; zero, the default, for not at all.
    /// - Returns: the jobs, best first; none where none is ready.
    /// - Throws: ``BeanspikeError``; `CancellationError`, and what came then is back in the queue.
    public func reserve(upTo count: Int, timeout: Duration = .zero) async throws -> [Job] {
        guard count > 0 else { return [] }
        guard timeout > .zero else { return try await connection.reserve(.none, upTo: count, of: [self]) }
        guard let first = try await reserve(timeout: timeout) else { return [] }
        guard count > 1 else { return [first] }
        do {
            return [first] + (try await connection.reserve(.none, upTo: count - 1, of: [self]))
        } catch {
            // The first one is here: that the others failed will show again.
            return [first]
        }
    }

    /// The tube's jobs, one after the other, as they come.
    ///
    /// The sequence ends when its task is cancelled. Each job is held until it is settled.
    ///
    /// ```swift
    /// for try await job in tube.jobs {
    ///     print(job.text)
    ///     try await job.delete()
    /// }
    /// ```
    public var jobs: Jobs { Jobs(tube: self) }

    /// A tube's jobs as they come.
    public struct Jobs: AsyncSequence, Sendable {
        let tube: Tube

        /// Takes one job after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let tube: Tube

            /// The next job; nil when the task is cancelled.
            public func next() async throws -> Job? {
                do {
                    return try await tube.next()
                } catch is CancellationError {
                    return nil
                }
            }
        }

        /// An iterator.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(tube: tube) }
    }
}
