import BeanspikeCore
import Tracing

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

extension Tube {
    /// Puts a job.
    ///
    /// A put that has begun goes on when its task is cancelled: otherwise nobody would know whether there is a job.
    ///
    /// - Parameters:
    ///   - body: the work, as bytes.
    ///   - delay: how long it is not handed out, rounded up to seconds.
    ///   - timeToRun: how long who reserved it has, without a touch, before it is ready again; rounded up to seconds. nil, the
    ///     default: until it is released, or its process is dead.
    ///   - compress: whether to try to compress the body. Nothing is lost by it but time: what saves nothing is kept as it is,
    ///     and counted in ``Statistics/skippedBytes``.
    ///   - priority: smaller is more urgent.
    ///   - metadata: a text of your own that goes with the job, of at most 16,384 bytes.
    ///   - timeOfBirth: when the work was born; nil for now. In milliseconds.
    ///   - retries: how to try again where it fails; nil for ``putRetries``.
    /// - Returns: the job's number.
    /// - Throws: ``BeanspikeError`` with `outOfSpace`, `writeFailed` (which may be in doubt), `limitReached`,
    ///   `invalidArgument` or `closed`.
    @discardableResult
    public func put(
        _ body: [UInt8],
        delay: Duration = .zero,
        timeToRun: Duration? = nil,
        compress: Bool = false,
        priority: UInt32 = Tube.priorityDefault,
        metadata: String = "",
        timeOfBirth: Date? = nil,
        retries: PutRetries? = nil
    ) async throws -> Job.ID {
        let new = NewJob(
            body,
            delay: delay,
            timeToRun: timeToRun,
            compress: compress,
            priority: priority,
            metadata: metadata,
            timeOfBirth: timeOfBirth
        )
        let outcomes = try await putAll([new], retries: retries ?? putRetries)
        guard let outcome = outcomes.first else { throw BeanspikeError.closed }
        return try outcome.get()
    }

    /// Puts a job whose body is a text; as the other put.
    @discardableResult
    public func put(
        _ text: String,
        delay: Duration = .zero,
        timeToRun: Duration? = nil,
        compress: Bool = false,
        priority: UInt32 = Tube.priorityDefault,
        metadata: String = "",
        timeOfBirth: Date? = nil,
        retries: PutRetries? = nil
    ) async throws -> Job.ID {
        try await put(
            Array(text.utf8),
            delay: delay,
            timeToRun: timeToRun,
            compress: compress,
            priority: priority,
            metadata: metadata,
            timeOfBirth: timeOfBirth,
            retries: retries
        )
    }

    /// Puts many jobs in one go, in their order.
    ///
    /// - Parameters:
    ///   - jobs: what to put.
    ///   - retries: how to try those again that fail; nil for ``putRetries``.
    /// - Returns: what became of each: its number, or an error.
    /// - Throws: ``BeanspikeError`` with `invalidArgument`, and then none was put; or with `closed`.
    public func put(
        contentsOf jobs: [NewJob],
        retries: PutRetries? = nil
    ) async throws -> [Result<Job.ID, BeanspikeError>] {
        try await putAll(jobs, retries: retries ?? putRetries)
    }

    private func putAll(_ jobs: [NewJob], retries: PutRetries) async throws -> [Result<Job.ID, BeanspikeError>] {
        guard !jobs.isEmpty else { return [] }
        let context = Self.traceContext()
        let now = Date.now.milliseconds
        var commands: [Command] = []
        commands.reserveCapacity(jobs.count)
        var bytes: [UInt8] = []
        for job in jobs {
            let (command, body) = try job.command(connection, now: now, context: context, offset: bytes.count)
            commands.append(command)
            if bytes.isEmpty { bytes = body } else { bytes += body }
        }
        var outcomes = try await outcomes(of: commands, bytes)
        var attempts = 1
        while let (pause, due) = retries.next(after: outcomes, attempts: attempts) {
            // Cancelled, it is not tried again: what the last try came to is told.
            do { try await Task.sleep(for: pause) } catch { break }
            attempts += 1
            let again = try await self.outcomes(of: due.map { commands[$0] }, bytes)
            for (index, outcome) in zip(due, again) { outcomes[index] = outcome }
        }
        let count = outcomes.count { (try? $0.get()) != nil }
        connection.note("tube.put.count", tubeName, count)
        return outcomes
    }

    private func outcomes(of puts: [Command], _ bytes: [UInt8]) async throws -> [Result<Job.ID, BeanspikeError>] {
        let answers = try await connection.link.run(Call(puts, bytes: bytes), on: connection.putLane(tubeName))
        return answers.map { answer in
            switch answer.reply {
            case .inserted(let id): .success(id)
            case .failed(let failure): .failure(BeanspikeError(failure))
            default: .failure(Self.unexpected(answer.reply))
            }
        }
    }

    /// A store that answers a put with something else: nobody knows whether there is a job.
    private static func unexpected(_ reply: Reply) -> BeanspikeError {
        BeanspikeError(.readFailed, "The store answered a put with \(reply), which makes no sense.", inDoubt: true)
    }

    /// What instruments of tracing send along.
    private static func traceContext() -> [String: String] {
        guard let context = ServiceContext.current else { return [:] }
        var carrier: [String: String] = [:]
        InstrumentationSystem.instrument.inject(context, into: &carrier, using: TraceCarrier())
        return carrier
    }
}

/// A job that is to be put.
public struct NewJob: Sendable {
    /// The work, as bytes.
    public var body: [UInt8]
    /// How long it is not handed out, rounded up to seconds.
    public var delay: Duration
    /// How long who reserved it has without a touch, rounded up to seconds; nil for until it is released.
    public var timeToRun: Duration?
    /// Whether to try to compress the body.
    public var compress: Bool
    /// Smaller is more urgent.
    public var priority: UInt32
    /// A text of the producer's own.
    public var metadata: String
    /// When the work was born; nil for when it is put.
    public var timeOfBirth: Date?

    /// A job; see ``Tube/put(_:delay:timeToRun:compress:priority:metadata:timeOfBirth:retries:)-([UInt8],_,_,_,_,_,_,_)``.
    public init(
        _ body: [UInt8],
        delay: Duration = .zero,
        timeToRun: Duration? = nil,
        compress: Bool = false,
        priority: UInt32 = Tube.priorityDefault,
        metadata: String = "",
        timeOfBirth: Date? = nil
    ) {
        self.body = body
        self.delay = delay
        self.timeToRun = timeToRun
        self.compress = compress
        self.priority = priority
        self.metadata = metadata
        self.timeOfBirth = timeOfBirth
    }

    /// The command that puts it, with the body as it is stored, which lies at an offset.
    func command(
        _ connection: Connection,
        now: Int64,
        context: [String: String],
        offset: Int
    ) throws(BeanspikeError) -> (Command, [UInt8]) {
        let metadata = JobMetadata(text: metadata, context: context).encoded
        guard metadata.count <= Limits.metadataBytesMax else {
            throw BeanspikeError(
                .invalidArgument,
                "\(metadata.count) bytes of metadata; a job carries \(Limits.metadataBytesMax). Put the rest in its body."
            )
        }
        guard body.count <= Limits.bodyBytesMaxCeiling else {
            throw BeanspikeError(
                .invalidArgument,
                "A body of \(body.count) bytes; the largest has \(Limits.bodyBytesMaxCeiling)."
            )
        }
        let (bytes, form) = connection.stored(body, compress: compress)
        let attributes = JobAttributes(
            metadata: metadata,
            timeOfBirthMilliseconds: timeOfBirth?.milliseconds ?? now,
            originalBodyBytes: form.originalBodyBytes,
            isCompressionSkipped: form.isCompressionSkipped
        )
        let command = Command.put(
            priority: priority,
            delaySeconds: try delay.wholeSeconds("delay"),
            // None is 0, so the shortest is a second.
            ttrSeconds: max(try timeToRun?.wholeSeconds("time to run") ?? 0, timeToRun == nil ? 0 : 1),
            body: ByteRange(offset: offset, count: bytes.count),
            attributes: attributes
        )
        return (command, bytes)
    }
}
