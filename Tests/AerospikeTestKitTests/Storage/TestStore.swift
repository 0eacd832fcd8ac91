import Aerospike
import AerospikeTestKit
import NIOCore
import Testing

/// A namespace that is asked in the bytes of the wire, as a node would be, and whose clock the test moves.
struct TestStore {
    struct Unexpected: Error {}

    var store: NamespaceStore
    /// Nanoseconds since 1970.
    var now: Int64 = 1_800_000_000_000_000_000
    /// What was refused as unknown.
    var unknown: [Refusal] = []
    /// The partitions that are not served.
    var missingPartitions: Set<Int> = []

    init(_ namespace: String = "test") {
        store = NamespaceStore(name: namespace)
    }

    mutating func pass(seconds: Int64) {
        now += seconds * 1_000_000_000
    }

    /// What a node sends in answer to whole messages.
    mutating func exchange(_ bytes: ByteBuffer) throws -> ByteBuffer {
        var bytes = bytes
        var reply = ByteBuffer()
        while let word = bytes.readInteger(as: UInt64.self) {
            let header = try ProtoHeader(word: word, bodyBytesMax: AerospikeLimits.messageBytesMax)
            guard let body = bytes.readSlice(length: header.bodyByteCount) else { throw Unexpected() }
            reply.writeImmutableBuffer(answer(body))
        }
        return reply
    }

    mutating func answer(_ body: ByteBuffer) -> ByteBuffer {
        var reply = ByteBuffer()
        do throws(Refusal) {
            let request = try RequestMessage(body: body)
            switch request.kind {
            case .record:
                guard request.namespace == store.name else { throw Refusal(.namespaceNotFound) }
                reply.writeReply(answer(request))
            case .batch:
                let namespace = store.name
                let batch = try BatchMessage(request) { $0 == namespace }
                var batchReply = BatchReply(to: batch)
                for part in batch.parts {
                    batchReply.add(answer(part.request), index: part.index)
                }
                reply = batchReply.finish()
            case .query:
                guard request.namespace == store.name else { throw Refusal(.namespaceNotFound) }
                let missing = missingPartitions
                let answer = store.answerQuery(request, nowNanoseconds: now) { !missing.contains($0) }
                unknown += answer.unknown
                reply = answer.reply
            }
        } catch {
            if error.isUnknown {
                unknown.append(error)
            }
            reply.clear()
            reply.writeReply(error.code, isLast: RequestMessage.isBatch(body: body))
        }
        return reply
    }

    private mutating func answer(_ request: RequestMessage) -> RecordAnswer {
        let answer = store.answer(request, nowNanoseconds: now)
        if let unknown = answer.unknown {
            self.unknown.append(unknown)
        }
        return answer
    }

    /// The messages of a reply, of which the last may say so.
    mutating func messages(_ bytes: ByteBuffer) throws -> [ReplyMessage] {
        var decoder = ReplyDecoder()
        decoder.feed(try exchange(bytes))
        var messages: [ReplyMessage] = []
        while let frame = try decoder.next() {
            guard case .message(let message, _) = frame else { throw Unexpected() }
            messages.append(message)
        }
        #expect(!decoder.isMidMessage)
        return messages
    }

    mutating func message(_ request: RecordRequest) throws -> ReplyMessage {
        var buffer = ByteBuffer()
        try buffer.writeRequest(request, timeoutMilliseconds: 1000)
        let messages = try messages(buffer)
        #expect(messages.count == 1)
        return try #require(messages.first)
    }

    mutating func call(_ request: RecordRequest) throws -> Record {
        let message = try message(request)
        guard message.resultCode == .ok else { throw AerospikeError(message.resultCode) }
        return try message.record(answering: request)
    }

    /// What the call came to.
    mutating func code(_ request: RecordRequest) throws -> ResultCode {
        try message(request).resultCode
    }

    @discardableResult
    mutating func put(_ key: Key, _ bins: [(String, Value)], policy: WritePolicy = WritePolicy()) throws -> Record {
        try call(.put(key, bins: bins, policy: policy))
    }

    @discardableResult
    mutating func operate(_ key: Key, _ operations: [Operation], policy: WritePolicy = WritePolicy()) throws -> Record {
        try call(.operate(key, operations, readPolicy: ReadPolicy(), writePolicy: policy))
    }

    mutating func get(_ key: Key) throws -> Record {
        try call(.get(key, bins: nil, policy: ReadPolicy()))
    }
}

extension WritePolicy {
    init(_ change: (inout WritePolicy) -> Void) {
        self.init()
        change(&self)
    }
}
