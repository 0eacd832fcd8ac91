import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// Time that a test moves, and time that does not wait for it.
@Suite(.onThreads)
struct TestClockTests {
    @Test func whatIsDueIsDoneInOrder() {
        let manual = ManualClock(startingAtUnixSeconds: 100)
        let clock = TestClock.manual(manual)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let done = Mutex<[String]>([])
        func note(_ name: String, after seconds: Int64) {
            clock.schedule(atNanoseconds: (100 + seconds) * 1_000_000_000, on: loop) {
                done.withLock { $0.append("\(name) at \(clock.nowNanoseconds / 1_000_000_000)") }
            }
        }
        note("late", after: 5)
        note("early", after: 1)
        note("with early", after: 1)
        note("now", after: 0)
        #expect(done.withLock { $0 } == ["now at 100"])
        manual.advance(by: .seconds(2))
        #expect(done.withLock { $0 } == ["now at 100", "early at 101", "with early at 101"])
        manual.advance(by: .seconds(-10))
        #expect(manual.nowNanoseconds == 102_000_000_000)
        manual.advance(by: .seconds(3))
        #expect(done.withLock { $0.last } == "late at 105")
    }

    @Test func inRealTimeNodesNoticeByThemselves() async throws {
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            let keys = (0..<30).map { testKey("real\($0)") }
            for key in keys { #expect(try client.put(key, 1) == .ok) }
            await cluster.kill(1)
            await cluster.agreed()
            for key in keys { #expect(try client.put(key, 2) == .ok) }
            try await cluster.restart(1)
            await cluster.agreed()
            let back = try RawConnection(cluster.seeds[1])
            for key in keys { #expect(try back.get(key) != nil) }
            cluster.setClockOffset(0, .seconds(-30))
            cluster.partition([0], [1, 2])
            cluster.agree()
            #expect(try client.put(keys[0], 3) == .ok)
            #expect(try back.get(keys[0]) != 3)
        }
    }
}
