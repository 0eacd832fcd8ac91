import BeanspikeCore
import JobStoreTestKit
import NIOCore
import NIOPosix
import Testing

@testable import AerospikeStore

/// A store on an event loop that is not its own.
struct SharedLoopTests {
    @Test(.timeLimit(.minutes(2))) func aClosedStoreLeavesTheLoopAsItWas() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let cluster = try await StoreCluster.start()
        var options = AerospikeStore.Options()
        options.setPrefix = "t\(UInt32.random(in: 0...UInt32.max))"
        options.acceptsRisks = true
        let store = try await AerospikeStore.open(
            seeds: cluster.seeds,
            namespace: StoreCluster.namespace,
            options: options,
            on: loop
        )
        let session = TestClient(store, limit: .seconds(10)).openSession()
        _ = try await session.run(Request.put([1], priority: 0, delay: 0, ttr: 60))
        guard case .reserved(let job) = try await session.run(.reserve(.none)) else {
            throw ConformanceFailure("the job is not there")
        }
        try await session.expect(.delete(job.id), .deleted)
        #expect(await store.engine.hasTimer)
        try await store.close()
        #expect(await !store.engine.hasTimer)
        #expect(try await loop.submit { true }.get())
        await cluster.stop()
        try await group.shutdownGracefully()
    }
}
