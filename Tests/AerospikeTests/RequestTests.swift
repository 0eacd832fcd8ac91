import Aerospike
import NIOCore
import Testing

/// Whole requests are written as the Python client writes them, byte by byte.
@Suite struct RequestTests {
    private static let key = Key(namespace: "test", set: "golden", "vectors")
    private static let filter: Exp<Bool> = .int(bin: "a") == 5

    private static func put(
        _ bins: [(String, Value)] = [("a", 5)],
        to key: Key = key,
        _ change: (inout WritePolicy) -> Void = { _ in }
    ) -> RecordRequest {
        var policy = WritePolicy()
        change(&policy)
        return .put(key, bins: bins, policy: policy)
    }

    private static var filtered: ReadPolicy {
        var policy = ReadPolicy()
        policy.filter = filter
        return policy
    }

    private static let ours: [String: RecordRequest] = [
        "get": .get(key, bins: nil, policy: ReadPolicy()),
        "get.bins": .get(key, bins: ["a", "b"], policy: ReadPolicy()),
        "get.filter": .get(key, bins: nil, policy: filtered),
        "exists": .exists(key, policy: ReadPolicy()),
        "put": put([("a", 5), ("b", "x")]),
        "put.sendKey": put { $0.sendsKey = true },
        "put.intKey": put(to: Key(namespace: "test", set: "golden", 7)) { $0.sendsKey = true },
        "put.noSet": put(to: Key(namespace: "test", "vectors")),
        "put.createOnly": put { $0.exists = .createOnly },
        "put.updateOnly": put { $0.exists = .updateOnly },
        "put.replace": put { $0.exists = .createOrReplace },
        "put.replaceOnly": put { $0.exists = .replaceOnly },
        "put.generation": put { $0.generation = .equal(3) },
        "put.newer": put { $0.generation = .olderThan(3) },
        "put.ttl": put { $0.timeToLive = .seconds(100) },
        "put.never": put { $0.timeToLive = .never },
        "put.unchanged": put { $0.timeToLive = .unchanged },
        "put.master": put { $0.commitLevel = .master },
        "put.filter": put { $0.filter = filter },
        "remove": .delete(key, policy: WritePolicy()),
        "operate.read": .operate(key, [.get("a")], readPolicy: ReadPolicy(), writePolicy: WritePolicy()),
        "operate.map": .operate(
            key,
            [.map("m").put("k", 1), .get("a")],
            readPolicy: ReadPolicy(),
            writePolicy: WritePolicy()
        ),
        "apply": .execute(
            key,
            .init(package: "module", function: "function", arguments: [1, "two"]),
            policy: WritePolicy()
        ),
    ]

    private static let theirs = GoldenVectors.named(PackageResources.operations_txt)
        .filter { $0.key.hasPrefix("request.") && $0.key != "request.batch" }

    @Test func everyVectorHasItsRequest() {
        #expect(Set(Self.theirs.keys) == Set(Self.ours.keys.map { "request." + $0 }))
    }

    @Test(arguments: theirs.sorted { $0.key < $1.key })
    func isWrittenAlike(_ vector: (key: String, value: String)) throws {
        let request = try #require(Self.ours[String(vector.key.dropFirst(8))])
        var buffer = ByteBuffer()
        try buffer.writeRequest(request, timeoutMilliseconds: 1000)
        #expect(buffer.hex == vector.value, "\(vector.key)")
    }

    @Test func batchIsWrittenAlike() throws {
        let keys = (0..<3).map { Key(namespace: "test", set: "golden", .string("batch\($0)")) }
        let batch = BatchRequest(
            [
                (0, .get(keys[0], bins: nil, policy: ReadPolicy())),
                (1, .get(keys[1], bins: nil, policy: ReadPolicy())),
                (2, .operate(keys[2], [.put("a", 5)], readPolicy: ReadPolicy(), writePolicy: WritePolicy())),
            ],
            // What 0x8 asks for is not in our set of flags.
            flags: .init(rawValue: 0xd)
        )
        var buffer = ByteBuffer()
        try batch.write(into: &buffer, timeoutMilliseconds: 1000)
        #expect(buffer.hex == GoldenVectors.named(PackageResources.operations_txt)["request.batch"])
    }

    @Test func requestsOfEveryKindFollowEachOtherInOneBuffer() throws {
        var buffer = ByteBuffer()
        let request = RecordRequest.get(Self.key, bins: nil, policy: ReadPolicy())
        try buffer.writeRequest(request, timeoutMilliseconds: 0)
        let once = buffer.readableBytes
        try InfoMessage.write(["build", "node"], into: &buffer)
        try buffer.writeRequest(request, timeoutMilliseconds: 0)
        var decoder = ReplyDecoder()
        decoder.feed(buffer)
        guard case .message(let first, endsBody: true) = try decoder.next() else { throw Unexpected() }
        #expect(first.header.fieldCount == 3)
        #expect(try decoder.next() == .info(ByteBuffer(string: "build\nnode\n")))
        guard case .message(let last, endsBody: true) = try decoder.next() else { throw Unexpected() }
        #expect(last == first)
        #expect(buffer.readableBytes == 2 * once + 8 + 11)
    }

    @Test func whatTheProtocolHasNoRoomForIsRefusedAndLeavesTheBufferAlone() throws {
        var buffer = ByteBuffer(string: "before")
        let tooLong = String(repeating: "n", count: 16)
        let requests: [RecordRequest] = [
            Self.put([("a", 1), (tooLong, 2)]),
            Self.put([("a", .infinity)]),
            Self.put(to: Key(namespace: "", "k")),
            Self.put(to: Key(namespace: String(repeating: "n", count: 32), "k")),
            Self.put(to: Key(namespace: "test", set: String(repeating: "s", count: 64), "k")),
            .operate(
                Self.key,
                Array(repeating: .touch, count: 65536),
                readPolicy: ReadPolicy(),
                writePolicy: WritePolicy()
            ),
        ]
        for request in requests {
            let error = try #require(throws: AerospikeError.self) {
                try buffer.writeRequest(request, timeoutMilliseconds: 0)
            }
            #expect(error.code == .invalidArgument)
            let batchError = try #require(throws: AerospikeError.self) {
                try BatchRequest([(0, request)]).write(into: &buffer, timeoutMilliseconds: 0)
            }
            #expect(batchError.code == .invalidArgument)
            #expect(buffer == ByteBuffer(string: "before"))
        }
        #expect(throws: AerospikeError.self) { try InfoMessage.write(["two\nlines"], into: &buffer) }
        #expect(throws: AerospikeError.self) {
            try QueryRequest(namespace: "test", taskID: 1).write(into: &buffer, timeoutMilliseconds: 0)
        }
        #expect(buffer == ByteBuffer(string: "before"))
    }
}

struct Unexpected: Error {}
