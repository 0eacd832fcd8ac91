import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import Testing

/// Faults by chance.
@Suite(.onThreads)
struct RandomFaultsTests {
    private func story(seed: UInt64, connection: Int = 1) -> [Fault.Effect?] {
        var faults = RandomFaults(seed: seed)
        faults.swallowReply = 0.1
        faults.dropRequest = 0.1
        faults.delayReply = 0.1
        faults.cutReply = 0.1
        faults.answerCode = 0.2
        return (0..<5000).map { faults.effect(node: 0, connection: connection, request: $0) }
    }

    @Test func theSameSeedThrowsTheSame() {
        let first = story(seed: 42)
        #expect(story(seed: 42) == first)
        #expect(story(seed: 43) != first)
        #expect(story(seed: 42, connection: 2) != first)
    }

    @Test func eachHappensAsOftenAsItShould() {
        let names = Dictionary(grouping: story(seed: 1), by: { $0?.name }).mapValues(\.count)
        for name in ["swallowReply", "dropRequest", "delayReply", "cutReply"] {
            #expect((400...600).contains(names[name] ?? 0), "\(name)")
        }
        #expect((850...1150).contains(names["answer"] ?? 0))
        #expect((1800...2200).contains(names[nil] ?? 0))
        for case .delayReply(let duration)? in story(seed: 1) {
            #expect((.zero ... .milliseconds(50)).contains(duration))
        }
        let aftermaths = story(seed: 1).compactMap { effect -> Fault.Aftermath? in
            if case .swallowReply(let aftermath)? = effect { aftermath } else { nil }
        }
        #expect(Set(aftermaths) == [.close, .stall])
    }

    @Test func callsAreHitAndInfoIsNot() async throws {
        var configuration = TestCluster.Configuration()
        var faults = RandomFaults(seed: 5)
        faults.answerCode = 0.5
        faults.resultCodes = [.keyBusy]
        configuration.randomFaults = faults
        try await TestCluster.withCluster(configuration: configuration) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            let codes = try (0..<100).map { try client.put(testKey("r\($0)"), 1) }
            for _ in 0..<20 { #expect(try client.ask("status") == "ok") }
            let expected = (1...100).map { request in
                faults.effect(node: 0, connection: 1, request: request) == nil ? ResultCode.ok : .keyBusy
            }
            #expect(codes == expected)
            #expect(cluster.counters.faults["answer"] == codes.count { $0 == .keyBusy })
            cluster.setRandomFaults(nil)
            #expect(try (0..<100).allSatisfy { try client.put(testKey("r\($0)"), 1) == .ok })
        }
    }
}
