import BeanspikeCore

/// A tube: where jobs of one kind are put, and taken from.
///
/// A value that names a tube of a connection; making one costs nothing, and a tube exists while it has jobs.
public struct Tube: Sendable {
    /// The connection that it belongs to.
    public let connection: Connection
    let tubeName: TubeName
    /// How a put that failed is tried again.
    public var putRetries: PutRetries

    /// The priority of jobs where none is given; those below 1,024 count as urgent.
    public static let priorityDefault: UInt32 = 65_536

    init(connection: Connection, tubeName: TubeName, putRetries: PutRetries) {
        self.connection = connection
        self.tubeName = tubeName
        self.putRetries = putRetries
    }

    /// The tube's name.
    public var name: String { tubeName.description }

    // MARK: - Jobs by their numbers

    /// Starts the time to run of a job that this connection holds anew.
    ///
    /// - Parameter job: the job's number.
    /// - Throws: ``BeanspikeError`` with `touchNotNeeded`, `timedOut`, `notHolder` or `jobNotFound`; all but the first mean
    ///   that the work is to be abandoned.
    public func touch(_ job: Job.ID) async throws {
        try await connection.touch(job, connection.lanes.reservation(of: job), in: tubeName)
    }

    /// Deletes a job that this connection holds, or that nobody holds.
    ///
    /// - Parameter job: the job's number.
    /// - Returns: whether there was such a job.
    /// - Throws: ``BeanspikeError`` with `notHolder` or `timedOut` where another holds it.
    @discardableResult
    public func delete(_ job: Job.ID) async throws -> Bool {
        try await connection.delete(job, connection.lanes.reservation(of: job), in: tubeName)
    }

    /// Gives a job back that this connection holds.
    ///
    /// - Parameters:
    ///   - job: the job's number.
    ///   - delay: how long it is not handed out, rounded up to seconds.
    ///   - isRetry: whether to count a retry, and to flag the job as one that is tried again.
    ///   - priority: another priority; nil for the one that it has.
    /// - Throws: ``BeanspikeError`` with `timedOut`, `notHolder` or `jobNotFound`.
    public func release(
        _ job: Job.ID,
        delay: Duration = .zero,
        isRetry: Bool = false,
        priority: UInt32? = nil
    ) async throws {
        let reservation = connection.lanes.reservation(of: job)
        try await connection.release(job, reservation, delay, isRetry, priority, in: tubeName)
    }

    /// Sets a job aside that this connection holds.
    ///
    /// - Parameters:
    ///   - job: the job's number.
    ///   - reason: why; at most 1,024 bytes are kept.
    /// - Throws: ``BeanspikeError`` with `timedOut`, `notHolder` or `jobNotFound`.
    public func bury(_ job: Job.ID, reason: String = "") async throws {
        try await connection.bury(job, connection.lanes.reservation(of: job), reason, in: tubeName)
    }

    /// Gives a job that this connection holds another body, and starts its time to run anew.
    ///
    /// - Parameters:
    ///   - job: the job's number.
    ///   - body: the new body.
    ///   - compress: whether to try to compress it.
    /// - Throws: ``BeanspikeError`` with `timedOut`, `notHolder`, `jobNotFound`, `limitReached` or `outOfSpace`.
    public func update(_ job: Job.ID, body: some Sequence<UInt8>, compress: Bool = false) async throws {
        let reservation = connection.lanes.reservation(of: job)
        try await connection.update(job, reservation, Array(body), compress, in: tubeName)
    }

    // MARK: - Kicking and pausing

    /// Makes buried jobs ready, those that were buried first; where none is buried, delayed ones.
    ///
    /// - Parameter count: how many at most.
    /// - Returns: how many there were.
    /// - Throws: ``BeanspikeError``
    @discardableResult
    public func kick(upTo count: Int) async throws -> Int {
        guard count > 0 else { return 0 }
        let reply = try await connection.run(.kick(UInt64(count)), in: tubeName)
        guard case .kicked(let kicked) = reply else { throw connection.unexpected(reply, of: "kick") }
        connection.note("tube.kick.count", tubeName, Int(clamping: kicked))
        return Int(clamping: kicked)
    }

    /// Makes a job ready that is buried or delayed.
    ///
    /// - Parameter job: the job's number.
    /// - Returns: false where there is no such job, or it is neither.
    /// - Throws: ``BeanspikeError``
    @discardableResult
    public func kick(_ job: Job.ID) async throws -> Bool {
        guard case .kickedJob = try await connection.run(.kickJob(job), in: tubeName) else { return false }
        connection.note("tube.kick.count", tubeName)
        return true
    }

    /// Hands out none of the tube's jobs for some time.
    ///
    /// - Parameter duration: how long, rounded up to seconds; zero ends a pause.
    /// - Returns: false where there is no such tube.
    /// - Throws: ``BeanspikeError``
    @discardableResult
    public func pause(for duration: Duration) async throws -> Bool {
        let seconds = try duration.wholeSeconds("pause")
        guard case .paused = try await connection.run(.pause(tubeName, seconds: seconds), in: tubeName) else {
            return false
        }
        return true
    }
}
