public import Logging
public import ServiceLifecycle
import Tracing

/// Works on the jobs of one or more tubes: a service for swift-service-lifecycle, or to be run by itself.
///
/// ```swift
/// struct Mail: Codable, Sendable { var to: String, text: String }
///
/// let worker = Worker<Mail>(tube: try connection.use("mails")) { mail, context in
///     try await send(mail)
/// }
/// try await worker.run()
/// ```
///
/// A handler that returns has its job deleted; one that throws has it tried again by the ``RetryPolicy``, or says with a
/// ``JobDisposition`` what is to become of it. While it runs the job is touched; when the job is lost all the same (its time to
/// run was over, or the process was taken for dead) the handler's task is cancelled, since another works on the job. A body that
/// cannot be decoded is buried with the reason.
///
/// On graceful shutdown no further jobs are taken, and handlers have ``WorkerConfiguration/stopTimeout`` to end; then, or when
/// the worker's task is cancelled, they are cancelled and their jobs put back. So work has to bear being done twice.
public struct Worker<Payload: Sendable>: Service {
    /// Works on one payload.
    public typealias Handler = @Sendable (_ payload: Payload, _ context: JobContext) async throws -> Void

    /// A tube with its share of the work.
    public struct Share: Sendable {
        /// The tube.
        public var tube: Tube
        /// How often it is asked first, in proportion to the other tubes; at least 1.
        public var weight: Int

        /// A share.
        ///
        /// - Parameters:
        ///   - tube: the tube.
        ///   - weight: how often it is asked first, in proportion to the other tubes; at least 1.
        public init(_ tube: Tube, weight: Int = 1) {
            self.tube = tube
            self.weight = max(1, weight)
        }
    }

    let shares: [Share]
    let coding: JobCoding<Payload>
    let configuration: WorkerConfiguration
    let time: WorkerTime
    let logger: Logger
    let onEvent: (@Sendable (WorkerEvent) -> Void)?
    let handler: Handler
    let metrics = WorkerMetrics()

    /// A worker.
    ///
    /// - Parameters:
    ///   - shares: the tubes, at least one, all of one connection.
    ///   - coding: how payloads are read.
    ///   - configuration: how the worker behaves.
    ///   - clock: measures pauses and touches; the system's by default.
    ///   - logger: what is told of jobs that fail.
    ///   - onEvent: is told what became of each job; metrics are kept without it.
    ///   - handler: works on one payload.
    public init(
        shares: [Share],
        coding: JobCoding<Payload>,
        configuration: WorkerConfiguration = WorkerConfiguration(),
        clock: some Clock<Duration> = ContinuousClock(),
        logger: Logger = Logger(label: "beanspike.worker"),
        onEvent: (@Sendable (WorkerEvent) -> Void)? = nil,
        handler: @escaping Handler
    ) {
        precondition(!shares.isEmpty, "a worker needs a tube")
        self.shares = shares
        self.coding = coding
        self.configuration = configuration
        time = WorkerTime(clock)
        self.logger = logger
        self.onEvent = onEvent
        self.handler = handler
    }

    /// A worker on one tube.
    ///
    /// - Parameters:
    ///   - tube: the tube.
    ///   - coding: how payloads are read.
    ///   - configuration: how the worker behaves.
    ///   - clock: measures pauses and touches; the system's by default.
    ///   - logger: what is told of jobs that fail.
    ///   - onEvent: is told what became of each job; metrics are kept without it.
    ///   - handler: works on one payload.
    public init(
        tube: Tube,
        coding: JobCoding<Payload>,
        configuration: WorkerConfiguration = WorkerConfiguration(),
        clock: some Clock<Duration> = ContinuousClock(),
        logger: Logger = Logger(label: "beanspike.worker"),
        onEvent: (@Sendable (WorkerEvent) -> Void)? = nil,
        handler: @escaping Handler
    ) {
        self.init(
            shares: [Share(tube)],
            coding: coding,
            configuration: configuration,
            clock: clock,
            logger: logger,
            onEvent: onEvent,
            handler: handler
        )
    }

    /// Works until graceful shutdown, or until its task is cancelled; then all that it held is finished or put back.
    public func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await work() }
            group.addTask {
                // Cancelled, the handlers are too.
                guard (try? await gracefulShutdown()) != nil else { return }
                try? await time.sleep(configuration.stopTimeout)
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func work() async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<max(1, configuration.concurrency) { group.addTask { await workOneByOne() } }
        }
    }

    private func workOneByOne() async {
        var turns = WeightedTurns(weights: shares.map(\.weight))
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                if let job = try await nextJob(&turns) { await work(on: job) }
            } catch is CancellationError {
                return
            } catch {
                if (error as? BeanspikeError)?.code == .closed { return }
                logger.warning("no job could be reserved", metadata: ["error": "\(error)"])
                try? await time.sleep(configuration.failurePause)
            }
        }
    }

    /// The next job, when there is one; nil when the worker is to stop.
    private func nextJob(_ turns: inout WeightedTurns) async throws -> Job? {
        let tubes = shares.map(\.tube)
        if tubes.count > 1 {
            for index in turns.next() {
                if let job = try await tubes[index].reserve() { return job }
            }
        }
        return try await cancelWhenGracefulShutdown {
            try await tubes[0].connection.reserveAny(of: tubes)
        }
    }
}

extension Worker where Payload: Codable {
    /// A worker on one tube whose bodies are JSON.
    ///
    /// - Parameters:
    ///   - tube: the tube.
    ///   - configuration: how the worker behaves.
    ///   - clock: measures pauses and touches; the system's by default.
    ///   - logger: what is told of jobs that fail.
    ///   - onEvent: is told what became of each job; metrics are kept without it.
    ///   - handler: works on one payload.
    public init(
        tube: Tube,
        configuration: WorkerConfiguration = WorkerConfiguration(),
        clock: some Clock<Duration> = ContinuousClock(),
        logger: Logger = Logger(label: "beanspike.worker"),
        onEvent: (@Sendable (WorkerEvent) -> Void)? = nil,
        handler: @escaping Handler
    ) {
        self.init(
            tube: tube,
            coding: .json,
            configuration: configuration,
            clock: clock,
            logger: logger,
            onEvent: onEvent,
            handler: handler
        )
    }
}
