import Aerospike
import AerospikeTestKit
import NIOCore
import Testing

/// Calls on one record, in the bytes that the client sends and reads.
struct RecordTests {
    private let key = Key(namespace: "test", set: "engine", "a")

    @Test func whatIsPutIsRead() throws {
        var test = TestStore()
        let bins: [(String, Value)] = [
            ("i", -7), ("d", 1.5), ("b", true), ("s", "é漢"), ("y", .bytes([0, 255])), ("l", [1, ["x": 2.5], nil]),
            ("m", .map(Value.Map([("k", 1), ("j", [2])], order: .keyOrdered))),
            ("g", .geoJSON(#"{"type":"Point","coordinates":[1,2]}"#)),
        ]
        let put = try test.put(key, bins)
        #expect(put.generation == 1)
        let record = try test.get(key)
        #expect(record.bins.map(\.name) == bins.map(\.0))
        #expect(record.values == bins.map(\.1))
        #expect(record.generation == 1)
        #expect(record.voidTimeSeconds == 0)
        #expect(
            try test.call(.get(key, bins: ["s", "none", "i"], policy: ReadPolicy())).bins.map(\.name) == ["s", "i"]
        )
        #expect(try test.call(.exists(key, policy: ReadPolicy())).bins.isEmpty)
        #expect(test.unknown.isEmpty)
    }

    @Test func whatIsMissingIsNotFound() throws {
        var test = TestStore()
        #expect(try test.code(.get(key, bins: nil, policy: ReadPolicy())) == .notFound)
        #expect(try test.code(.delete(key, policy: WritePolicy())) == .notFound)
        #expect(
            try test.code(.operate(key, [.touch], readPolicy: ReadPolicy(), writePolicy: WritePolicy())) == .notFound
        )
        let elsewhere = Key(namespace: "elsewhere", "a")
        #expect(try test.code(.get(elsewhere, bins: nil, policy: ReadPolicy())) == .namespaceNotFound)
    }

    @Test func anEmptyRecordIsNone() throws {
        var test = TestStore()
        #expect(try test.code(.put(key, bins: [("a", nil)], policy: WritePolicy())) == .notFound)
        try test.put(key, [("a", 1), ("b", 2), ("c", 3)])
        try test.put(key, [("a", nil)])
        // The last takes the place of the one that went.
        #expect(try test.get(key).bins.map(\.name) == ["c", "b"])
        let message = try test.message(.put(key, bins: [("b", nil), ("c", nil)], policy: WritePolicy()))
        #expect(message.resultCode == .ok)
        #expect(message.header.generation == 0)
        #expect(test.store.recordCount == 0)
    }

    @Test func existencePolicies() throws {
        var test = TestStore()
        func put(_ exists: RecordExists) -> RecordRequest {
            .put(key, bins: [("a", 1)], policy: WritePolicy { $0.exists = exists })
        }
        #expect(try test.code(put(.updateOnly)) == .notFound)
        #expect(try test.code(put(.replaceOnly)) == .notFound)
        #expect(try test.code(put(.createOnly)) == .ok)
        #expect(try test.code(put(.createOnly)) == .recordExists)
        try test.put(key, [("b", 2)])
        #expect(try test.code(put(.updateOnly)) == .ok)
        #expect(try test.get(key).bins.map(\.name) == ["a", "b"])
        #expect(try test.code(put(.replaceOnly)) == .ok)
        #expect(try test.get(key).bins.map(\.name) == ["a"])
        #expect(try test.get(key).generation == 4)
        #expect(try test.code(put(.createOrReplace)) == .ok)
        let replaced = WritePolicy { $0.exists = .createOrReplace }
        for operation: Operation in [.touch, .add("a", 1), .put("a", nil), .delete] {
            let request = RecordRequest.operate(
                key,
                [operation, .put("b", 1)],
                readPolicy: ReadPolicy(),
                writePolicy: replaced
            )
            #expect(try test.code(request) == .invalidRequest)
        }
    }

    @Test func generations() throws {
        var test = TestStore()
        func put(_ generation: GenerationCheck) -> RecordRequest {
            .put(key, bins: [("a", 1)], policy: WritePolicy { $0.generation = generation })
        }
        #expect(try test.code(put(.equal(1))) == .generationMismatch)
        #expect(try test.code(put(.equal(0))) == .ok)
        #expect(try test.code(put(.equal(0))) == .generationMismatch)
        #expect(try test.code(put(.equal(1))) == .ok)
        #expect(try test.code(put(.olderThan(2))) == .generationMismatch)
        #expect(try test.code(put(.olderThan(3))) == .ok)
        let message = try test.message(put(.equal(99)))
        #expect(message.resultCode == .generationMismatch)
        #expect(message.header.generation == 3)
        var record = try #require(test.store.record(key.digest))
        record.generation = .max
        test.store.store(record)
        #expect(try test.put(key, [("a", 2)]).generation == 1)
        let delete = WritePolicy { $0.generation = .equal(2) }
        #expect(try test.code(.delete(key, policy: delete)) == .generationMismatch)
        #expect(try test.code(.delete(key, policy: WritePolicy { $0.generation = .equal(1) })) == .ok)
    }

    @Test func timesToLive() throws {
        var test = TestStore()
        func put(_ timeToLive: TimeToLive) -> RecordRequest {
            .put(key, bins: [("a", 1)], policy: WritePolicy { $0.timeToLive = timeToLive })
        }
        #expect(try test.call(put(.seconds(10))).voidTimeSeconds > 0)
        let end = try #require(try test.get(key).expiresAtUnixSeconds)
        #expect(end == test.now / 1_000_000_000 + 10)
        test.pass(seconds: 4)
        _ = try test.call(put(.unchanged))
        #expect(try test.get(key).expiresAtUnixSeconds == end)
        test.pass(seconds: 7)
        #expect(try test.code(.get(key, bins: nil, policy: ReadPolicy())) == .notFound)
        #expect(test.store.recordCount == 1)
        // What is over is written anew.
        #expect(try test.call(put(.unchanged)).generation == 1)
        #expect(try test.get(key).expiresAtUnixSeconds == nil)
        #expect(try test.code(put(.seconds(3600 * 24 * 365 * 10 + 1))) == .invalidRequest)
        test.store.configuration.defaultTimeToLiveSeconds = 5
        #expect(try test.call(put(.namespaceDefault)).voidTimeSeconds > 0)
        #expect(try test.call(put(.never)).voidTimeSeconds == 0)
        test.store.configuration.allowsTimeToLive = false
        #expect(try test.code(put(.seconds(1))) == .forbidden)
        #expect(try test.code(put(.namespaceDefault)) == .forbidden)
        #expect(try test.code(put(.never)) == .ok)
    }

    @Test func whatIsOverIsRemovedInTime() throws {
        var test = TestStore()
        try test.put(key, [("a", 1)], policy: WritePolicy { $0.timeToLive = .seconds(1) })
        try test.put(Key(namespace: "test", set: "engine", "b"), [("a", 1)])
        #expect(test.store.removeExpired(nowNanoseconds: test.now) == 0)
        test.pass(seconds: 3)
        #expect(test.store.removeExpired(nowNanoseconds: test.now) == 1)
        #expect(test.store.setStatistics["engine"]?.recordCount == 1)
    }

    @Test func readsRenewTimesToLive() throws {
        var test = TestStore()
        try test.put(key, [("a", 1)], policy: WritePolicy { $0.timeToLive = .seconds(100) })
        var policy = ReadPolicy()
        policy.touchTimeToLivePercent = 80
        test.pass(seconds: 19)
        let before = try test.get(key).voidTimeSeconds
        _ = try test.call(.get(key, bins: nil, policy: policy))
        #expect(try test.get(key).voidTimeSeconds == before)
        test.pass(seconds: 1)
        _ = try test.call(.get(key, bins: nil, policy: policy))
        let after = try test.get(key)
        #expect(after.voidTimeSeconds == before + 20)
        #expect(after.generation == 1)
        policy.touchTimeToLivePercent = 101
        #expect(try test.code(.get(key, bins: nil, policy: policy)) == .invalidRequest)
    }

    @Test func operationsAnswerInTheirOrder() throws {
        var test = TestStore()
        let request = RecordRequest.operate(
            key,
            [
                .put("s", "b"), .append("s", "c"), .prepend("s", "a"), .get("s"), .add("n", 2), .add("n", 3), .touch,
                .get("n"), .get("none"),
            ],
            readPolicy: ReadPolicy(),
            writePolicy: WritePolicy()
        )
        // A touch must find a record.
        #expect(try test.code(request) == .notFound)
        try test.put(key, [("x", 1)])
        let record = try test.call(request)
        #expect(record.values == [nil, nil, nil, "abc", nil, nil, nil, 5, nil])
        #expect(record.generation == 2)
        let all = try test.operate(key, [.add("n", 1), .getAll])
        #expect(all.bins == [Bin("x", 1), Bin("s", "abc"), Bin("n", 6)])
        let reads = try test.operate(key, [.get("n"), .get("none"), .get("x")])
        #expect(reads.values == [6, nil, 1])
        #expect(try test.operate(key, [.get("none")]).values == [nil])
    }

    @Test func aCallHappensWholeOrNotAtAll() throws {
        var test = TestStore()
        try test.put(key, [("s", "x"), ("n", 1)])
        let before = test.store.record(key.digest)
        #expect(throws: AerospikeError.self) {
            try test.operate(key, [.add("n", 1), .put("new", 1), .add("s", 1)])
        }
        #expect(test.store.record(key.digest) == before)
    }

    @Test(arguments: [
        (Operation.add("s", 1), ResultCode.incompatibleType), (.add("n", 1.5), .incompatibleType),
        (.append("n", "x"), .incompatibleType), (.append("s", ByteBuffer(bytes: [1])), .incompatibleType),
        (.prepend("l", "x"), .incompatibleType), (.add("d", 1), .incompatibleType), (.add("g", 1), .server),
        (.append("g", "x"), .server), (.add("t", 1), .incompatibleType),
    ])
    func typesMustFit(operation: Operation, code: ResultCode) throws {
        var test = TestStore()
        let geo = Value.geoJSON(#"{"type":"Point","coordinates":[1,2]}"#)
        try test.put(key, [("s", "x"), ("n", 1), ("d", 1.5), ("l", [1]), ("g", geo), ("t", true)])
        let request = RecordRequest.operate(key, [operation], readPolicy: ReadPolicy(), writePolicy: WritePolicy())
        #expect(try test.code(request) == code)
    }

    @Test func sumsWrap() throws {
        var test = TestStore()
        try test.put(key, [("n", .integer(.max)), ("d", 1.5)])
        let record = try test.operate(key, [.add("n", 1), .add("d", 2.25), .get("n"), .get("d")])
        #expect(record.values == [nil, nil, .integer(.min), 3.75])
    }

    @Test func deletingWithinACallStartsAnew() throws {
        var test = TestStore()
        try test.put(key, [("a", 1), ("b", 2)])
        let record = try test.operate(key, [.delete, .put("c", 3), .get("a"), .get("c")])
        #expect(record.values == [nil, nil, nil, 3])
        #expect(record.generation == 2)
        #expect(try test.get(key).bins == [Bin("c", 3)])
        let message = try test.message(
            .operate(key, [.get("c"), .delete], readPolicy: ReadPolicy(), writePolicy: WritePolicy())
        )
        #expect(message.resultCode == .ok)
        #expect(message.header.generation == 0)
        #expect(test.store.record(key.digest) == nil)
    }

    @Test func keysAreStoredAndCompared() throws {
        var test = TestStore()
        try test.put(key, [("a", 1)], policy: WritePolicy { $0.sendsKey = true })
        #expect(test.store.record(key.digest)?.key.userKey == "a")
        try test.put(key, [("a", 2)])
        #expect(test.store.record(key.digest)?.key.userKey == "a")
        let impostor = Key(namespace: "test", set: "engine", digest: key.digest, userKey: "b")
        let policy = WritePolicy { $0.sendsKey = true }
        #expect(try test.code(.put(impostor, bins: [("a", 1)], policy: policy)) == .keyMismatch)
        #expect(try test.code(.delete(impostor, policy: policy)) == .keyMismatch)
        let otherSet = Key(namespace: "test", set: "other", digest: key.digest)
        #expect(try test.code(.put(otherSet, bins: [("a", 1)], policy: WritePolicy())) == .invalidRequest)
        #expect(try test.code(.get(otherSet, bins: nil, policy: ReadPolicy())) == .invalidRequest)
        #expect(try test.code(.delete(otherSet, policy: WritePolicy())) == .invalidRequest)
    }

    @Test func limits() throws {
        var test = TestStore()
        let big = Value.bytes([UInt8](repeating: 0, count: 1024 * 1024))
        #expect(try test.code(.put(key, bins: [("a", big)], policy: WritePolicy())) == .recordTooBig)
        #expect(test.store.recordCount == 0)
        // Header and mark 39, set 7, number of bins 1, bin's name 2, value's type and length 5.
        let largest = Value.bytes([UInt8](repeating: 0, count: 1024 * 1024 - 54))
        #expect(try test.code(.put(key, bins: [("a", largest)], policy: WritePolicy())) == .ok)
        let larger = Value.bytes([UInt8](repeating: 0, count: 1024 * 1024 - 53))
        #expect(try test.code(.put(key, bins: [("a", larger)], policy: WritePolicy())) == .recordTooBig)
        #expect(try test.code(.delete(key, policy: WritePolicy { $0.durableDelete = true })) == .enterpriseOnly)
        #expect(try test.code(.put(key, bins: [], policy: WritePolicy())) == .invalidRequest)
        test.store.configuration.stopsWrites = true
        #expect(try test.code(.put(key, bins: [("a", 1)], policy: WritePolicy())) == .outOfSpace)
        #expect(try test.code(.delete(key, policy: WritePolicy())) == .ok)
    }

    @Test func setsHaveLimits() throws {
        var test = TestStore()
        var limits = NamespaceConfiguration.SetConfiguration()
        limits.recordsMax = 1
        test.store.configuration.sets["engine"] = limits
        try test.put(key, [("a", 1)])
        try test.put(key, [("a", 2)])
        let other = Key(namespace: "test", set: "engine", "b")
        #expect(try test.code(.put(other, bins: [("a", 1)], policy: WritePolicy())) == .forbidden)
        test.store.configuration.sets["engine"]?.bytesMax = 10
        #expect(try test.code(.put(key, bins: [("a", 1)], policy: WritePolicy())) == .forbidden)
        test.store.configuration.setsMax = 1
        let third = Key(namespace: "test", set: "third", "b")
        #expect(try test.code(.put(third, bins: [("a", 1)], policy: WritePolicy())) == .invalidRequest)
    }

    @Test func truncation() throws {
        var test = TestStore()
        try test.put(key, [("a", 1)])
        let kept = Key(namespace: "test", set: "kept", "a")
        try test.put(kept, [("a", 1)])
        test.pass(seconds: 1)
        let between = test.now
        test.pass(seconds: 1)
        let later = Key(namespace: "test", set: "engine", "later")
        try test.put(later, [("a", 1)])
        #expect(test.store.truncate(set: "engine", beforeNanoseconds: between) == 1)
        #expect(test.store.truncate(set: "none", beforeNanoseconds: between) == 0)
        #expect(test.store.record(key.digest) == nil)
        #expect(test.store.record(later.digest) != nil)
        #expect(try test.get(kept).generation == 1)
        // What an old replica brings back is over.
        let stale = StoredRecord(
            key: key,
            bins: [Bin("a", 1)],
            generation: 1,
            lastUpdateNanoseconds: between - 1_000_000
        )
        let won = test.store.store(stale, resolving: .lastUpdateTime)
        #expect(!won)
        #expect(test.store.truncate(set: nil, beforeNanoseconds: test.now + 1_000_000) == 2)
        #expect(test.store.recordCount == 0)
        test.store.undoTruncation(set: nil)
        #expect(try test.code(.put(key, bins: [("a", 1)], policy: WritePolicy())) == .ok)
    }

    @Test func whatIsUnknownIsRefusedLoudly() throws {
        var test = TestStore()
        try test.put(key, [("a", 1)])
        let program = RecordRequest.Program(package: "p", function: "f", arguments: [1])
        #expect(try test.code(.execute(key, program, policy: WritePolicy())) == .unsupportedFeature)
        #expect(test.unknown.count == 1)
    }

    @Test func functionsTakeThePlaceOfPrograms() throws {
        var test = TestStore()
        struct Broken: Error {}
        test.store.registerFunction(FunctionName(package: "p", function: "f")) { record, arguments in
            guard let amount = arguments.first?.integer else { throw Broken() }
            let old = record?.value(of: "n")?.integer ?? 0
            record = StoredRecord(key: Key(namespace: "test", "ignored"), bins: [Bin("n", .integer(old + amount))])
            return .integer(old)
        }
        func call(_ arguments: [Value]) -> RecordRequest {
            let program = RecordRequest.Program(package: "p", function: "f", arguments: arguments)
            return .execute(key, program, policy: WritePolicy())
        }
        #expect(try test.call(call([2])).bins == [Bin("SUCCESS", 0)])
        #expect(try test.call(call([3])).bins == [Bin("SUCCESS", 2)])
        #expect(try test.get(key).bins == [Bin("n", 5)])
        #expect(try test.get(key).generation == 2)
        let failure = try test.message(call([]))
        #expect(failure.resultCode == .udfExecution)
        #expect(try failure.record().bins.first?.name == "FAILURE")
    }

    @Test func changesAreToldAndReplicated() throws {
        var test = TestStore()
        var replica = NamespaceStore(name: "test")
        func request(_ request: RecordRequest) throws -> RequestMessage {
            var buffer = ByteBuffer()
            try buffer.writeRequest(request, timeoutMilliseconds: 0)
            buffer.moveReaderIndex(forwardBy: ProtoHeader.byteCount)
            return try RequestMessage(body: buffer)
        }
        let put = test.store.answer(
            try request(.put(key, bins: [("a", 1)], policy: WritePolicy())),
            nowNanoseconds: test.now
        )
        replica.apply(try #require(put.change))
        #expect(replica.record(key.digest) == test.store.record(key.digest))
        let read = test.store.answer(
            try request(.get(key, bins: nil, policy: ReadPolicy())),
            nowNanoseconds: test.now
        )
        #expect(read.change == nil)
        let delete = test.store.answer(
            try request(.delete(key, policy: WritePolicy())),
            nowNanoseconds: test.now
        )
        replica.apply(try #require(delete.change))
        #expect(replica.recordCount == 0)
        #expect(replica.setStatistics["engine"]?.bytes == 0)
    }

    @Test func theBetterVersionWins() {
        func version(_ generation: UInt16, _ milliseconds: Int64) -> StoredRecord {
            StoredRecord(
                key: key,
                bins: [Bin("a", 1)],
                generation: generation,
                lastUpdateNanoseconds: milliseconds * 1_000_000
            )
        }
        #expect(ConflictResolution.generation.prefers(version(2, 1), to: version(1, 9)))
        #expect(!ConflictResolution.generation.prefers(version(1, 9), to: version(2, 1)))
        // After a wrap the older one wins, which is why last-update-time is the better policy.
        #expect(ConflictResolution.generation.prefers(version(1, 1), to: version(65535, 9)))
        #expect(ConflictResolution.generation.prefers(version(1, 2), to: version(1, 1)))
        #expect(ConflictResolution.lastUpdateTime.prefers(version(1, 9), to: version(65535, 1)))
        #expect(ConflictResolution.lastUpdateTime.prefers(version(2, 1), to: version(1, 1)))
        #expect(!ConflictResolution.lastUpdateTime.prefers(version(1, 1), to: version(1, 1)))
    }
}
