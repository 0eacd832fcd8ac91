import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore
import Testing

/// One node, over its port.
@Suite(.onThreads)
struct NodeTests {
    @Test func recordsAreKept() async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            #expect(try client.put(testKey("a"), 7) == .ok)
            #expect(try client.get(testKey("a")) == 7)
            #expect(try client.delete(testKey("a")) == .ok)
            #expect(try client.get(testKey("a")) == nil)
            #expect(cluster.counters.unknownRequests == [])
        }
    }

    @Test func requestsInOneSendAreAnsweredInOrderWhateverTheirKind() async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            var buffer = ByteBuffer()
            for number in 0..<300 {
                let key = testKey("ordered\(number)")
                let put = RecordRequest.put(key, bins: [("v", .integer(Int64(number)))], policy: WritePolicy())
                try buffer.writeRequest(put, timeoutMilliseconds: 0)
                try InfoMessage.write(["node"], into: &buffer)
                try buffer.writeRequest(.get(key, bins: nil, policy: ReadPolicy()), timeoutMilliseconds: 0)
                buffer.writeSecurity(command: 20, [])
            }
            try client.send(buffer)
            for number in 0..<300 {
                #expect(try client.receiveMessage().resultCode == .ok)
                guard case .info(let body) = try client.receive() else { throw RawConnection.Unexpected.frame }
                #expect(try InfoMessage.parse(body) == ["node": cluster.name(ofNode: 0)])
                #expect(try client.receiveMessage().record()["v"] == .integer(Int64(number)))
                guard case .security(let body) = try client.receive() else { throw RawConnection.Unexpected.frame }
                #expect(body.getInteger(at: body.readerIndex + 1, as: UInt8.self) == 51)
            }
        }
    }

    @Test(
        arguments: [
            [1, 1, 0, 0, 0, 0, 0, 0], [0, 3, 0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0, 0], [2, 9, 0, 0, 0, 0, 0, 0],
            [2, 3, 0, 0, 0x10, 0, 0, 0], [0x47, 0x45, 0x54, 0x20, 0x2f, 0x20, 0x48, 0x54],
        ] as [[UInt8]]
    )
    func whatIsNotTheProtocolEndsTheConnection(_ bytes: [UInt8]) async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            try client.send(ByteBuffer(bytes: bytes))
            #expect(throws: RawConnection.Unexpected.closed) { try client.receive() }
            #expect(cluster.counters.protocolViolations == 1)
            #expect(try RawConnection(cluster.seeds[0]).ask("status") == "ok")
        }
    }

    @Test func refusalsKeepTheConnection() async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            // A body that is no message, a compressed one, and a namespace that is not there.
            try client.send(ByteBuffer(bytes: [2, 3, 0, 0, 0, 0, 0, 3, 1, 2, 3]))
            #expect(try client.receiveMessage().resultCode == .invalidRequest)
            try client.send(ByteBuffer(bytes: [2, 4, 0, 0, 0, 0, 0, 3, 1, 2, 3]))
            #expect(try client.receiveMessage().resultCode == .enterpriseOnly)
            let nowhere = Key(namespace: "nowhere", "k")
            #expect(try client.code(.get(nowhere, bins: nil, policy: ReadPolicy())) == .namespaceNotFound)
            #expect(try client.put(testKey("after"), 1) == .ok)
        }
    }

    @Test func requestsArriveInWhateverPieces() async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            var buffer = ByteBuffer()
            let put = RecordRequest.put(testKey("pieces"), bins: [("v", "x")], policy: WritePolicy())
            try buffer.writeRequest(put, timeoutMilliseconds: 0)
            try InfoMessage.write(["build"], into: &buffer)
            while let byte = buffer.readSlice(length: 1) {
                try client.send(byte)
            }
            #expect(try client.receiveMessage().resultCode == .ok)
            guard case .info = try client.receive() else { throw RawConnection.Unexpected.frame }
        }
    }

    @Test func aClientThatDoesNotReadCostsNoMoreThanItsSocket() async throws {
        try await TestCluster.withCluster { cluster in
            let slow = try RawConnection(cluster.seeds[0], receiveBufferBytes: 4096)
            let key = testKey("large")
            #expect(try slow.put(key, .string(String(repeating: "x", count: 100_000))) == .ok)
            var gets = ByteBuffer()
            for _ in 0..<20_000 {
                try gets.writeRequest(.get(key, bins: nil, policy: ReadPolicy()), timeoutMilliseconds: 0)
            }
            slow.setPatience(milliseconds: 300)
            _ = try slow.sendSome(gets)
            // 20,000 replies would be 2 GB; what the sockets and one reply hold is all that was made.
            #expect(cluster.counters.bytesSent < 20_000_000)
            #expect(cluster.counters.requests[.read] ?? 0 < 200)
            // Nobody else is held up, and the slow one gets its replies when it reads.
            #expect(try RawConnection(cluster.seeds[0]).ask("status") == "ok")
            slow.setPatience(milliseconds: 10_000)
            for _ in 0..<200 {
                #expect(try slow.receiveMessage().resultCode == .ok)
            }
        }
    }

    @Test func whatIsServedIsCounted() async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            cluster.resetCounters()
            _ = try client.put(testKey("counted"), 1)
            _ = try client.call(
                .operate(
                    testKey("counted"),
                    [.add("v", 1), .get("v")],
                    readPolicy: ReadPolicy(),
                    writePolicy: WritePolicy()
                )
            )
            _ = try client.get(testKey("counted"))
            _ = try client.delete(testKey("counted"))
            _ = try client.get(testKey("counted"))
            _ = try client.info("node", "replicas:max=1", "nonsense")
            let counters = cluster.counters
            #expect(counters.requests == [.write: 2, .read: 2, .delete: 1, .info: 1])
            #expect(counters.requestCount == 6)
            #expect(counters.calls == 5)
            #expect(counters.operations == 3)
            #expect(counters.resultCodes == [.ok: 4, .notFound: 1])
            #expect(counters.infoNames == ["node": 1, "replicas": 1, "nonsense": 1])
            #expect(counters.bytesReceived > 100)
            #expect(counters.bytesSent > 100)
            #expect(counters.unknownRequests == [])
        }
    }

    @Test func whatIsUnknownIsCountedLoudly() async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            // A real server answers this one, and no server that one.
            #expect(try client.ask("latencies:") == "ERROR:4:unrecognized command")
            #expect(try client.ask("no-such-name") == "ERROR:4:unrecognized command")
            #expect(cluster.counters.unknownRequests == ["info latencies:"])
            let call = RecordRequest.Program(package: "nothing", function: "here", arguments: [])
            #expect(try client.code(.execute(testKey("u"), call, policy: WritePolicy())) == .unsupportedFeature)
            #expect(cluster.counters.unknownRequests.count == 2)
        }
    }

    @Test func programsAreSwiftFunctions() async throws {
        try await TestCluster.withCluster { cluster in
            cluster.register(package: "p", function: "double") { bins, _ in
                let value = bins?.first?.value.integer ?? 1
                bins = [Bin("v", .integer(value * 2))]
                return .integer(value * 2)
            }
            let client = try RawConnection(cluster.seeds[0])
            let call = RecordRequest.Program(package: "p", function: "double", arguments: [])
            #expect(try client.call(.execute(testKey("p"), call, policy: WritePolicy())).bins == [Bin("SUCCESS", 2)])
            #expect(try client.call(.execute(testKey("p"), call, policy: WritePolicy())).bins == [Bin("SUCCESS", 4)])
            #expect(try client.get(testKey("p")) == 4)
        }
    }

    @Test func theTestMovesTheTime() async throws {
        let clock = ManualClock()
        var configuration = TestCluster.Configuration()
        configuration.clock = .manual(clock)
        try await TestCluster.withCluster(configuration: configuration) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            var policy = WritePolicy()
            policy.timeToLive = .seconds(10)
            #expect(try client.code(.put(testKey("ttl"), bins: [("v", 1)], policy: policy)) == .ok)
            clock.advance(by: .seconds(9))
            #expect(try client.get(testKey("ttl")) == 1)
            clock.advance(by: .seconds(2))
            #expect(try client.get(testKey("ttl")) == nil)
        }
    }
}

extension ByteBuffer {
    /// Writes a message about users.
    mutating func writeSecurity(command: UInt8, _ fields: [(UInt8, [UInt8])]) {
        let start = writerIndex
        writeInteger(UInt64(0))
        writeBytes([0, 0, command, UInt8(fields.count)] + Array(repeating: 0, count: 12))
        for (id, value) in fields {
            writeInteger(UInt32(value.count + 1))
            writeInteger(id)
            writeBytes(value)
        }
        let length = writerIndex - start - ProtoHeader.byteCount
        setInteger(ProtoHeader(kind: .security, bodyByteCount: length).word, at: start)
    }
}
