import Aerospike
import AerospikeTestKit

/// Three nodes in the test's own process.
struct InProcessCluster: FaultyCluster {
    let cluster: TestCluster

    /// Starts a cluster and ends it when a function has run.
    static func withCluster<Output>(
        _ configuration: TestCluster.Configuration = TestCluster.Configuration(),
        _ body: (InProcessCluster) async throws -> Output
    ) async throws -> Output {
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2, configuration: configuration) { cluster in
            try await body(InProcessCluster(cluster: cluster))
        }
    }

    var seeds: [AerospikeClientConfiguration.Host] { cluster.seeds.map { .init($0.host, port: $0.port) } }

    func kill(_ node: Int) async { await cluster.kill(node) }
    /// There is no other end of these nodes: an orderly one differs in what a disk keeps.
    func terminate(_ node: Int) async { await cluster.kill(node) }
    func suspend(_ node: Int) async { await cluster.suspend(node) }
    func resume(_ node: Int) async { await cluster.resume(node) }

    func restart(_ node: Int) async throws {
        try await cluster.restart(node, .empty)
        await cluster.agreed()
    }
}
