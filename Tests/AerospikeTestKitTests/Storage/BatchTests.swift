import Aerospike
import AerospikeTestKit
import NIOCore
import Testing

struct BatchTests {
    private func key(_ number: Int64) -> Key {
        Key(namespace: "test", set: "engine", .integer(number))
    }

    private func get(_ number: Int64) -> RecordRequest {
        .get(key(number), bins: nil, policy: ReadPolicy())
    }

    private func messages(_ batch: BatchRequest, _ test: inout TestStore) throws -> [ReplyMessage] {
        var buffer = ByteBuffer()
        try batch.write(into: &buffer, timeoutMilliseconds: 1000)
        return try test.messages(buffer)
    }

    @Test func everyPartIsAnswered() throws {
        var test = TestStore()
        let policy = WritePolicy { $0.sendsKey = true }
        let requests: [RecordRequest] = [
            .put(key(1), bins: [("a", 1)], policy: policy), .put(key(2), bins: [("a", 2)], policy: WritePolicy()),
            get(1), get(2), get(3),
            .operate(key(1), [.add("a", 5), .get("a")], readPolicy: ReadPolicy(), writePolicy: WritePolicy()),
            .delete(key(2), policy: WritePolicy()), .exists(key(2), policy: ReadPolicy()),
        ]
        let parts = requests.enumerated().map { (index: UInt32($0.offset * 10), request: $0.element) }
        let messages = try messages(BatchRequest(parts), &test)
        #expect(messages.count == requests.count + 1)
        #expect(messages.last?.isLast == true)
        #expect(messages.last?.resultCode == .ok)
        let answers = messages.dropLast()
        #expect(answers.map(\.batchIndex) == parts.map(\.index))
        #expect(answers.map(\.resultCode) == [.ok, .ok, .ok, .ok, .notFound, .ok, .ok, .notFound])
        #expect(try answers[2].record().bins == [Bin("a", 1)])
        #expect(try answers[3].record().bins == [Bin("a", 2)])
        #expect(try answers[5].record(answering: requests[5]).values == [nil, 6])
        #expect(test.store.record(key(1).digest)?.key.userKey == 1)
        #expect(test.unknown.isEmpty)
    }

    @Test func withoutBeingToldToGoOnABatchTellsOnlyItsFailure() throws {
        var test = TestStore()
        try test.put(key(1), [("a", "text")])
        let parts: [(index: UInt32, request: RecordRequest)] = [
            (0, get(1)),
            (1, .operate(key(1), [.add("a", 1)], readPolicy: ReadPolicy(), writePolicy: WritePolicy())),
            (2, .put(key(2), bins: [("a", 1)], policy: WritePolicy())),
        ]
        let messages = try messages(BatchRequest(parts, flags: []), &test)
        #expect(messages.map(\.resultCode) == [.incompatibleType])
        #expect(messages.first?.isLast == true)
        #expect(test.store.record(key(2).digest) != nil)
    }

    @Test func longRepliesAreCut() throws {
        var test = TestStore()
        let body = Value.bytes([UInt8](repeating: 7, count: 60_000))
        for number in 0..<10 {
            try test.put(key(Int64(number)), [("a", body)])
        }
        let parts = (0..<10).map { (index: UInt32($0), request: get(Int64($0))) }
        var buffer = ByteBuffer()
        try BatchRequest(parts).write(into: &buffer, timeoutMilliseconds: 0)
        var reply = try test.exchange(buffer)
        var protoCount = 0
        while let word = reply.readInteger(as: UInt64.self) {
            let header = try ProtoHeader(word: word, bodyBytesMax: 200_000)
            reply.moveReaderIndex(forwardBy: header.bodyByteCount)
            protoCount += 1
        }
        #expect(protoCount == 5)
        #expect(try messages(BatchRequest(parts), &test).count == 11)
    }

    @Test func aPartThatMakesNoSenseEndsTheBatch() throws {
        var test = TestStore()
        let elsewhere = RecordRequest.get(Key(namespace: "elsewhere", 1), bins: nil, policy: ReadPolicy())
        let put = RecordRequest.put(key(1), bins: [("a", 1)], policy: WritePolicy())
        let messages = try messages(BatchRequest([(0, put), (1, elsewhere), (2, get(1))]), &test)
        #expect(messages.map(\.resultCode) == [.invalidRequest])
        #expect(test.store.recordCount == 1)
    }

    @Test func batchesHaveAMostOfParts() throws {
        var buffer = ByteBuffer()
        try BatchRequest((0..<3).map { (UInt32($0), get(Int64($0))) }).write(into: &buffer, timeoutMilliseconds: 0)
        buffer.moveReaderIndex(forwardBy: ProtoHeader.byteCount)
        let message = try RequestMessage(body: buffer)
        #expect(throws: Refusal.self) { try BatchMessage(message, partsMax: 2) { _ in true } }
        #expect(try BatchMessage(message, partsMax: 3) { _ in true }.parts.count == 3)
        #expect(try BatchMessage(message, partsMax: 0) { _ in true }.parts.count == 3)
    }
}
