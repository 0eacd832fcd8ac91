import Aerospike
import AerospikeTestKit
import BeanspikeCore
import Foundation
import JobStoreTestKit
import Logging
import Synchronization
import Testing

@testable import AerospikeStore

/// A queue of its own on the cluster that AEROSPIKE_HOST names, or on one in process.
final class AerospikeStoreFixture: StoreFixture {
    static let capabilities: FixtureCapabilities = [.restart, .sharing]
    static var earliness: Duration { .milliseconds(600) }
    static var lateness: Duration { .milliseconds(300) }

    private struct Stores {
        var first: AerospikeStore
        var second: AerospikeStore
    }

    private let stores: Mutex<Stores>
    private let cluster: StoreCluster
    private let prefix: String

    init(nodes: Int = 1) async throws {
        let cluster = try await StoreCluster.start(nodes: nodes)
        let prefix = "t\(UInt32.random(in: 0...UInt32.max))"
        stores = Mutex(try await Self.open(cluster, prefix))
        self.cluster = cluster
        self.prefix = prefix
    }

    private static func open(_ cluster: StoreCluster, _ prefix: String) async throws -> Stores {
        let stores = Stores(first: try await cluster.openStore(prefix), second: try await cluster.openStore(prefix))
        // The first learns of the second with its next heartbeat.
        for store in [stores.first, stores.second] { try await store.waitForPeers(1) }
        return stores
    }

    var store: any JobStore { stores.withLock { $0.first } }

    func advance(by duration: Duration) async throws { try await Task.sleep(for: duration) }

    func secondInstance() async throws -> any JobStore { stores.withLock { $0.second } }

    func restart(after downtime: Duration, wallStep: Duration) async throws {
        try await close()
        try await Task.sleep(for: downtime)
        let opened = try await Self.open(cluster, prefix)
        stores.withLock { $0 = opened }
    }

    private func close() async throws {
        let old = stores.withLock { $0 }
        try await old.first.close()
        try await old.second.close()
    }

    func tearDown() async {
        try? await close()
        await cluster.stop()
    }
}

@Suite struct AerospikeStoreConformanceTests {
    private static var cases: [Conformance.Case] {
        let cases = Conformance.cases(for: AerospikeStoreFixture.capabilities)
        guard let wanted = ProcessInfo.processInfo.environment["CONFORMANCE_CASES"] else { return cases }
        return cases.filter { $0.name.contains(wanted) }
    }

    @Test(.timeLimit(.minutes(4)), arguments: cases)
    func conforms(_ conformanceCase: Conformance.Case) async throws {
        try await conformanceCase.run(onFresh: { try await AerospikeStoreFixture() })
    }
}
