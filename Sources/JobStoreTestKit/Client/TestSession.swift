public import BeanspikeCore

/// A session whose commands are awaited.
public struct TestSession: Sendable {
    /// The session's name at its port.
    public let id: SessionID
    let client: TestClient

    /// Hands the requests over in one batch and waits for nothing.
    public func submit(_ requests: Request...) { client.submit(requests, session: id) }

    /// Hands the requests over in one batch and waits for nothing.
    public func submit(_ requests: [Request]) { client.submit(requests, session: id) }

    /// Hands the commands over in one batch and waits for nothing.
    public func submit(_ commands: Command...) { client.submit(commands.map { Request($0) }, session: id) }

    /// The next reply that was not awaited yet.
    public func reply(file: StaticString = #fileID, line: UInt = #line) async throws -> TestReply {
        try await client.next(id, file: file, line: line)
    }

    /// The next reply if it is there already.
    public func poll() throws -> TestReply? { try client.poll(id) }

    /// Runs one request; earlier replies must have been awaited.
    public func run(
        _ request: Request,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> TestReply {
        client.submit([request], session: id)
        return try await client.next(id, file: file, line: line)
    }

    /// Runs one command; earlier replies must have been awaited.
    public func run(
        _ command: Command,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> TestReply {
        try await run(Request(command), file: file, line: line)
    }

    /// Whether the session waits in a reserve.
    public var isBlocked: Bool { client.isBlocked(id) }

    /// Ends the wait.
    public func endWait() { client.endWait(id) }

    /// Ends the session.
    public func close() { client.close(id) }
}

// MARK: - Commands whose reply is known but for a value

extension TestSession {
    /// Runs a command that must be answered in one way.
    public func expect(
        _ command: Command,
        _ expected: TestReply,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws {
        let reply = try await run(command, file: file, line: line)
        guard reply == expected else {
            throw ConformanceFailure("\(command): expected \(expected), got \(reply)", file: file, line: line)
        }
    }

    /// Puts a job.
    @discardableResult
    public func put(
        _ body: [UInt8] = [],
        priority: UInt32 = 0,
        delay: UInt32 = 0,
        ttr: UInt32 = 60,
        attributes: JobAttributes? = nil,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> JobID {
        let request = Request.put(body, priority: priority, delay: delay, ttr: ttr, attributes: attributes)
        let reply = try await run(request, file: file, line: line)
        guard case .inserted(let id) = reply else {
            throw ConformanceFailure("put: expected inserted, got \(reply)", file: file, line: line)
        }
        return id
    }

    /// Puts jobs in one batch.
    func putAll(
        _ requests: [Request],
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> [JobID] {
        submit(requests)
        var ids: [JobID] = []
        for _ in requests {
            let reply = try await self.reply(file: file, line: line)
            guard case .inserted(let id) = reply else {
                throw ConformanceFailure("put: expected inserted, got \(reply)", file: file, line: line)
            }
            ids.append(id)
        }
        return ids
    }

    /// Awaits replies of commands that were submitted.
    func expectReplies(
        _ replies: [TestReply],
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws {
        for (number, expected) in replies.enumerated() {
            let reply = try await self.reply(file: file, line: line)
            guard reply == expected else {
                let what = "reply \(number + 1) of \(replies.count)"
                throw ConformanceFailure("\(what): expected \(expected), got \(reply)", file: file, line: line)
            }
        }
    }

    /// Reserves the next job, which must be there or come.
    @discardableResult
    public func reserve(
        _ wait: ReserveWait = .none,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> TestJob {
        client.submit([Request(.reserve(wait))], session: id)
        return try await reserved(file: file, line: line)
    }

    /// Awaits the answer of a reserve that was submitted, which must be a job.
    @discardableResult
    public func reserved(file: StaticString = #fileID, line: UInt = #line) async throws -> TestJob {
        let reply = try await client.next(id, file: file, line: line)
        guard case .reserved(let job) = reply else {
            throw ConformanceFailure("expected a job, got \(reply)", file: file, line: line)
        }
        return job
    }

    /// Reserves a job by its number.
    @discardableResult
    public func reserveJob(
        _ job: JobID,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> TestJob {
        client.submit([Request(.reserveJob(job))], session: id)
        return try await reserved(file: file, line: line)
    }

    /// Looks at a job.
    public func found(_ command: Command, file: StaticString = #fileID, line: UInt = #line) async throws -> TestJob {
        let reply = try await run(command, file: file, line: line)
        guard case .found(let job) = reply else {
            throw ConformanceFailure("\(command): expected a job, got \(reply)", file: file, line: line)
        }
        return job
    }

    /// One job's statistics.
    public func statistics(
        of job: JobID,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> JobStatistics {
        let reply = try await run(.jobStatistics(job), file: file, line: line)
        guard case .jobStatistics(let statistics) = reply else {
            throw ConformanceFailure("statistics of job \(job): got \(reply)", file: file, line: line)
        }
        return statistics
    }

    /// One tube's statistics.
    public func statistics(
        of tube: TubeName,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> TubeStatistics {
        let reply = try await run(.tubeStatistics(tube), file: file, line: line)
        guard case .tubeStatistics(let statistics) = reply else {
            throw ConformanceFailure("statistics of tube \(tube): got \(reply)", file: file, line: line)
        }
        return statistics
    }

    /// The store's statistics.
    public func statistics(file: StaticString = #fileID, line: UInt = #line) async throws -> StoreStatistics {
        let reply = try await run(.storeStatistics, file: file, line: line)
        guard case .storeStatistics(let statistics) = reply else {
            throw ConformanceFailure("statistics of the store: got \(reply)", file: file, line: line)
        }
        return statistics
    }

    /// The state that a job is in.
    public func state(of job: JobID, file: StaticString = #fileID, line: UInt = #line) async throws -> JobState {
        try await statistics(of: job, file: file, line: line).lifecycle.state
    }

    /// Submits a reserve and returns when the session waits in it.
    public func beginWait(
        _ wait: ReserveWait = .forever,
        file: StaticString = #fileID,
        line: UInt = #line
    ) async throws {
        client.submit([Request(.reserve(wait))], session: id)
        try await untilWaiting(file: file, line: line)
    }

    /// Returns when the session waits in a reserve; an answer instead is a failure.
    public func untilWaiting(file: StaticString = #fileID, line: UInt = #line) async throws {
        let deadline = ContinuousClock.now + client.limit
        while !isBlocked {
            if let reply = try poll() {
                throw ConformanceFailure("expected to wait, got \(reply)", file: file, line: line)
            }
            guard ContinuousClock.now < deadline else {
                throw ConformanceFailure("the reserve neither waits nor is answered", file: file, line: line)
            }
            await Task.yield()
        }
    }

    /// Fails unless the session waits in a reserve and has no reply.
    public func expectWaiting(file: StaticString = #fileID, line: UInt = #line) throws {
        if let reply = try poll() {
            throw ConformanceFailure("expected to wait still, got \(reply)", file: file, line: line)
        }
        guard isBlocked else { throw ConformanceFailure("expected to wait still", file: file, line: line) }
    }
}
