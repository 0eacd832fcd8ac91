import Aerospike
import BeanspikeCore
import JobStoreTestKit
import Testing

@_spi(Measuring) @testable import AerospikeStore

@Suite struct LostBodyTests {
    @Test func aJobWhoseBodyIsLostIsBuriedAndNotInTheWay() async throws {
        let cluster = try await StoreCluster.start()
        let prefix = "t\(UInt32.random(in: 0...UInt32.max))"
        let store = try await cluster.openStore(prefix)
        let session = TestClient(store).openSession()
        let long = try await session.put([UInt8](repeating: 7, count: 5_000), priority: 1)
        let short = try await session.put([1, 2, 3], priority: 2)
        let layout = StoreLayout(namespace: StoreCluster.namespace, prefix: prefix)
        try await store.client.truncate(namespace: layout.namespace, set: layout.name(of: .bodies))
        // A real server truncates what is older than its next tick.
        try await eventually("the body is gone") {
            if case .failed = try await session.run(.peek(long)) { true } else { false }
        }
        guard case .failed(let error) = try await session.run(.reserve(.none)) else {
            Issue.record("a job without its body was handed out")
            return
        }
        #expect(error.message.contains("missing in the cluster"))
        try await eventually("it is buried") { try await session.statistics(of: long).lifecycle.state == .buried }
        #expect(try await session.statistics(of: long).attributes?.buryReason == error.message)
        #expect(try await session.reserve().id == short)
        try await session.expect(.delete(long), .deleted)
        try await store.close()
        await cluster.stop()
    }
}
