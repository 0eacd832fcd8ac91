import Aerospike
import Testing

/// What the documentation shows compiles, and means what it says.
@Suite struct DocumentationExampleTests {
    @Test func operations() {
        let operations: [Operation] = [
            .add("visits", 1),
            .list("latest").append("ann"),
            .list("latest").trim(from: -10, count: 10),
            .map("scores").get(.ranks(from: -3), returning: .keyValue),
            .read(.int(bin: "visits") * 10, as: "tenfold"),
        ]
        #expect(operations.map(\.isWrite) == [true, true, true, false, false])
        let nested: Operation = .list("games", at: [.listIndex(-1), .mapKey("scores")]).append(7)
        #expect(nested.isWrite)
    }

    @Test func policies() {
        var policy = WritePolicy()
        policy.exists = .updateOnly
        policy.filter = .int(bin: "state") == 2 && .map(bin: "jobs").size() < 64
        #expect(
            policy.filter?.packed.hex
                == "931093019351 02a57374617465 02 9305957f0200916093 5105a46a6f6273 40".filter { $0 != " " }
        )
    }

    @Test func expressions() {
        let isDue: Exp<Bool> =
            .int(bin: "state") == 2 && .int(bin: "deadline") <= .lastUpdate / 1_000_000 + .sinceUpdate
        let best: Exp<Int> = .list(bin: "scores").get(.rank(-1), .value(Int.self))
        let top: Exp<Value.List> = .list(bin: "scores").get(.ranks(from: -3), .value)
        let count: Exp<Int> = .map(bin: "stock").get(.values(from: 1, upTo: 10), .count)
        let price: Exp<Int> = .cond(
            (when: .int(bin: "age") < 18, then: 5),
            (when: .int(bin: "age") > 65, then: 7),
            otherwise: 10
        )
        let isFair: Exp<Bool> = .let("total", .int(bin: "a") + .int(bin: "b")) { total in
            total > 10 && total < 20
        }
        #expect(Set([isDue.packed, best.packed, top.packed, count.packed, price.packed, isFair.packed]).count == 6)
        #expect(isDue.base64 == Base64.encode(isDue.packed))
    }

    @Test func values() {
        let value: Value = ["name": "ann", "visits": 3]
        #expect(value.map?["visits"]?.integer == 3)
        #expect("\(value)" == #"["name": "ann", "visits": 3]"#)
    }

    /// The steps of "Getting started".
    @Test(arguments: ServerUnderTest.all) func gettingStarted(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let set = TestSet("tutorial")
            let key = set.key("ann")
            try await client.put(key, ["name": "Ann", "visits": 1])
            try await client.add(key, ["visits": 1])
            #expect(try await client.get(key)?["visits"] == 2)

            let record = try await client.operate(
                key,
                [
                    .list("latest").append("home"),
                    .list("latest").trim(from: -10, count: 10),
                    .read(.int(bin: "visits") * 10, as: "tenfold"),
                ]
            )
            #expect(record.values[2].integer == 20)

            let keys = [key, set.key("nobody")]
            let results = try await client.batch(keys.map { .get($0, bins: ["visits"]) })
            var found: [Key] = []
            for (key, result) in zip(keys, results) {
                switch result {
                case .success: found.append(key)
                case .failure(let error) where error.code == .notFound: #expect(key == keys[1])
                case .failure(let error): throw error
                }
            }
            #expect(found == [key])

            var query = Query(namespace: "test", set: set.name)
            query.filter = .int(bin: "visits") > 1
            var names: [Value?] = []
            for try await (_, record) in client.query(query) {
                names.append(record["name"])
            }
            #expect(names == ["Ann"])

            do throws(AerospikeError) {
                try await client.add(key, ["name": 1])
            } catch  where error.inDoubt {
                Issue.record("A refused write is not in doubt.")
            } catch {
                #expect(error.code == .incompatibleType)
            }

            var policy = ReadPolicy()
            // In the text it is shorter: here a busy machine is to pass as well.
            policy.call.timeout = .seconds(50)
            policy.call.triesMax = 1
            let visits = try await client.get(key, bins: ["visits"], policy: policy)?["visits"]
            #expect(visits == 2)
            await set.remove([key], from: client)
        }
    }
}
