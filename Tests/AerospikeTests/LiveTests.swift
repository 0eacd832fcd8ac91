import Aerospike
import AerospikeTestSupport
import NIOCore
import Testing

/// What a server makes of our bytes, and we of its: the one that `AEROSPIKE_HOST` names, or a node in this process.
///
/// It uses only the set `swift-wire` of the namespace `test`.
@Suite(.serialized, .onThreads)
struct LiveTests {
    let server: RawConnection

    init() throws {
        server = try LiveServer.connect()
    }

    func fresh(_ name: String) throws -> Key {
        let key = Key(namespace: "test", set: "swift-wire", .string(name))
        do {
            _ = try server.call(.delete(key, policy: WritePolicy()))
        } catch let error as AerospikeError where error.code == .notFound {}
        return key
    }

    func code(_ body: () throws -> some Any) throws -> ResultCode {
        try #require(throws: AerospikeError.self) { _ = try body() }.code
    }

    @Test func infoIsAnswered() throws {
        let values = try server.info("build", "node", "namespaces", "no-such-name")
        #expect(values["build"]?.contains(".") == true)
        #expect(values["namespaces"]?.split(separator: ";").contains("test") == true)
        #expect(values["node"]?.isEmpty == false)
        #expect(try #require(ServerVersion(values["build"] ?? "")) >= .oldest)
        let cluster = try server.info("peers-clear-std", "service-clear-std", "replicas")
        _ = try PeerList(parsing: cluster["peers-clear-std"] ?? "")
        #expect(try !PeerList.addresses(parsing: cluster["service-clear-std"] ?? "").isEmpty)
        let owned = try PartitionOwnership.parse(cluster["replicas"] ?? "").first { $0.namespace == "test" }
        #expect(try #require(owned).count() > 0)
    }

    @Test func everyTypeOfValueGoesThereAndBack() throws {
        let key = try fresh("types")
        let bins: [(String, Value)] = [
            ("int", .integer(.min)), ("double", 2.5), ("true", true), ("false", false), ("string", "hé漢😀"),
            ("blob", .bytes([0, 255])), ("empty", ""),
            ("list", [1, "a", .bytes([9]), 2.5, true, nil, [[]], ["k": [:]]]),
            ("map", ["k": [1, ["n": nil]], 7: "seven"]),
            ("ordered", .map(Value.Map([("b", 2), ("a", 1), ("c", 0)], order: .keyValueOrdered))),
            ("sorted", .list(Value.List([3, 1, 2], order: .ordered))),
            ("geo", .geoJSON(#"{"type":"Point","coordinates":[1.0,2.0]}"#)),
        ]
        _ = try server.call(.put(key, bins: bins, policy: WritePolicy()))
        let record = try server.call(.get(key, bins: nil, policy: ReadPolicy()))
        #expect(record.generation == 1)
        #expect(record.expiresAtUnixSeconds == nil)
        #expect(record.bins.count == bins.count)
        for (name, value) in bins where name != "sorted" {
            #expect(record[name] == value, "\(name)")
        }
        // The server sorts what says that it is ordered, and keeps saying so.
        #expect(record["sorted"] == [1, 2, 3])
        #expect(record["sorted"]?.list?.order == .ordered)
        #expect(record["ordered"]?.map?.map(\.key) == ["a", "b", "c"])
        #expect(record["ordered"]?.map?.order == .keyValueOrdered)
        let sketch = try server.operate(key, [.hyperLogLog("hll").add(["a", "b"], indexBits: 8), .get("hll")])
        guard case .hyperLogLog(let bytes) = sketch.values[1] else { throw Unexpected() }
        _ = try server.call(.put(key, bins: [("copy", .hyperLogLog(bytes))], policy: WritePolicy()))
        let counts = try server.operate(key, [.hyperLogLog("copy").count(), .hyperLogLog("copy").describe()])
        #expect(counts.values == [2, [8, 0]])
    }

    @Test func scalarOperationsAnswerInOrder() throws {
        let key = try fresh("scalars")
        let record = try server.operate(
            key,
            [.put("n", 5), .add("n", 3), .get("n"), .put("s", "b"), .append("s", "c"), .prepend("s", "a"), .get("s")]
        )
        #expect(record.values == [nil, nil, 8, nil, nil, nil, "abc"])
        #expect(try server.operate(key, [.touch]).generation == 2)
        #expect(try server.operate(key, [.get("n"), .touch, .get("none"), .get("s")]).values == [8, nil, nil, "abc"])
        #expect(
            try server.operate(key, [.get("none"), .get("s"), .get("none"), .get("n")]).values == [nil, "abc", nil, 8]
        )
        #expect(try server.operate(key, [.get("none")]).bins == [Bin("none", nil)])
        #expect(try server.call(.exists(key, policy: ReadPolicy())).bins.isEmpty)
        #expect(try server.call(.get(key, bins: ["s", "none"], policy: ReadPolicy()))["s"] == "abc")
        _ = try server.operate(key, [.delete, .put("only", 1)])
        #expect(try server.call(.get(key, bins: nil, policy: ReadPolicy())).bins == [Bin("only", 1)])
        #expect(try server.operate(key, [.getAll]).bins == [Bin("only", 1)])
        #expect(try server.operate(key, [.getHeader]).generation == 4)
    }

    @Test func conditionsOfWritesAreKept() throws {
        let key = try fresh("conditions")
        var policy = WritePolicy()
        policy.exists = .updateOnly
        #expect(try code { try server.operate(key, [.put("a", 1)], policy: policy) } == .notFound)
        policy.exists = .createOnly
        _ = try server.operate(key, [.put("a", 1)], policy: policy)
        #expect(try code { try server.operate(key, [.put("a", 1)], policy: policy) } == .recordExists)
        policy.exists = .createOrUpdate
        policy.generation = .equal(7)
        #expect(try code { try server.operate(key, [.put("a", 1)], policy: policy) } == .generationMismatch)
        policy.generation = .equal(1)
        policy.timeToLive = .seconds(1000)
        #expect(try server.operate(key, [.put("a", 2)], policy: policy).generation == 2)
        let record = try server.call(.get(key, bins: nil, policy: ReadPolicy()))
        #expect(record.expiresAtUnixSeconds != nil)
        #expect(try code { try server.operate(key, [.list("a").size()]) } == .incompatibleType)
        #expect(
            try code { try server.call(.get(Key(namespace: "nowhere", "k"), bins: nil, policy: ReadPolicy())) }
                == .namespaceNotFound
        )
    }

    @Test func requestsInOneSendAreAnsweredInOrder() throws {
        let keys = try (0..<20).map { try fresh("pipelined\($0)") }
        var buffer = ByteBuffer()
        for (number, key) in keys.enumerated() {
            let put = RecordRequest.put(key, bins: [("n", .integer(Int64(number)))], policy: WritePolicy())
            try buffer.writeRequest(put, timeoutMilliseconds: 1000)
            try InfoMessage.write(["build"], into: &buffer)
            try buffer.writeRequest(.get(key, bins: nil, policy: ReadPolicy()), timeoutMilliseconds: 1000)
        }
        try server.send(buffer)
        for number in 0..<20 {
            guard case .message = try server.receive(), case .info = try server.receive(),
                case .message(let message, _) = try server.receive()
            else { throw Unexpected() }
            #expect(try message.record()["n"] == .integer(Int64(number)))
        }
    }
}
