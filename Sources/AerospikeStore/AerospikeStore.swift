public import Aerospike
public import BeanspikeCore
public import Logging
public import NIOCore
import NIOPosix

/// The queue on an Aerospike cluster, shared by any number of processes that know nothing of each other.
///
/// `docs/aerospike-data-model.md` has the records, and what holds after which failure.
public final class AerospikeStore: JobStore {
    /// How a store on a cluster behaves.
    public struct Options: Sendable {
        /// After which silence the other processes take this one for dead, and give its jobs out; 200 ms to an hour.
        public var deathInterval = Duration.seconds(2)
        /// The address to take other processes' messages on; nil for none, and then waiting consumers poll.
        public var peerHost: String? = "127.0.0.1"
        /// The port to take them on; 0 for any that is free.
        public var peerPort = 0
        /// Under which host others reach it; nil for the address above.
        public var advertisedPeerHost: String?
        /// In front of the names of the sets; several queues can so share a namespace.
        public var setPrefix = ""
        /// How long the cluster may take to be found.
        public var connectTimeout = Duration.seconds(5)
        /// Whether to use a namespace whose settings may lose acknowledged jobs.
        public var acceptsRisks = false
        /// How long a call to the cluster may take before it is in doubt.
        package var callTimeout = Duration.seconds(2)
        /// After how many reserves right behind a settled job a session's next jobs are reserved ahead.
        package var returnsMin = StoreEngine.returnsMinDefault

        /// The defaults.
        public init() {}
    }

    let engine: StoreEngine
    private let sessionIDs: SessionIDs
    private let tasks: [Task<Void, Never>]
    /// The thread that ends with the store; nil where it runs on somebody else's.
    private let ownGroup: MultiThreadedEventLoopGroup?
    private let peers: PeerNetwork?
    /// What the namespace's settings promise, and what is wrong with them.
    public let settings: SettingsReport

    private init(
        engine: StoreEngine,
        sessionIDs: SessionIDs,
        tasks: [Task<Void, Never>],
        ownGroup: MultiThreadedEventLoopGroup?,
        peers: PeerNetwork?,
        settings: SettingsReport
    ) {
        self.engine = engine
        self.sessionIDs = sessionIDs
        self.tasks = tasks
        self.ownGroup = ownGroup
        self.peers = peers
        self.settings = settings
    }

    /// Opens the queue in a namespace, and makes it if there is none.
    ///
    /// - Parameters:
    ///   - seeds: nodes of the cluster; one that answers is enough.
    ///   - namespace: the namespace.
    ///   - options: how the store behaves.
    ///   - eventLoop: what the store and its connections run on: whoever calls it on that loop has no other thread to wake. It has
    ///     to outlive the store. nil for a thread of the store's own.
    ///   - logger: what is told of nodes and processes that come and go.
    /// - Returns: the store; whoever opened it closes it.
    /// - Throws: ``JobStoreError`` `cannotOpen` where the cluster cannot be reached or its settings lose jobs, `notAStore`
    ///   or `unknownVersion` where what is there is not ours.
    public static func open(
        seeds: [AerospikeClientConfiguration.Host],
        namespace: String,
        options: Options = Options(),
        on eventLoop: (any EventLoop)? = nil,
        logger: Logger = Logger(label: "aerospike-store")
    ) async throws(JobStoreError) -> AerospikeStore {
        // One thread for the connections and the engine: nothing between a command and its request.
        var ownGroup: MultiThreadedEventLoopGroup?
        let loop: any EventLoop
        if let eventLoop {
            loop = eventLoop
        } else {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            (ownGroup, loop) = (group, group.next())
        }
        var configuration = AerospikeClientConfiguration(seeds: seeds)
        configuration.call.timeout = options.callTimeout
        // A record that many want is busy more often than twice in a row.
        configuration.call.triesMax = 12
        // A node that stands still may go on later, with calls that were made elsewhere since and on a copy that is old. It
        // reads nothing from a connection that was closed (aerospike-server 8.1, base/service.c, `handle_client_io_event`).
        configuration.stallTimeout = min(.seconds(1), options.callTimeout)
        let client = AerospikeClient(configuration, eventLoopGroup: loop, logger: logger)
        let running = Task { _ = try? await client.run() }
        do {
            return try await open(client, running, loop, ownGroup, namespace, options, logger)
        } catch {
            running.cancel()
            await running.value
            try? await ownGroup?.shutdownGracefully()
            throw (error as? JobStoreError) ?? JobStoreError(.cannotOpen, "cannot open the queue: \(error)")
        }
    }

    private static func open(
        _ client: AerospikeClient,
        _ running: Task<Void, Never>,
        _ eventLoop: any EventLoop,
        _ ownGroup: MultiThreadedEventLoopGroup?,
        _ namespace: String,
        _ options: Options,
        _ logger: Logger
    ) async throws -> AerospikeStore {
        do {
            try await client.waitUntilConnected(timeout: options.connectTimeout)
        } catch {
            throw JobStoreError(.cannotOpen, error.message)
        }
        let settings = try await SettingsReport.read(client: client, namespace: namespace)
        try settings.check(acceptingRisks: options.acceptsRisks)
        let layout = StoreLayout(namespace: namespace, prefix: options.setPrefix)
        let hook = EngineHook()
        var network: PeerNetwork?
        if let host = options.peerHost {
            network = try await PeerNetwork.open(
                on: eventLoop,
                host: host,
                port: options.peerPort,
                advertisedHost: options.advertisedPeerHost,
                events: hook.events(on: eventLoop),
                logger: logger
            )
        }
        let registry = try await ProcessRegistry.open(
            client: client,
            layout: layout,
            address: network?.address,
            deathInterval: options.deathInterval,
            logger: logger
        )
        let sessionIDs = SessionIDs()
        let engine = StoreEngine(
            client: client,
            layout: layout,
            registry: registry,
            peers: network,
            eventLoop: eventLoop,
            sessionIDs: sessionIDs,
            returnsMin: options.returnsMin,
            logger: logger
        )
        hook.set(engine)
        network?.join(as: registry.number, secret: registry.secret)
        let beating = Task { await registry.run(engine.processEvents) }
        return AerospikeStore(
            engine: engine,
            sessionIDs: sessionIDs,
            tasks: [beating, running],
            ownGroup: ownGroup,
            peers: network,
            settings: settings
        )
    }

    /// A way into the store for one thread or event loop.
    public func makePort(wake: @escaping @Sendable () -> Void) -> any JobStorePort {
        let outbox = Outbox(wake: wake)
        let engine = engine
        engine.eventLoop.execute { engine.assumeIsolated { $0.add(outbox) } }
        return AerospikeStorePort(engine: engine, outbox: outbox, sessionIDs: sessionIDs)
    }

    /// The store's own client: what the queue costs is measured beside plain calls of it.
    @_spi(Measuring) public var client: AerospikeClient { engine.client }

    /// Waits until so many other processes are known and reached.
    package func waitForPeers(_ count: Int, timeout: Duration = .seconds(10)) async throws(JobStoreError) {
        let deadline = ContinuousClock.now + timeout
        while await engine.reachedPeers() < count {
            guard ContinuousClock.now < deadline else {
                throw JobStoreError(.cannotOpen, "fewer than \(count) other processes were reached")
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// The number that others know this process by; another one after it was taken for dead.
    package var processNumber: Int { engine.registry.number }

    /// Whether others may have taken this process for dead, or soon may.
    package var isDoubtful: Bool { engine.registry.isDoubtful() }

    /// What the process is about, for a test that finds it stuck.
    package func summary() async -> String { await engine.summary }

    /// Ends the store as the death of its process would: nothing is given back, and nobody is told.
    package func abandon() async {
        for task in tasks { task.cancel() }
        await engine.abandonAll()
        await peers?.close()
        for task in tasks { await task.value }
        try? await ownGroup?.shutdownGracefully()
    }

    /// Ends the store: what is reserved through it is ready for others.
    ///
    /// - Throws: ``JobStoreError`` where jobs could not be given back; the others do it when this process is dead to them.
    public func close() async throws {
        let failure = await engine.close()
        await peers?.close()
        for task in tasks {
            task.cancel()
            await task.value
        }
        // What could not come to its end fails now, and nothing may be left for threads that are gone.
        await engine.untilIdle()
        try? await ownGroup?.shutdownGracefully()
        if let failure { throw failure }
    }
}
