import Aerospike
import AerospikeTestKit
import BeanspikeCore
import Foundation
import JobStoreTestKit
import Logging
import Testing

@testable import AerospikeStore

/// A queue of its own on the cluster that AEROSPIKE_HOST names, or on one in process.
final class AerospikeStoreFixture: StoreFixture {
    static let capabilities: FixtureCapabilities = [.sharing]
    static var earliness: Duration { .milliseconds(400) }
    static var lateness: Duration { .milliseconds(600) }

    let store: any JobStore
    private let second: any JobStore
    private let stop: @Sendable () async -> Void

    private init(store: any JobStore, second: any JobStore, stop: @escaping @Sendable () async -> Void) {
        self.store = store
        self.second = second
        self.stop = stop
    }

    /// Runs a case with a fixture of its own.
    static func with(nodes: Int = 1, _ body: (AerospikeStoreFixture) async throws -> Void) async throws {
        if let live = StoreTestCluster.live {
            return try await with(seeds: live, body)
        }
        try await TestCluster.withCluster(nodes: nodes, replicationFactor: min(2, nodes)) { cluster in
            try await with(seeds: cluster.seeds.map { .init($0.host, port: $0.port) }, body)
        }
    }

    private static func with(
        seeds: [AerospikeClientConfiguration.Host],
        _ body: (AerospikeStoreFixture) async throws -> Void
    ) async throws {
        var options = AerospikeStore.Options()
        options.setPrefix = "t\(UInt32.random(in: 0...UInt32.max))"
        options.acceptsRisks = true
        var logger = Logger(label: "test")
        logger.logLevel = .warning
        let first = try await AerospikeStore.open(seeds: seeds, namespace: "test", options: options, logger: logger)
        let second = try await AerospikeStore.open(seeds: seeds, namespace: "test", options: options, logger: logger)
        let fixture = AerospikeStoreFixture(store: first, second: second) {
            try? await first.close()
            try? await second.close()
        }
        try await body(fixture)
    }

    func advance(by duration: Duration) async throws { try await Task.sleep(for: duration) }

    func secondInstance() async throws -> any JobStore { second }

    func tearDown() async { await stop() }
}

@Suite struct AerospikeStoreConformanceTests {
    @Test(.timeLimit(.minutes(2)), arguments: Conformance.cases(for: AerospikeStoreFixture.capabilities))
    func conforms(_ conformanceCase: Conformance.Case) async throws {
        try await AerospikeStoreFixture.with { try await conformanceCase.run(on: $0) }
    }
}
