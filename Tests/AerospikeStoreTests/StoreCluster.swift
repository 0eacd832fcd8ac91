import Aerospike
import AerospikeTestKit
import BeanspikeCore
import Foundation
import Logging

@testable import AerospikeStore

/// A cluster to test on: the one that AEROSPIKE_HOST names (`host[:port],…`), or one in process.
struct StoreCluster: Sendable {
    let seeds: [AerospikeClientConfiguration.Host]
    /// The in-process cluster; nil where it is a real one.
    let nodes: TestCluster?

    static let namespace = "test"

    static func start(nodes: Int = 1) async throws -> StoreCluster {
        if let live { return StoreCluster(seeds: live, nodes: nil) }
        let cluster = try await TestCluster.start(nodes: nodes, replicationFactor: min(2, nodes))
        return StoreCluster(seeds: cluster.seeds.map { .init($0.host, port: $0.port) }, nodes: cluster)
    }

    /// The nodes of a real cluster; nil where none is named.
    static var live: [AerospikeClientConfiguration.Host]? {
        guard let hosts = ProcessInfo.processInfo.environment["AEROSPIKE_HOST"], !hosts.isEmpty else { return nil }
        return hosts.split(separator: ",").map { host in
            let parts = host.split(separator: ":")
            return .init(String(parts[0]), port: parts.count > 1 ? Int(parts[1]) ?? 3_000 : 3_000)
        }
    }

    func stop() async { await nodes?.stop() }

    /// Opens a store on it.
    func openStore(_ prefix: String, _ configure: (inout AerospikeStore.Options) -> Void = { _ in }) async throws
        -> AerospikeStore
    {
        var options = AerospikeStore.Options()
        options.setPrefix = prefix
        options.acceptsRisks = true
        // Many stores run at once here, on a machine that may be busy: nobody is to be taken for dead for it.
        options.deathInterval = .seconds(5)
        configure(&options)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try await AerospikeStore.open(
            seeds: seeds,
            namespace: Self.namespace,
            options: options,
            logger: logger
        )
    }

    /// Runs a test with a client and records of its own.
    static func with(
        nodes: Int = 1,
        _ body: (AerospikeClient, StoreLayout) async throws -> Void
    ) async throws {
        let cluster = try await start(nodes: nodes)
        let layout = StoreLayout(namespace: namespace, prefix: "t\(UInt32.random(in: 0...UInt32.max))")
        do {
            try await AerospikeClient.withClient(AerospikeClientConfiguration(seeds: cluster.seeds)) { client in
                try await body(client, layout)
            }
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
    }
}
