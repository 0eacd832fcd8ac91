import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore
import Testing

/// Every fault happens, where and as often as it is told to.
@Suite(.onThreads)
struct FaultTests {
    private let key = testKey("fault")

    @Test func aReplyIsSwallowedAndTheConnectionClosed() async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            cluster.inject(Fault(.swallowReply(then: .close)))
            #expect(throws: RawConnection.Unexpected.closed) { try client.put(key, 1) }
            #expect(try RawConnection(cluster.seeds[0]).get(key) == 1)
            #expect(cluster.counters.faults == ["swallowReply": 1])
        }
    }

    @Test func aReplyIsSwallowedAndTheConnectionStalls() async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            cluster.inject(Fault(.swallowReply(then: .stall)))
            client.setPatience(milliseconds: 100)
            #expect(throws: RawConnection.Unexpected.silence) { try client.put(key, 1) }
            #expect(throws: RawConnection.Unexpected.silence) { try client.put(testKey("later"), 1) }
            let other = try RawConnection(cluster.seeds[0])
            #expect(try other.get(key) == 1)
            #expect(try other.get(testKey("later")) == nil)
        }
    }

    @Test func aRequestIsDropped() async throws {
        try await TestCluster.withCluster { cluster in
            for aftermath in [Fault.Aftermath.close, .stall] {
                let client = try RawConnection(cluster.seeds[0])
                cluster.inject(Fault(.dropRequest(then: aftermath)))
                client.setPatience(milliseconds: 100)
                #expect(throws: RawConnection.Unexpected.self) { try client.put(key, 1) }
                #expect(try RawConnection(cluster.seeds[0]).get(key) == nil)
            }
        }
    }

    @Test func aReplyAndThoseAfterItAreDelayed() async throws {
        let clock = ManualClock()
        var configuration = TestCluster.Configuration()
        configuration.clock = .manual(clock)
        try await TestCluster.withCluster(configuration: configuration) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            cluster.inject(Fault(.delayReply(.seconds(5))))
            client.setPatience(milliseconds: 100)
            try client.send(.put(key, bins: [("v", 1)], policy: WritePolicy()))
            try client.send(.put(testKey("behind"), bins: [("v", 2)], policy: WritePolicy()))
            #expect(throws: RawConnection.Unexpected.silence) { try client.receive() }
            // The one is applied and not answered; the other waits for its turn.
            let other = try RawConnection(cluster.seeds[0])
            #expect(try other.get(key) == 1)
            #expect(try other.get(testKey("behind")) == nil)
            clock.advance(by: .seconds(6))
            client.setPatience(milliseconds: 10_000)
            #expect(try client.receiveMessage().resultCode == .ok)
            #expect(try client.receiveMessage().resultCode == .ok)
            #expect(try other.get(testKey("behind")) == 2)
        }
    }

    @Test(arguments: [0, 1, 7, 8, 29])
    func aConnectionIsCutInTheMiddleOfAReply(afterBytes count: Int) async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            cluster.inject(Fault(.cutReply(afterBytes: count), skipping: 2))
            var buffer = ByteBuffer()
            for number in 0..<5 {
                let put = RecordRequest.put(testKey("cut\(number)"), bins: [("v", 1)], policy: WritePolicy())
                try buffer.writeRequest(put, timeoutMilliseconds: 0)
            }
            try client.send(buffer)
            var received = 0
            while true {
                let bytes = try client.receiveBytes()
                guard bytes.readableBytes > 0 else { break }
                received += bytes.readableBytes
            }
            // Two whole replies of 30 bytes, and a part of the third.
            #expect(received == 60 + count)
            let other = try RawConnection(cluster.seeds[0])
            #expect(try (0..<5).map { try other.get(testKey("cut\($0)")) } == [1, 1, 1, nil, nil])
        }
    }

    @Test(arguments: [ResultCode.timeout, .keyBusy, .deviceOverload, .outOfSpace, .partitionUnavailable])
    func aCodeIsAnswered(_ code: ResultCode) async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            cluster.inject(Fault(.answer(code, isApplied: false)))
            #expect(try client.put(key, 1) == code)
            #expect(try client.get(key) == nil)
            cluster.inject(Fault(.answer(code, isApplied: true)))
            #expect(try client.put(key, 2) == code)
            #expect(try client.get(key) == 2)
            let batch = BatchRequest([(0, .get(key, bins: nil, policy: ReadPolicy()))])
            var buffer = ByteBuffer()
            try batch.write(into: &buffer, timeoutMilliseconds: 0)
            cluster.inject(Fault(.answer(code, isApplied: false)))
            #expect(try #require(throws: AerospikeError.self) { try client.stream(buffer) }.code == code)
        }
    }

    @Test func aPartOfABatchFails() async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            let keys = (0..<5).map { testKey("part\($0)") }
            for (part, isApplied) in [(1, false), (3, true)] {
                let digest = keys[part].digest
                var fault = Fault(.answer(.keyBusy, isApplied: isApplied)) { $0.digest == digest && $0.kind == .write }
                fault.scope = .batchPart
                cluster.inject(fault)
            }
            // What comes by itself is no part of a batch.
            #expect(try client.put(keys[1], 0) == .ok)
            let batch = BatchRequest(
                keys.enumerated().map { (UInt32($0), .put($1, bins: [("v", 1)], policy: WritePolicy())) }
            )
            var buffer = ByteBuffer()
            try batch.write(into: &buffer, timeoutMilliseconds: 0)
            let codes = try client.stream(buffer).map(\.resultCode)
            #expect(codes == [.ok, .keyBusy, .ok, .keyBusy, .ok])
            #expect(try keys.map { try client.get($0) } == [1, 0, 1, 1, 1])
            #expect(cluster.counters.faults == ["answer": 2])
        }
    }

    @Test func otherBytesAreSent() async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            cluster.inject(Fault(.sendBytes([9, 9, 9, 9, 9, 9, 9, 9], then: .close)))
            #expect(throws: AerospikeError.self) { try client.put(key, 1) }
            #expect(try RawConnection(cluster.seeds[0]).get(key) == 1)
        }
    }

    @Test func faultsHitWhatTheirRuleSays() async throws {
        try await TestCluster.withCluster(nodes: 2) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            let other = try RawConnection(cluster.seeds[1])
            cluster.inject(
                Fault(.answer(.keyBusy, isApplied: false), nodes: [0], skipping: 1, count: 2) { request in
                    request.kind == .write && request.setName == "hit" && request.operationCount == 1
                }
            )
            let hit = Key(namespace: "test", set: "hit", "k")
            #expect(try other.put(hit, 0) == .ok)
            #expect(try client.put(key, 0) == .ok)
            #expect(try client.get(hit) == 0)
            #expect(try [1, 2, 3, 4].map { try client.put(hit, $0) } == [.ok, .keyBusy, .keyBusy, .ok])
            #expect(cluster.faultsLeft == 0)
            cluster.inject(Fault(.answer(.keyBusy, isApplied: false)) { $0.digest == hit.digest })
            #expect(try client.get(key) == 0)
            cluster.clearFaults()
            #expect(try client.get(hit) == 4)
            cluster.inject(Fault(.swallowReply(then: .close)) { $0.infoNames.contains("replicas") })
            #expect(try client.ask("node") == cluster.name(ofNode: 0))
            #expect(throws: RawConnection.Unexpected.closed) { try client.ask("replicas") }
        }
    }

    @Test func connectionsAreCutRefusedAndLimited() async throws {
        try await TestCluster.withCluster { cluster in
            let seed = cluster.seeds[0]
            let client = try RawConnection(seed)
            _ = try client.ask("node")
            #expect(cluster.connectionCount(ofNode: 0) == 1)
            await cluster.cutConnections(toNode: 0)
            #expect(throws: RawConnection.Unexpected.closed) { try client.ask("node") }
            try await cluster.setRefusesConnections(true, node: 0)
            #expect(throws: RawConnection.Unexpected.refused) { try RawConnection(seed) }
            try await cluster.setRefusesConnections(false, node: 0)
            cluster.setConnectionsMax(1, node: 0)
            let first = try RawConnection(seed)
            #expect(try first.ask("status") == "ok")
            #expect(throws: RawConnection.Unexpected.closed) { try RawConnection(seed).ask("status") }
            #expect(try first.ask("status") == "ok")
            #expect(cluster.counters.connectionsRefused == 1)
        }
    }

    @Test func aNodeReadsSlowly() async throws {
        let clock = ManualClock()
        var configuration = TestCluster.Configuration()
        configuration.clock = .manual(clock)
        try await TestCluster.withCluster(configuration: configuration) { cluster in
            cluster.setReadPace(bytes: 4, every: .seconds(1), node: 0)
            let client = try RawConnection(cluster.seeds[0])
            var buffer = ByteBuffer()
            try InfoMessage.write(["status"], into: &buffer)
            try client.send(buffer)
            client.setPatience(milliseconds: 50)
            // 15 bytes in pieces of 4.
            for _ in 0..<3 {
                #expect(throws: RawConnection.Unexpected.silence) { try client.receive() }
                clock.advance(by: .seconds(1))
            }
            #expect(throws: RawConnection.Unexpected.silence) { try client.receive() }
            client.setPatience(milliseconds: 10_000)
            clock.advance(by: .seconds(1))
            guard case .info = try client.receive() else { throw RawConnection.Unexpected.frame }
        }
    }

    @Test func clocksAreSkewed() async throws {
        let clock = ManualClock()
        var configuration = TestCluster.Configuration()
        configuration.clock = .manual(clock)
        try await TestCluster.withCluster(nodes: 2, configuration: configuration) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            let keys = (0..<20).map { testKey("skew\($0)") }
            cluster.setClockOffset(1, .seconds(30))
            for key in keys { #expect(try client.put(key, 1) == .ok) }
            let times = keys.map { key -> (node: Int?, time: Int64?) in
                let node = cluster.master(of: key)
                return (node, node.flatMap { cluster.lastUpdateNanoseconds(of: key, onNode: $0) })
            }
            #expect(Set(times.map(\.node)) == [0, 1])
            for (node, time) in times {
                #expect(time == clock.nowNanoseconds + (node == 1 ? 30_000_000_000 : 0))
            }
        }
    }
}
