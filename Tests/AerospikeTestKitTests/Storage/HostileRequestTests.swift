import Aerospike
import AerospikeTestKit
import NIOCore
import Testing

/// Bytes that no client of good will sends.
struct HostileRequestTests {
    /// Requests of every kind, as they should be.
    private func samples() throws -> [ByteBuffer] {
        let key = Key(namespace: "test", set: "engine", "a")
        let policy = WritePolicy {
            $0.sendsKey = true
            $0.filter = .int(bin: "n") == 1
        }
        let operations: [Operation] = [
            .put("n", 1), .put("m", ["k": [1, 2, "x"]]), .add("n", 1), .get("n"), .list("l").append(3),
            .map("m").put("z", 1), .read(.int(bin: "n") + 1, as: "x"), .write(.int(bin: "n") + 1, to: "y"), .touch,
        ]
        let requests: [RecordRequest] = [
            .get(key, bins: nil, policy: ReadPolicy()), .get(key, bins: ["n", "m"], policy: ReadPolicy()),
            .put(key, bins: [("n", 1), ("s", "text"), ("y", .bytes([1, 2]))], policy: policy),
            .operate(key, operations, readPolicy: ReadPolicy(), writePolicy: policy),
            .delete(key, policy: WritePolicy()),
            .execute(key, .init(package: "p", function: "f", arguments: [1]), policy: WritePolicy()),
        ]
        var samples: [ByteBuffer] = []
        for request in requests {
            var buffer = ByteBuffer()
            try buffer.writeRequest(request, timeoutMilliseconds: 100)
            samples.append(buffer)
        }
        var batch = ByteBuffer()
        try BatchRequest(requests.enumerated().map { (UInt32($0.offset), $0.element) })
            .write(into: &batch, timeoutMilliseconds: 100)
        samples.append(batch)
        var query = QueryRequest(namespace: "test", set: "engine", taskID: 1)
        query.partitionIDs = [1, 2, 3]
        query.resumptions = [.init(digest: key.digest, indexedValue: 5)]
        query.range = .init(bin: "n", from: 1, through: 5)
        query.filter = .int(bin: "n") == 1
        query.recordsMax = 5
        query.binNames = ["n"]
        var packed = ByteBuffer()
        try query.write(into: &packed, timeoutMilliseconds: 100)
        samples.append(packed)
        return samples.map {
            $0.getSlice(at: ProtoHeader.byteCount, length: $0.readableBytes - ProtoHeader.byteCount) ?? $0
        }
    }

    private func answer(_ body: ByteBuffer, _ test: inout TestStore) throws {
        var reply = test.answer(body)
        // Whatever came, the reply is one that a client can read.
        var decoder = ReplyDecoder()
        decoder.feed(reply)
        while try decoder.next() != nil {}
        #expect(!decoder.isMidMessage)
        reply.clear()
    }

    @Test func truncatedRequestsAreRefused() throws {
        var test = TestStore()
        for sample in try samples() {
            for length in 0..<sample.readableBytes {
                try answer(try #require(sample.getSlice(at: sample.readerIndex, length: length)), &test)
            }
        }
        // None of them was whole, so nothing was written, but by batches that lost only their end.
        #expect(test.store.recordCount <= 1)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func changedBytesCrashNothing(seed: UInt64) throws {
        var generator = SeededNumbers(seed: seed)
        var test = TestStore()
        let samples = try samples()
        for _ in 0..<4000 {
            var body = try #require(samples.randomElement(using: &generator))
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = body.readerIndex + Int.random(in: 0..<body.readableBytes, using: &generator)
                let byte = [UInt8.random(in: .min ... .max, using: &generator), 0, 1, 0xff].randomElement(
                    using: &generator
                )
                body.setInteger(byte ?? 0, at: index)
            }
            try answer(body, &test)
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func randomBytesCrashNothing(seed: UInt64) throws {
        var generator = SeededNumbers(seed: seed)
        var test = TestStore()
        for _ in 0..<4000 {
            let count = Int.random(in: 0..<200, using: &generator)
            var body = ByteBuffer(bytes: (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
            if count > 22 {
                body.setInteger(UInt8(22), at: 0)
                body.setMultipleIntegers(
                    UInt16.random(in: 0..<3, using: &generator),
                    UInt16.random(in: 0..<3, using: &generator),
                    at: 18
                )
            }
            try answer(body, &test)
        }
    }
}

/// Random numbers that are the same in every run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
