public import Logging
public import NIOCore
public import NIOPosix
public import ServiceLifecycle

/// A client of an Aerospike cluster.
///
/// It is a service: ``run()`` follows the cluster and keeps the connections, and calls made meanwhile use them.
///
/// ```swift
/// let client = AerospikeClient(AerospikeClientConfiguration(seeds: [.init("127.0.0.1")]))
/// try await withThrowingDiscardingTaskGroup { group in
///     group.addTask { try await client.run() }
///     let key = Key(namespace: "test", set: "people", "ann")
///     try await client.put(key, ["visits": 1])
///     group.cancelAll()
/// }
/// ```
///
/// Calls may be made from any number of tasks: those that meet leave in one write. Cancelling a task ends its wait, not
/// the connection that others share.
public final class AerospikeClient: Service {
    /// What the client was made with.
    public let configuration: AerospikeClientConfiguration

    /// Runs tasks on the first of the client's event loops; see ``EventLoopExecutor``.
    public let executor: EventLoopExecutor

    let cluster: Cluster
    let instruments: Instruments

    /// A client, which does nothing before ``run()``.
    ///
    /// - Parameters:
    ///   - configuration: how the cluster is found.
    ///   - eventLoopGroup: where the connections' I/O happens: on as many of its loops as the configuration says, beginning
    ///     with the group's next, so that several clients do not share one.
    ///   - logger: what is told about nodes that come, go and fail.
    public init(
        _ configuration: AerospikeClientConfiguration,
        eventLoopGroup: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup,
        logger: Logger = Logger(label: "aerospike")
    ) {
        self.configuration = configuration
        let first = eventLoopGroup.next()
        executor = EventLoopExecutor(first)
        instruments = Instruments(tracer: configuration.tracer, metrics: configuration.metrics)
        cluster = Cluster(
            configuration: configuration,
            connector: Connector(configuration),
            eventLoops: eventLoopGroup.loops(configuration.eventLoopCount, from: first),
            logger: logger
        )
    }

    /// Follows the cluster and keeps the connections, until the task is cancelled or the service is shut down.
    ///
    /// A cluster that cannot be used as it is configured, for its name or the version of its nodes, is tried on and on;
    /// ``waitUntilConnected(timeout:)`` tells why.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/client`` if it runs already, or did.
    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await self.cluster.run()
        }
    }

    /// What the client has sent so far.
    public var statistics: ClientStatistics { cluster.connector.traffic.statistics }

    /// Waits until the cluster has been found.
    ///
    /// There is no need to: a call that comes earlier waits itself, as long as its time-out allows.
    ///
    /// - Throws: ``AerospikeError`` that tells for each seed why it was of no use, if ``run()`` failed to find any in the
    ///   time given.
    public func waitUntilConnected(timeout: Duration = .seconds(5)) async throws(AerospikeError) {
        try await cluster.waitUntilReady(timeout: timeout)
    }

    /// Runs a client for as long as a function runs.
    ///
    /// - Parameters:
    ///   - configuration: how the cluster is found.
    ///   - logger: what is told about nodes that come, go and fail.
    ///   - timeout: how long finding the cluster may take.
    ///   - body: what to do with the client, once the cluster has been found.
    /// - Returns: what the function returns.
    /// - Throws: what the function throws, or ``AerospikeError`` if the cluster is not found.
    public static func withClient<Output: Sendable>(
        _ configuration: AerospikeClientConfiguration,
        logger: Logger = Logger(label: "aerospike"),
        timeout: Duration = .seconds(5),
        _ body: (AerospikeClient) async throws -> Output
    ) async throws -> Output {
        let client = AerospikeClient(configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.cluster.run() }
            do {
                try await client.waitUntilConnected(timeout: timeout)
                let output = try await body(client)
                group.cancelAll()
                return output
            } catch {
                group.cancelAll()
                throw error
            }
        }
    }
}

extension EventLoopGroup {
    /// A few of the group's event loops, the given one first; no more than there are.
    fileprivate func loops(_ count: Int, from first: any EventLoop) -> [any EventLoop] {
        guard count > 1 else { return [first] }
        let all = Array(makeIterator())
        guard let start = all.firstIndex(where: { $0 === first }) else { return [first] }
        return (0..<min(count, all.count)).map { all[(start + $0) % all.count] }
    }
}
