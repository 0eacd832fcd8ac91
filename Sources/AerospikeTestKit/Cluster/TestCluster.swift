import Aerospike
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A cluster of Aerospike in this process, for tests: nodes that listen on real ports of the loopback interface.
///
/// ```swift
/// try await TestCluster.withCluster(nodes: 3, replicationFactor: 2) { cluster in
///     let seed = cluster.seeds[0]
///     // Connect a client to seed.host and seed.port; then see what it makes of a node's death.
///     await cluster.kill(1)
/// }
/// ```
///
/// The nodes keep records, evaluate the operations and expressions that clients send, answer info requests, and count
/// what they serve. What they do not know they refuse, say so on standard error, and count in
/// ``NodeCounters/unknownRequests``, which a test should find empty. Records are in memory; a node that is killed may
/// keep them as if they were on its disk.
///
/// Time goes by ``Configuration-swift.struct/clock``, so that a test may move it.
public final class TestCluster: Sendable {
    /// Where a node listens.
    public struct Seed: Sendable, Hashable {
        /// The address, of the loopback interface.
        public var host: String
        /// The port.
        public var port: Int

        /// An address.
        ///
        /// - Parameters:
        ///   - host: the host's name or number.
        ///   - port: the port.
        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// Why a cluster did not start.
    public struct StartFailure: Error, CustomStringConvertible {
        /// What went wrong.
        public var description: String
    }

    let host: ClusterHost
    private let group: MultiThreadedEventLoopGroup
    private let tlsContext: NIOSSLContext?
    private let sockets = Mutex<[NodeSockets]>([])

    // MARK: Starting and stopping

    private init(replicationFactor: Int, configuration: Configuration) throws {
        tlsContext = try configuration.tls.map { try $0.makeContext() }
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let cluster = SimulatedCluster(replicationFactor: replicationFactor, configuration: configuration)
        host = ClusterHost(cluster, eventLoop: group.next())
        if let seed = configuration.randomFaults?.seed {
            StandardError.print("random faults with seed \(seed)")
        }
    }

    /// Starts a cluster, lets a test use it, and stops it.
    ///
    /// - Parameters:
    ///   - nodes: how many nodes it has, from 1 to 32; 1 by default.
    ///   - replicationFactor: how many copies of each record there are; 1 by default.
    ///   - configuration: what the nodes are told to do.
    ///   - body: the test.
    /// - Returns: what the test returns.
    /// - Throws: what the test throws, or why the cluster did not start.
    public static func withCluster<Result>(
        nodes: Int = 1,
        replicationFactor: Int = 1,
        configuration: Configuration = Configuration(),
        _ body: (TestCluster) async throws -> Result
    ) async throws -> Result {
        let cluster = try await start(
            nodes: nodes,
            replicationFactor: replicationFactor,
            configuration: configuration
        )
        do {
            let result = try await body(cluster)
            await cluster.stop()
            return result
        } catch {
            await cluster.stop()
            throw error
        }
    }

    /// Starts a cluster, which is to be stopped with ``stop()``.
    ///
    /// - Parameters:
    ///   - nodes: how many nodes it has, from 1 to 32; 1 by default.
    ///   - replicationFactor: how many copies of each record there are; 1 by default.
    ///   - configuration: what the nodes are told to do.
    /// - Returns: the cluster, whose nodes all listen and have agreed on who they are.
    /// - Throws: why it did not start.
    public static func start(
        nodes: Int = 1,
        replicationFactor: Int = 1,
        configuration: Configuration = Configuration()
    ) async throws -> TestCluster {
        let cluster = try TestCluster(replicationFactor: replicationFactor, configuration: configuration)
        do {
            try await cluster.begin(nodes: nodes).get()
            return cluster
        } catch {
            await cluster.stop()
            throw error
        }
    }

    /// Starts a cluster that lasts as long as the process, and waits for it; not to be called on an event loop.
    package static func startBlocking(
        nodes: Int = 1,
        replicationFactor: Int = 1,
        configuration: Configuration = Configuration()
    ) throws -> TestCluster {
        let cluster = try TestCluster(replicationFactor: replicationFactor, configuration: configuration)
        try cluster.begin(nodes: nodes).wait()
        return cluster
    }

    private func begin(nodes: Int) throws -> EventLoopFuture<Void> {
        guard (1...NodeSet.nodesMax).contains(nodes) else {
            throw StartFailure(description: "A cluster has 1 to \(NodeSet.nodesMax) nodes, not \(nodes).")
        }
        let futures = try (0..<nodes).map { _ in try makeNode().future }
        host.withCluster { cluster, now in cluster.recluster(now) }
        return EventLoopFuture.andAllSucceed(futures, on: group.next())
    }

    private func makeNode() throws -> (place: Int, future: EventLoopFuture<Void>) {
        let clear = try PortReservation()
        let tls = try tlsContext.map { _ in try PortReservation() }
        let place = sockets.withLock { sockets in
            sockets.append(NodeSockets(clear: clear, tls: tls))
            return host.addNode(port: clear.port, tlsPort: tls?.port ?? 0)
        }
        return (place, listen(place))
    }

    private func listen(_ node: Int) -> EventLoopFuture<Void> {
        let (port, tlsPort) = sockets.withLock { ($0[node].clear.port, $0[node].tls?.port) }
        let tls = tlsContext.flatMap { context in tlsPort.map { (port: $0, context: context) } }
        return NodeListener.open(node: node, port: port, tls: tls, host: host, group: group).map { [self] listener in
            sockets.withLock { $0[node].listener = listener }
        }
    }

    /// Stops all nodes and closes all sockets.
    public func stop() async {
        let channels = host.end()
        for node in sockets.withLock({ $0.indices }) {
            await stopListening(node)
        }
        for channel in channels {
            try? await channel.close()
        }
        try? await group.shutdownGracefully()
    }

    // MARK: Looking

    /// Where the nodes listen in clear, by their places.
    public var seeds: [Seed] {
        sockets.withLock { $0.map { Seed(host: "127.0.0.1", port: $0.clear.port) } }
    }

    /// Where the nodes listen for TLS, by their places; empty if they do not.
    public var tlsSeeds: [Seed] {
        sockets.withLock { $0.compactMap { $0.tls }.map { Seed(host: "127.0.0.1", port: $0.port) } }
    }

    // MARK: Sockets

    func stopListening(_ node: Int) async {
        let listener = sockets.withLock { sockets -> NodeListener? in
            defer { sockets[node].listener = nil }
            return sockets[node].listener
        }
        for future in listener?.close() ?? [] {
            try? await future.get()
        }
    }

    func startListening(_ node: Int) async throws {
        guard sockets.withLock({ $0[node].listener == nil }) else { return }
        try await listen(node).get()
    }

    func setAccepting(_ isAccepting: Bool, node: Int) async {
        let listener = sockets.withLock { $0[node].listener }
        for future in listener?.setAccepting(isAccepting) ?? [] {
            try? await future.get()
        }
    }

    func closeConnections(ofNode node: Int) async {
        await host.cutConnections(ofNode: node)
    }

    /// Starts one more node.
    func startNode() async throws -> Int {
        let (place, future) = try makeNode()
        try await future.get()
        return place
    }
}

/// A node's ports, and its listener while it listens.
private struct NodeSockets: Sendable {
    let clear: PortReservation
    let tls: PortReservation?
    var listener: NodeListener?
}

extension TestCluster.TLS {
    /// What NIO makes of the certificates.
    func makeContext() throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificateChainPEM.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(privateKeyPEM.utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        if let clientAuthorityPEM {
            let authorities = try NIOSSLCertificate.fromPEMBytes(Array(clientAuthorityPEM.utf8))
            configuration.trustRoots = .certificates(authorities)
            configuration.certificateVerification = .noHostnameVerification
        }
        return try NIOSSLContext(configuration: configuration)
    }
}
