import Aerospike
import NIOCore
import Testing

/// Calls on single records.
struct RecordSuite {
    @Test(arguments: ServerUnderTest.all) func whatIsPutIsGot(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let set = TestSet("values")
            let key = set.key("everything")
            let bins: [String: Value] = [
                "int": .integer(.min), "double": 2.5, "true": true, "string": "hé漢😀", "blob": .bytes([0, 255]),
                "empty": "", "list": [1, "a", .bytes([9]), 2.5, true, nil, [[]], ["k": [:]]],
                "map": ["k": [1, ["n": nil]], 7: "seven"],
                "ordered": .map(Value.Map([("b", 2), ("a", 1)], order: .keyValueOrdered)),
                "geo": .geoJSON(#"{"type":"Point","coordinates":[1.0,2.0]}"#),
            ]
            #expect(try await client.put(key, bins) == 1)
            let record = try #require(await client.get(key))
            #expect(record.bins.count == bins.count)
            for (name, value) in bins {
                #expect(record[name] == value, "\(name)")
            }
            #expect(try await client.get(key, bins: ["int", "none"])?.bins == [Bin("int", .integer(.min))])
            #expect(try await client.get(key, bins: [])?.bins == [])
            #expect(try await client.put(key, ["int": nil, "double": 3.5]) == 2)
            let changed = try #require(await client.get(key))
            #expect(changed["int"] == nil)
            #expect(changed["double"] == 3.5)
            #expect(changed.generation == 2)
            await set.remove([key], from: client)
        }
    }

    @Test(arguments: ServerUnderTest.all) func recordsComeAndGo(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let key = TestSet("life").key("one")
            #expect(try await client.get(key) == nil)
            #expect(try await !client.exists(key))
            #expect(try await !client.delete(key))
            let missing = await #expect(throws: AerospikeError.self) { try await client.touch(key) }
            #expect(missing?.code == .notFound)
            try await client.put(key, ["a": 1])
            #expect(try await client.exists(key))
            #expect(try await client.touch(key) == 2)
            #expect(try await client.delete(key))
            #expect(try await !client.exists(key))
        }
    }

    @Test(arguments: ServerUnderTest.all) func binsAreAddedToAndAppendedTo(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let set = TestSet("scalars")
            let key = set.key(-5)
            try await client.add(key, ["n": 5, "m": -1])
            try await client.add(key, ["n": 2])
            try await client.append(key, ["s": "b"])
            try await client.append(key, ["s": "c"])
            try await client.prepend(key, ["s": "a"])
            let record = try #require(await client.get(key))
            #expect(record["n"] == 7)
            #expect(record["m"] == -1)
            #expect(record["s"] == "abc")
            let wrong = await #expect(throws: AerospikeError.self) { try await client.add(key, ["s": 1]) }
            #expect(wrong?.code == .incompatibleType)
            #expect(wrong?.inDoubt == false)
            await set.remove([key], from: client)
        }
    }

    @Test(arguments: ServerUnderTest.all) func operationsAnswerInOrder(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let set = TestSet("operate")
            let key = set.key("k")
            let record = try await client.operate(
                key,
                [
                    .put("n", 5), .add("n", 3), .get("n"), .get("none"),
                    .list("l").append(contentsOf: [3, 1, 2]), .list("l").sort(), .list("l").get(.indexes(from: 0)),
                    .map("m").put("k", 9, policy: MapWritePolicy(order: .keyOrdered)),
                    .map("m").get(.key("k"), returning: .value),
                    .read(.int(bin: "n") * 10, as: "tenfold"), .write(.int(bin: "n") + 1, to: "n"), .get("n"),
                ]
            )
            #expect(record.values == [nil, nil, 8, nil, 3, nil, [1, 2, 3], 1, 9, 80, nil, 9])
            // All or none: the last fails, and so nothing has happened.
            let wrong = await #expect(throws: AerospikeError.self) {
                try await client.operate(key, [.add("n", 1), .list("n").append(1)])
            }
            #expect(wrong?.code == .incompatibleType)
            #expect(try await client.get(key)?["n"] == 9)
            #expect(try await client.operate(key, [.get("n"), .get("none"), .list("l").size()]).values == [9, nil, 3])
            await set.remove([key], from: client)
        }
    }

    @Test(arguments: ServerUnderTest.all) func conditionsAreKept(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let set = TestSet("conditions")
            let key = set.key("k")
            func code(_ policy: WritePolicy) async -> ResultCode? {
                do {
                    try await client.put(key, ["a": 1], policy: policy)
                    return nil
                } catch {
                    return error.code
                }
            }
            var policy = WritePolicy()
            policy.exists = .updateOnly
            #expect(await code(policy) == .notFound)
            policy.exists = .createOnly
            #expect(await code(policy) == nil)
            #expect(await code(policy) == .recordExists)
            policy.exists = .createOrUpdate
            policy.generation = .equal(7)
            #expect(await code(policy) == .generationMismatch)
            policy.generation = .equal(1)
            policy.filter = .int(bin: "a") == 2
            #expect(await code(policy) == .filteredOut)
            policy.filter = .int(bin: "a") == 1
            policy.timeToLive = .seconds(1000)
            #expect(await code(policy) == nil)
            #expect(try await client.get(key)?.expiresAtUnixSeconds != nil)
            policy = WritePolicy()
            policy.exists = .replaceOnly
            try await client.put(key, ["b": 2], policy: policy)
            #expect(try await client.get(key)?.bins == [Bin("b", 2)])
            policy.durableDelete = true
            let enterprise = await #expect(throws: AerospikeError.self) {
                try await client.delete(key, policy: policy)
            }
            #expect(enterprise?.code == .enterpriseOnly)
            var reading = ReadPolicy()
            reading.filter = .int(bin: "b") == 3
            let filtered = await #expect(throws: AerospikeError.self) { try await client.get(key, policy: reading) }
            #expect(filtered?.code == .filteredOut)
            await set.remove([key], from: client)
        }
    }

    @Test(arguments: ServerUnderTest.all) func whatCannotBeAskedIsRefused(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let unknown = await #expect(throws: AerospikeError.self) {
                try await client.get(Key(namespace: "nowhere", "k"))
            }
            #expect(unknown?.code == .namespaceNotFound)
            let long = await #expect(throws: AerospikeError.self) {
                try await client.put(Key(namespace: "test", "k"), ["a name of sixteen": 1])
            }
            #expect(long?.code == .invalidArgument)
            let nothing = await #expect(throws: AerospikeError.self) {
                try await client.put(Key(namespace: "test", "k"), [:])
            }
            #expect(nothing?.code == .invalidArgument)
            let large = await #expect(throws: AerospikeError.self) {
                try await client.put(
                    TestSet("large").key(1),
                    ["b": .blob(ByteBuffer(repeating: 7, count: 1_100_000))]
                )
            }
            #expect(large?.code == .recordTooBig)
            #expect(large?.inDoubt == false)
        }
    }

    /// The traffic of each call is what the protocol needs and no more.
    @Test(arguments: ServerUnderTest.all) func eachCallIsOneRoundTrip(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let set = TestSet("traffic")
            let key = set.key(1)
            func expect(_ bytes: Int, _ call: () async throws -> Void) async throws {
                let before = client.statistics
                try await call()
                #expect(client.statistics.requestCount == before.requestCount + 1)
                #expect(client.statistics.requestBytes == before.requestBytes + bytes)
            }
            // Two headers of 30 bytes, then the fields of namespace, set and digest.
            let head = 30 + (5 + 4) + (5 + set.name.utf8.count) + (5 + 20)
            try await expect(head + 8 + 1 + 8) { try await client.put(key, ["n": 1]) }
            try await expect(head) { _ = try await client.get(key) }
            try await expect(head) { _ = try await client.exists(key) }
            try await expect(head + 8 + 1 + 8) { try await client.add(key, ["n": 1]) }
            try await expect(head + 8 + 1 + 8 + 8 + 1) { try await client.operate(key, [.add("n", 1), .get("n")]) }
            try await expect(head + 8) { try await client.touch(key) }
            try await expect(head) { try await client.delete(key) }
        }
    }
}
