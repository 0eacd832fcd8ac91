import Aerospike
import AerospikeTestSupport
import NIOCore
import Testing

/// Many records in one call.
extension LiveTests {
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
}
