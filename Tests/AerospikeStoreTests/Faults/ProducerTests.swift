import BeanspikeCore
import JobStoreTestKit
import Testing

@testable import AerospikeStore

/// Producers of several processes that put into one tube.
@Suite struct ProducerTests {
    /// However much others put, whoever puts is answered.
    @Test(.timeLimit(.minutes(1))) func nobodyIsKeptFromPuttingByOthers() async throws {
        let cluster = try await StoreCluster.start()
        let prefix = "t\(UInt32.random(in: 0...UInt32.max))"
        let busy = try await cluster.openStore(prefix)
        let rare = try await cluster.openStore(prefix)
        let crowd = TestClient(busy)
        let own = TestClient(rare).openSession()
        _ = try await own.put([0])
        let puts = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    let session = crowd.openSession()
                    var count = 0
                    while !Task.isCancelled {
                        _ = try await session.put([1])
                        count += 1
                    }
                    return count
                }
            }
            var slowest = Duration.zero
            for number in 0..<50 {
                let begin = ContinuousClock.now
                _ = try await own.put([2, UInt8(number)])
                slowest = max(slowest, ContinuousClock.now - begin)
            }
            group.cancelAll()
            var puts = 0
            for try await count in group { puts += count }
            print("one of 50 puts took \(slowest), while others made \(puts)")
            #expect(slowest < .seconds(5))
            return puts
        }
        #expect(puts > 0)
        try await busy.close()
        try await rare.close()
        await cluster.stop()
    }
}
