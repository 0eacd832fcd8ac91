import Aerospike
import AerospikeTestKit
import NIOCore
import Testing

struct QueryTests {
    private static let allPartitions = (0..<4096).map { UInt16($0) }

    private func key(_ number: Int64, set: String = "engine") -> Key {
        Key(namespace: "test", set: set, .integer(number))
    }

    private func query(_ change: (inout QueryRequest) -> Void = { _ in }) -> QueryRequest {
        var query = QueryRequest(namespace: "test", set: "engine", taskID: 1)
        query.partitionIDs = QueryTests.allPartitions
        change(&query)
        return query
    }

    private func messages(_ query: QueryRequest, _ test: inout TestStore) throws -> [ReplyMessage] {
        var buffer = ByteBuffer()
        try query.write(into: &buffer, timeoutMilliseconds: 1000)
        return try test.messages(buffer)
    }

    private func numbers(_ messages: [ReplyMessage]) throws -> [Int64] {
        try messages.filter { !$0.isLast }.map { try #require($0.record()["n"]?.integer) }
    }

    private func filled(_ count: Int64 = 200) throws -> TestStore {
        var test = TestStore()
        for number in 0..<count {
            let bins: [(String, Value)] = [
                ("n", .integer(number)), ("s", .string("s\(number % 10)")),
                ("l", .list(Value.List([.integer(number % 10), .integer(number % 7), "x"]))),
            ]
            try test.put(key(number), bins, policy: WritePolicy { $0.sendsKey = number % 2 == 0 })
        }
        try test.put(key(1000, set: "other"), [("n", 1000)])
        return test
    }

    @Test func aSetsRecordsAreFound() throws {
        var test = try filled()
        let messages = try messages(query(), &test)
        #expect(messages.last?.isLast == true)
        #expect(try numbers(messages).sorted() == Array(0..<200))
        for message in messages.dropLast() {
            let number = try #require(message.record()["n"]?.integer)
            let found = try message.key().key
            #expect(found == key(number))
            #expect(found.setName == "engine")
            #expect(found.userKey == (number % 2 == 0 ? .integer(number) : nil))
        }
        let all = try self.messages(query { $0.setName = "" }, &test)
        #expect(try numbers(all).count == 201)
        #expect(try self.messages(query { $0.setName = "none" }, &test).map(\.isLast) == [true])
    }

    @Test func binsAreChosen() throws {
        var test = try filled(20)
        let some = try messages(query { $0.binNames = ["s", "none"] }, &test).dropLast()
        #expect(try some.allSatisfy { try $0.record().bins.map(\.name) == ["s"] })
        #expect(some.count == 20)
        #expect(try messages(query { $0.binNames = ["none"] }, &test).count == 1)
        let none = try messages(query { $0.binNames = [] }, &test).dropLast()
        #expect(none.count == 20)
        #expect(try none.allSatisfy { try $0.record().bins.isEmpty })
    }

    @Test func aQueryGoesOnWhereItWasBrokenOff() throws {
        var test = try filled()
        var seen: [Int64] = []
        var resumptions: [Int: QueryRequest.Resumption] = [:]
        for _ in 0..<100 {
            let left = query {
                $0.recordsMax = 7
                $0.partitionIDs = QueryTests.allPartitions.filter { resumptions[Int($0)] == nil }
                $0.resumptions = Array(resumptions.values)
            }
            let messages = try messages(left, &test).dropLast()
            seen += try numbers(Array(messages))
            for message in messages {
                let digest = try message.key().key.digest
                resumptions[digest.partitionID] = QueryRequest.Resumption(digest: digest)
            }
            if messages.count < 7 { break }
        }
        #expect(seen.count == 200)
        #expect(seen.sorted() == Array(0..<200))
    }

    @Test func partitionsThatAreNotServedSaySo() throws {
        var test = try filled()
        let missing = key(5).partitionID
        test.missingPartitions = [missing]
        let messages = try messages(query(), &test)
        let failures = messages.filter { $0.donePartitionID != nil }
        #expect(failures.map(\.donePartitionID) == [UInt32(missing)])
        #expect(failures.map(\.resultCode) == [.partitionUnavailable])
        #expect(messages.last?.resultCode == .ok)
    }

    @Test func indexesFindIntegersTextAndElements() throws {
        var test = try filled()
        #expect(
            try messages(query { $0.range = .init(bin: "n", from: 5, through: 9) }, &test).map(\.resultCode) == [
                .indexNotFound
            ]
        )
        try test.store.createIndex(SecondaryIndex(name: "n", set: "engine", bin: "n", type: .integer))
        try test.store.createIndex(SecondaryIndex(name: "s", bin: "s", type: .string))
        try test.store.createIndex(
            SecondaryIndex(name: "l", set: "engine", bin: "l", type: .integer, collection: .listElements)
        )
        let range = try messages(query { $0.range = .init(bin: "n", from: 5, through: 9) }, &test)
        #expect(try numbers(range).sorted() == [5, 6, 7, 8, 9])
        #expect(
            try range.dropLast().allSatisfy {
                try $0.key().indexedValue == UInt64(bitPattern: $0.record()["n"]?.integer ?? -1)
            }
        )
        let named = query { $0.range = .init(bin: "", from: 5, through: 5, indexName: "n") }
        #expect(try numbers(messages(named, &test)) == [5])
        let text = query { $0.range = .init(bin: "s", from: "s3", through: "s3") }
        #expect(try numbers(messages(text, &test)).count == 20)
        let elements = query { $0.range = .init(bin: "l", from: 6, through: 7, collection: .listElements) }
        let expected = (0..<200).filter { [$0 % 10, $0 % 7].contains { (6...7).contains($0) } }
        // Each record once, although several of its elements may be in the range.
        #expect(try numbers(messages(elements, &test)).sorted() == expected.map { Int64($0) })
        #expect(test.store.indexStatistics("n", nowNanoseconds: test.now)?.records == 200)
    }

    @Test func aQueryByIndexGoesOnWhereItWasBrokenOff() throws {
        var test = try filled()
        try test.store.createIndex(SecondaryIndex(name: "s", bin: "s", type: .string))
        var seen: [Int64] = []
        var resumptions: [Int: QueryRequest.Resumption] = [:]
        for _ in 0..<100 {
            let left = query {
                $0.recordsMax = 3
                $0.range = .init(bin: "s", from: "s3", through: "s3")
                $0.partitionIDs = QueryTests.allPartitions.filter { resumptions[Int($0)] == nil }
                $0.resumptions = Array(resumptions.values)
            }
            let messages = try messages(left, &test).dropLast()
            seen += try numbers(Array(messages))
            for message in messages {
                let (key, value) = try message.key()
                resumptions[key.partitionID] = .init(digest: key.digest, indexedValue: try #require(value))
            }
            if messages.count < 3 { break }
        }
        #expect(seen.sorted() == Array(stride(from: 3, to: 200, by: 10)))
    }

    @Test func indexesAreMadeAndDropped() throws {
        var store = NamespaceStore(name: "test")
        let index = SecondaryIndex(name: "one", set: "engine", bin: "n", type: .integer)
        try store.createIndex(index)
        try store.createIndex(index)
        let other = SecondaryIndex(name: "one", set: "engine", bin: "m", type: .integer)
        #expect(throws: Refusal(.indexFound, "an index of that name, of something else")) {
            try store.createIndex(other)
        }
        var renamed = index
        renamed.name = "two"
        try store.createIndex(renamed)
        #expect(store.indexes.keys.sorted() == ["two"])
        #expect(store.setStatistics["engine"] != nil)
        let dropped = store.dropIndex("two")
        let again = store.dropIndex("two")
        #expect(dropped && !again)
    }

    @Test func shortQueriesEndInTheSameMessage() throws {
        var test = try filled(5)
        let messages = try messages(query { $0.isShort = true }, &test)
        #expect(try numbers(messages).sorted() == [0, 1, 2, 3, 4])
        #expect(messages.last?.isLast == true)
    }

    @Test func aQueryWithoutPartitionsIsRefused() throws {
        var test = TestStore()
        var buffer = ByteBuffer()
        let start = buffer.beginMessage()
        buffer.writeField(.namespace, "test")
        var header = MessageHeader()
        header.read = .read
        header.fieldCount = 1
        buffer.endMessage(at: start, header: header)
        #expect(try test.messages(buffer).map(\.resultCode) == [.unsupportedFeature])
        buffer.clear()
        _ = buffer.beginMessage()
        buffer.writeField(.namespace, "test")
        header.info = .partitionDone
        buffer.endMessage(at: 0, header: header)
        #expect(try test.messages(buffer).map(\.resultCode) == [.unsupportedFeature])
    }

    @Test func operationsInTheBackground() throws {
        var test = try filled(50)
        try test.store.createIndex(SecondaryIndex(name: "n", set: "engine", bin: "n", type: .integer))
        var buffer = ByteBuffer()
        let start = buffer.beginMessage()
        buffer.writeField(.namespace, "test")
        buffer.writeField(.set, "engine")
        try buffer.writeOperation(.add("n", 100))
        try buffer.writeOperation(.put("new", 1))
        var header = MessageHeader()
        header.write = .write
        header.fieldCount = 2
        header.operationCount = 2
        buffer.endMessage(at: start, header: header)
        // One record cannot be added to, and is left as it is.
        try test.put(key(7), [("n", "text")])
        let messages = try test.messages(buffer)
        #expect(messages.map(\.isLast) == [true])
        #expect(messages.map(\.resultCode) == [.ok])
        for number in 0..<Int64(50) {
            let record = try test.get(key(number))
            #expect(record["n"] == (number == 7 ? "text" : .integer(number + 100)))
            #expect(record["new"] == (number == 7 ? nil : 1))
        }
        #expect(try test.get(key(1000, set: "other"))["n"] == 1000)
    }
}
