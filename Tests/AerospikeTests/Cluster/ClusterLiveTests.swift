import Aerospike
import AerospikeTestSupport
import Logging
import NIOCore
import NIOPosix
import Testing

/// A cluster that is tended as long as a test's body runs.
func withCluster(
    _ configuration: AerospikeClientConfiguration,
    _ body: (Cluster) async throws -> Void
) async throws {
    let cluster = Cluster(
        configuration: configuration,
        connector: Connector(),
        eventLoops: Array(MultiThreadedEventLoopGroup.singleton.makeIterator()),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await cluster.run() }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(cluster))
        } catch {
            result = .failure(error)
        }
        group.cancelAll()
        try await group.waitForAll()
        try result.get()
    }
}

/// What goes for every cluster, tested where nobody listens.
@Suite struct ClusterTests {
    /// Ports on which nobody listens: the system gives out none below 1024, and no service uses these.
    private static let nowhere = AerospikeClientConfiguration(seeds: [
        .init("127.0.0.1", port: 1), .init("127.0.0.1", port: 2),
    ])

    @Test func theErrorTellsOfEachSeed() async throws {
        try await withCluster(Self.nowhere) { cluster in
            let error = await #expect(throws: AerospikeError.self) {
                try await cluster.waitUntilReady(timeout: .milliseconds(300))
            }
            #expect(error?.code == .connection)
            #expect(error?.message.contains("127.0.0.1:1: ") == true)
            #expect(error?.message.contains("127.0.0.1:2: ") == true)
            #expect(cluster.map.nodes.isEmpty)
        }
    }

    @Test func waitingCanBeCancelled() async throws {
        try await withCluster(Self.nowhere) { cluster in
            let code = await withTaskGroup(of: ResultCode?.self) { group in
                group.addTask {
                    do throws(AerospikeError) {
                        try await cluster.waitUntilReady(timeout: .seconds(60))
                        return nil
                    } catch {
                        return error.code
                    }
                }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(code == .cancelled)
        }
    }

    @Test func aClusterRunsOnceOnly() async throws {
        try await withCluster(Self.nowhere) { cluster in
            // This waits until the first run has begun.
            _ = try? await cluster.waitUntilReady(timeout: .milliseconds(100))
            let error = await #expect(throws: AerospikeError.self) { try await cluster.run() }
            #expect(error?.code == .client)
        }
    }
}

/// A real server as a cluster.
@Suite(
    .enabled(
        if: RealServer.isNamed,
        "set AEROSPIKE_HOST to host or host:port of a server with a namespace test"
    )
)
struct ClusterLiveTests {
    private var configuration: AerospikeClientConfiguration {
        AerospikeClientConfiguration(seeds: ServerUnderTest.namedSeeds)
    }

    @Test func aServerIsFoundAndItsConnectionsWork() async throws {
        var left: NodeConnection?
        try await withCluster(configuration) { cluster in
            try await cluster.waitUntilReady(timeout: .seconds(120))
            let map = cluster.map
            let node = try #require(map.node(for: Key(namespace: "test", "k")))
            #expect(map.hasNamespace("test") && map.replicaCount("test") >= 1)
            #expect((0..<4096).allSatisfy { map.master(ofPartition: $0, namespace: "test") != nil })
            let connection = try #require(node.connection())
            let values = try await connection.info(["node"], deadline: .now() + .seconds(30))
            #expect(values["node"] == node.name)
            let loop = connection.eventLoop
            #expect(node.connection(preferring: loop)?.eventLoop === loop)
            left = connection
        }
        #expect(left?.isOpen == false)
    }

    @Test func brokenConnectionsAreReplaced() async throws {
        try await withCluster(configuration) { cluster in
            try await cluster.waitUntilReady(timeout: .seconds(120))
            let node = try #require(cluster.map.nodes.first)
            for _ in 0..<3 {
                let connection = try #require(await eventually { node.connection() })
                connection.close()
                #expect(node.connection() !== connection)
                try await connection.closed.get()
            }
            #expect(await eventually { node.connectionCount == 4 ? true : nil } == true)
        }
    }

    @Test func aClusterOfAnotherNameIsRefused() async throws {
        var configuration = configuration
        configuration.clusterName = "no such cluster"
        try await withCluster(configuration) { cluster in
            let error = await #expect(throws: AerospikeError.self) {
                try await cluster.waitUntilReady(timeout: .seconds(60))
            }
            #expect(error?.code == .client)
            #expect(error?.message.contains("no such cluster") == true)
        }
    }
}

/// Waits for something that has no signal, for two minutes at most.
func eventually<Value>(_ value: () -> Value?) async -> Value? {
    let deadline = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < deadline {
        if let value = value() {
            return value
        }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return nil
}
