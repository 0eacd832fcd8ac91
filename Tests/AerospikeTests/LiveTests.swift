import Aerospike
import NIOCore
import Testing

/// What a real server makes of our bytes, and we of its.
///
/// It uses the namespace `test` of the server that `AEROSPIKE_HOST` names, and only the set `swift-wire` of it.
@Suite(
    .enabled(
        if: LiveServer.address != nil,
        "set AEROSPIKE_HOST to host or host:port of a server with a namespace test"
    ),
    .serialized
)
struct LiveTests {
    private let server: LiveServer

    init() throws {
        server = try LiveServer()
    }

    private func fresh(_ name: String) throws -> Key {
        let key = Key(namespace: "test", set: "swift-wire", .string(name))
        do {
            _ = try server.call(.delete(key, policy: WritePolicy()))
        } catch let error as AerospikeError where error.code == .notFound {}
        return key
    }

    private func code(_ body: () throws -> some Any) throws -> ResultCode {
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

    @Test func listOperationsDoWhatTheySay() throws {
        let key = try fresh("lists")
        let list = Operation.list("l")
        let record = try server.operate(
            key,
            [
                list.create(order: .unordered, persistsIndex: true),
                list.append(contentsOf: [5, 1, 4, 1]),
                list.append(9, policy: ListWritePolicy(flags: [.addUnique, .noFail])),
                list.insert(0, at: 1),
                list.set(0, to: 6),
                list.increment(2, by: 10),
                list.get(from: 0),
                list.get(.rank(-1)),
                list.get(.value(1), returning: .count),
                list.get(.values(from: 4, upTo: nil)),
                list.get(.values(near: 5, rank: 0, count: 1)),
                list.get(.indexes(from: -2), returning: .value),
                list.pop(0),
                list.remove(.value(1), returning: .index),
                list.sort(.descending),
                list.get(from: 0, count: 10),
                list.trim(from: 0, count: 2),
                list.size(),
                list.clear(),
                list.size(),
            ]
        )
        let expected: [Value] = [
            nil, 4, 5, 6, nil, 11, [6, 0, 11, 4, 1, 9], 11, 1, [6, 4, 11, 9], [6], [1, 9], 6, [3], nil,
            [11, 9, 4, 0], 2, 2, nil, 0,
        ]
        for (index, value) in expected.enumerated() {
            if case .list(let list) = value, [9].contains(index) {
                // The elements of a range of values come in no order that is promised.
                #expect(Set(record.values[index].list ?? []) == Set(list))
            } else {
                #expect(record.values[index] == value, "operation \(index)")
            }
        }
    }

    @Test func mapOperationsDoWhatTheySay() throws {
        let key = try fresh("maps")
        let map = Operation.map("m")
        let record = try server.operate(
            key,
            [
                map.create(order: .keyValueOrdered, persistsIndex: true),
                map.put("b", 2),
                map.put(contentsOf: ["a": 3, "c": 1]),
                map.put("a", 9, policy: MapWritePolicy(flags: [.createOnly, .noFail])),
                map.increment("c", by: 10),
                map.decrement("b", by: 1),
                map.get(.indexes(from: 0), returning: .keyValue),
                map.get(.rank(0), returning: .key),
                map.get(.rank(-1), returning: .value),
                map.get(.keys(from: "b", upTo: nil), returning: .orderedMap),
                map.get(.keys(in: ["a", "z"]), returning: .count),
                map.get(.keys(near: "b", index: 1), returning: .key),
                map.get(.value(3), returning: .exists),
                map.get(.key("zz"), returning: .index),
                map.remove(.key("a"), returning: .value),
                map.remove(.values(from: 10, upTo: 12), returning: .key),
                map.size(),
            ]
        )
        #expect(
            record.values == [
                nil, 1, 3, 3, 11, 1, ["a": 3, "b": 1, "c": 11], "b", 11, ["b": 1, "c": 11], 1, ["c"], true, -1, 3,
                ["c"], 1,
            ]
        )
        let whole = try server.call(.get(key, bins: nil, policy: ReadPolicy()))
        #expect(whole["m"] == ["b": 1])
        #expect(whole["m"]?.map?.order == .keyValueOrdered)
    }

    @Test func operationsReachIntoWhatIsNested() throws {
        let key = try fresh("nested")
        let record = try server.operate(
            key,
            [
                .map("m", at: [.mapKey("inner", creating: .keyOrdered)]).put("k", 1),
                .list("m", at: [.mapKey("list")]).create(order: .ordered),
                .list("m", at: [.mapKey("list")]).append(contentsOf: [3, 1, 2]),
                .list("m", at: [.mapKey("list")]).get(.rank(0)),
                .map("m", at: [.mapKey("inner")]).get(.key("k")),
                .list("m", at: [.mapKey("list")]).get(from: 0),
                .get("m"),
            ]
        )
        #expect(
            record.values == [1, nil, 3, 1, 1, [1, 2, 3], ["inner": ["k": 1], "list": [1, 2, 3]]]
        )
    }

    @Test func bitsAreOperatedOn() throws {
        let key = try fresh("bits")
        let bits = Operation.bits("x")
        let record = try server.operate(
            key,
            [
                bits.resize(to: 2), bits.setInteger(5, at: 4, count: 8), bits.getInteger(at: 4, count: 8),
                bits.not(at: 0, count: 4),
                bits.countOnes(at: 0, count: 16), bits.firstIndex(of: true, at: 4, count: 12),
                bits.add(-2, at: 4, count: 8, signed: true),
                bits.getInteger(at: 4, count: 8, signed: true), bits.insert(ByteBuffer(bytes: [0xaa]), atByte: 0),
                bits.get(at: 0, count: 24),
            ]
        )
        #expect(record.values == [nil, nil, 5, nil, 6, 5, nil, 3, nil, .bytes([0xaa, 0xf0, 0x30])])
    }

    @Test func expressionsAreReadWrittenAndFilter() throws {
        let key = try fresh("expressions")
        let state: Exp<Int> = .int(bin: "state")
        let jobs: Exp<Value.Map> = .map(bin: "jobs")
        _ = try server.call(
            .put(
                key,
                bins: [("state", 2), ("jobs", ["a": [1, 10], "b": [0, 20]]), ("d", 2.5)],
                policy: WritePolicy()
            )
        )
        let best: Exp<Value.List> = jobs.get(.rank(0), .value(Value.List.self))
        let clock: Exp<Int> = .lastUpdate / 1_000_000 + .sinceUpdate
        let record = try server.operate(
            key,
            [
                .read(state * 10 + 1, as: "r"),
                .read(best.get(.index(1), .value(Int.self)), as: "r"),
                .read(Exp<Int>.cond((when: state > 5, then: 1), (when: state == 2, then: 22), otherwise: 3), as: "r"),
                .read(Exp<Int>.let("x", state + 1) { x in x * x }, as: "r"),
                .read(clock > 1_700_000_000_000, as: "r"),
                .write(jobs.removing(.rank(0)), to: "jobs"),
                .write(.double(bin: "d") + 0.5, to: "d"),
                .read(jobs.get(.keys(in: ["a", "b"]), .key), as: "r"),
                .get("d"),
                .read(Exp<Int>.int(bin: "none"), as: "r", flags: .evaluationNoFail),
                .write(Exp<Int>.null, to: "state", flags: .allowDelete),
                .get("state"),
                .read(.list(bin: "l").size() == 3, as: "r", flags: .evaluationNoFail),
            ]
        )
        #expect(
            record.values == [21, 20, 22, 9, true, nil, nil, ["a"], 3.0, nil, nil, nil, nil]
        )
        var policy = WritePolicy()
        policy.filter = .double(bin: "d") > 3
        policy.exists = .updateOnly
        #expect(try code { try server.operate(key, [.put("d", 1.5)], policy: policy) } == .filteredOut)
        policy.filter = .double(bin: "d") >= 3 && .map(bin: "jobs").size() == 1
        _ = try server.operate(key, [.put("d", 1.5)], policy: policy)
        var read = ReadPolicy()
        read.filter = .double(bin: "d") == 3
        #expect(try code { try server.call(.get(key, bins: nil, policy: read)) } == .filteredOut)
    }

    /// Many clients can take the best entry of one map in one call each, and no two get the same.
    @Test func theBestEntryIsTakenInOneCall() throws {
        let key = try fresh("pop")
        let jobs: Exp<Value.Map> = .map(bin: "jobs")
        let count = 40
        // From slot to state, priority or end of lease, sequence, seconds of lease, body.
        let entries = (0..<count).map { slot in
            (Value.integer(Int64(slot)), [0, 1024, .integer(Int64(count - slot)), 60, .bytes([1, 2])] as Value)
        }
        let policy = MapWritePolicy(order: .keyValueOrdered, persistsIndex: true)
        _ = try server.operate(key, [.map("jobs").put(contentsOf: Value.Map(entries), policy: policy)])
        let take: [Operation] = [
            .map("jobs").get(.rank(0), returning: .keyValue),
            .write(ExpressionVectorTests.pop(from: jobs), to: "jobs"),
        ]
        var ifAny = WritePolicy()
        ifAny.exists = .updateOnly
        ifAny.filter = jobs.get(.rank(0), .value(Value.List.self)).get(.index(0), .value(Int.self)) == 0
        var taken: [Int64] = []
        while true {
            do {
                let record = try server.operate(key, take, policy: ifAny)
                taken.append(try #require(record.values[0].map?.first?.key.integer))
            } catch let error as AerospikeError where error.code == .filteredOut {
                break
            }
        }
        #expect(taken == (0..<Int64(count)).reversed())
        let record = try server.call(.get(key, bins: nil, policy: ReadPolicy()))
        let leases = try #require(record["jobs"]?.map).map { $0.value.list?[1].integer ?? 0 }
        // Milliseconds of Unix time, after 2023.
        #expect(leases.count == count && leases.allSatisfy { $0 > 1_700_000_000_000 })
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

    @Test func programsRunForOneRecordAndInBatches() throws {
        let source = """
            function add(record, bin, amount)
                record[bin] = (record[bin] or 0) + amount
                if aerospike:exists(record) then aerospike:update(record) else aerospike:create(record) end
                return record[bin]
            end
            function fail() error("on purpose") end
            """
        let content = Base64.encode(Array(source.utf8))
        let put = "udf-put:filename=swift_wire.lua;content=\(content);content-len=\(content.utf8.count);udf-type=LUA;"
        let answer = try server.info(put).values.first ?? ""
        #expect(InfoMessage.error(in: answer) == nil, "\(answer)")
        defer { _ = try? server.info("udf-remove:filename=swift_wire.lua;") }
        // A node takes a program on when its neighbours have agreed.
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(10)
        while try server.info("udf-list").values.first?.contains("swift_wire.lua") != true {
            try #require(clock.now < deadline)
        }
        let keys = [try fresh("program0"), try fresh("program1")]
        let add = RecordRequest.Program(package: "swift_wire", function: "add", arguments: ["n", 5])
        #expect(try server.call(.execute(keys[0], add, policy: WritePolicy())).bins == [Bin("SUCCESS", 5)])
        let batch = BatchRequest(keys.enumerated().map { (UInt32($0), .execute($1, add, policy: WritePolicy())) })
        var buffer = ByteBuffer()
        try batch.write(into: &buffer, timeoutMilliseconds: 1000)
        let answers = try server.stream(buffer).map { ($0.batchIndex, try $0.record()["SUCCESS"]) }
        #expect(Dictionary(uniqueKeysWithValues: answers) == [0: 10, 1: 5])
        let fail = RecordRequest.Program(package: "swift_wire", function: "fail", arguments: [])
        #expect(try code { try server.call(.execute(keys[0], fail, policy: WritePolicy())) } == .udfExecution)
    }

    @Test func batchesMixReadsWritesAndDeletes() throws {
        let keys = try (0..<5).map { try fresh("batch\($0)") }
        for key in keys.dropLast() {
            _ = try server.call(.put(key, bins: [("a", 1)], policy: WritePolicy()))
        }
        let batch = BatchRequest([
            (10, .get(keys[0], bins: nil, policy: ReadPolicy())),
            (11, .get(keys[1], bins: nil, policy: ReadPolicy())),
            (12, .operate(keys[2], [.add("a", 5), .get("a")], readPolicy: ReadPolicy(), writePolicy: WritePolicy())),
            (13, .delete(keys[3], policy: WritePolicy())),
            (14, .get(keys[4], bins: ["a"], policy: ReadPolicy())),
        ])
        var buffer = ByteBuffer()
        try batch.write(into: &buffer, timeoutMilliseconds: 1000)
        let messages = try server.stream(buffer)
        let replies = Dictionary(uniqueKeysWithValues: messages.map { ($0.batchIndex, $0) })
        #expect(Set(replies.keys) == [10, 11, 12, 13, 14])
        #expect(try replies[10]?.record()["a"] == 1)
        #expect(try replies[11]?.record()["a"] == 1)
        #expect(try replies[12]?.record().values == [nil, 6])
        #expect(replies[13]?.resultCode == .ok)
        #expect(replies[14]?.resultCode == .notFound)
        #expect(try code { try server.call(.get(keys[3], bins: nil, policy: ReadPolicy())) } == .notFound)
    }

    @Test func queriesFindRecordsByPartitionAndGoOn() throws {
        var expected: Set<Digest> = []
        for number in 0..<50 {
            let key = try fresh("query\(number)")
            var policy = WritePolicy()
            policy.sendsKey = true
            _ = try server.call(.put(key, bins: [("q", .integer(Int64(number)))], policy: policy))
            if number >= 20 {
                expected.insert(key.digest)
            }
        }
        var query = QueryRequest(namespace: "test", set: "swift-wire", taskID: .random(in: 1 ... .max))
        query.partitionIDs = (0..<4096).map { UInt16($0) }
        query.filter = .int(bin: "q") >= 20
        query.binNames = ["q"]
        var buffer = ByteBuffer()
        try query.write(into: &buffer, timeoutMilliseconds: 0)
        let messages = try server.stream(buffer)
        let records = messages.filter { $0.donePartitionID == nil }
        #expect(Set(try records.map { try $0.key().key.digest }) == expected)
        #expect(try records.allSatisfy { try $0.record()["q"]?.integer ?? 0 >= 20 })
        for record in records {
            let key = try record.key().key
            #expect(key.setName == "swift-wire")
            #expect(try key.userKey == .string("query\(#require(record.record()["q"]?.integer))"))
        }

        // Going on after a record finds what comes after it in its partition, and not that record again.
        let first = try #require(expected.first)
        query.taskID = .random(in: 1 ... .max)
        query.partitionIDs = []
        query.resumptions = [.init(digest: first)]
        var rest = ByteBuffer()
        try query.write(into: &rest, timeoutMilliseconds: 0)
        let later = try server.stream(rest).filter { $0.donePartitionID == nil }
        #expect(try later.allSatisfy { try $0.key().key.digest != first })
    }

    @Test func queriesByASecondaryIndexFindARangeAndGoOn() throws {
        let index = "swift_wire_n"
        let definition = "namespace=test;set=swift-wire;indexname=\(index);bin=indexed;type=numeric"
        _ = try server.info("sindex-create:" + definition)
        defer { _ = try? server.info("sindex-delete:namespace=test;indexname=\(index)") }
        for number in 0..<30 {
            let key = try fresh("indexed\(number)")
            _ = try server.call(.put(key, bins: [("indexed", .integer(Int64(number)))], policy: WritePolicy()))
        }
        // The index is built in the background: its state says when it can be read.
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(10)
        while try server.info("sindex-stat:namespace=test;indexname=\(index)").values.first?.contains("load_pct=100")
            != true
        {
            try #require(clock.now < deadline)
        }
        func query(_ change: (inout QueryRequest) throws -> Void) throws -> [ReplyMessage] {
            var query = QueryRequest(namespace: "test", set: "swift-wire", taskID: .random(in: 1 ... .max))
            query.partitionIDs = (0..<4096).map { UInt16($0) }
            query.range = .init(bin: "indexed", from: 10, through: 19)
            try change(&query)
            var buffer = ByteBuffer()
            try query.write(into: &buffer, timeoutMilliseconds: 0)
            return try server.stream(buffer).filter { $0.donePartitionID == nil }
        }
        let found = try query { _ in }
        #expect(Set(try found.map { try $0.record()["indexed"]?.integer }) == Set(10...19))
        let named = try query { $0.range = .init(bin: "", from: 10, through: 19, indexName: index) }
        #expect(named.count == 10)
        // Every record tells the value by which the index found it, to go on with.
        for message in found {
            let (key, indexedValue) = try message.key()
            #expect(try indexedValue == message.record()["indexed"]?.integer.map { UInt64($0) })
            let rest = try query {
                $0.partitionIDs = []
                $0.resumptions = [.init(digest: key.digest, indexedValue: try #require(indexedValue))]
            }
            #expect(try rest.allSatisfy { try $0.key().key != key && $0.key().key.partitionID == key.partitionID })
        }
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
