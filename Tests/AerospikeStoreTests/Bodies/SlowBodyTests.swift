import Aerospike
import AerospikeTestKit
import BeanspikeCore
import JobStoreTestKit
import Testing

@testable import AerospikeStore

/// Long bodies that take their time: whoever reserved is not to get a job that became another's meanwhile.
@Suite(.enabled(if: StoreCluster.live == nil, "only nodes in process hold back what a test names"))
struct SlowBodyTests {
    private static let body = [UInt8](repeating: 7, count: 5_000)

    /// Runs a test with two processes, and bodies that cannot be read until they are let through.
    private static func with(
        _ test: (_ stores: [AerospikeStore], _ cluster: StoreCluster) async throws -> Void
    ) async throws {
        let cluster = try await StoreCluster.start()
        let prefix = "t\(UInt32.random(in: 0...UInt32.max))"
        let stores = [try await cluster.openStore(prefix), try await cluster.openStore(prefix)]
        for store in stores { try await store.waitForPeers(1) }
        let bodies = StoreLayout(namespace: StoreCluster.namespace, prefix: prefix).name(of: .bodies)
        cluster.nodes?.inject(
            Fault(.swallowReply(then: .stall), count: .max) { $0.kind == .read && $0.setName == bodies }
        )
        do {
            try await test(stores, cluster)
        } catch {
            for store in stores { try? await store.close() }
            await cluster.stop()
            throw error
        }
        for store in stores { try await store.close() }
        await cluster.stop()
    }

    private static func put(_ session: TestSession, ttr: UInt32) async throws -> JobID {
        guard case .inserted(let id) = try await session.run(Request.put(body, ttr: ttr)) else {
            throw ConformanceFailure("no job was made")
        }
        return id
    }

    @Test(.timeLimit(.minutes(2)), arguments: [false, true])
    func theTimeToRunBeginsWithTheBody(byID: Bool) async throws {
        try await Self.with { stores, cluster in
            let session = TestClient(stores[0]).openSession()
            let other = TestClient(stores[1]).openSession()
            let job = try await Self.put(other, ttr: 1)
            session.submit(byID ? .reserveJob(job) : .reserve(.none))
            try await eventually("it is reserved") { try await other.statistics(of: job).lifecycle.state == .reserved }
            try await Task.sleep(for: .milliseconds(1_300))
            #expect(try await other.statistics(of: job).lifecycle.state == .reserved)
            #expect(try session.poll() == nil)
            cluster.nodes?.clearFaults()
            #expect(try await session.reserved().id == job)
            try await session.expect(.touch(job), .touched)
            // And it ends.
            try await other.expect(.reserve(.none), .timedOut)
            #expect(try await other.reserve(.forever).id == job)
            #expect(try await other.statistics(of: job).lifecycle.timeouts == 1)
            try await session.expect(.delete(job), .notFound)
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: [false, true])
    func nobodyGetsAJobThatHisProcessHasDropped(byID: Bool) async throws {
        try await Self.with { stores, cluster in
            let session = TestClient(stores[0]).openSession()
            let other = TestClient(stores[1]).openSession()
            let job = try await Self.put(other, ttr: 0)
            session.submit(byID ? .reserveJob(job) : .reserve(.forever))
            try await eventually("it is reserved") { try await other.statistics(of: job).lifecycle.state == .reserved }
            // As when it learns that others took it for dead.
            await stores[0].engine.died()
            cluster.nodes?.clearFaults()
            try await eventually("bodies are read again") {
                if case .found = try await other.run(.peek(job)) { true } else { false }
            }
            if byID {
                #expect(try await session.reply() == .notFound)
            } else {
                let next = try await other.put([1, 2, 3])
                #expect(try await session.reserved().id == next)
            }
        }
    }
}
