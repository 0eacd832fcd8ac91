import Aerospike
import NIOCore
import Testing

/// Batches, queries, and many calls at once.
struct ManyRecordsSuite {
    @Test(arguments: ServerUnderTest.all) func aBatchMixesCallsOfEveryKind(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let set = TestSet("batch")
            let keys = (0..<200).map { set.key($0) }
            let before = client.statistics.requestCount
            let written = try await client.batch(keys.map { .put($0, ["n": .integer($0.userNumber)]) })
            #expect(written.count { (try? $0.get()) != nil } == 200)
            // One message for each node.
            let nodes = client.statistics.requestCount - before
            #expect((1...8).contains(nodes))
            var updating = WritePolicy()
            updating.exists = .updateOnly
            let results = try await client.batch([
                .get(keys[3]), .get(set.key(1000)), .operate(keys[4], [.add("n", 10), .get("n")]),
                .put(set.key(1001), ["n": 1], policy: updating), .delete(keys[5]), .exists(keys[6]),
                .get(keys[7], bins: ["none"]), .touch(keys[8]),
            ])
            #expect(try results[0].get()["n"] == 3)
            #expect(results[1].error?.code == .notFound)
            #expect(try results[2].get().values == [nil, 14])
            #expect(results[3].error?.code == .notFound)
            #expect(results[3].error?.inDoubt == false)
            #expect(try results[4].get().bins.isEmpty)
            #expect(try results[5].get().bins.isEmpty)
            #expect(try results[6].get().bins.isEmpty)
            #expect(try results[7].get().generation == 2)
            #expect(try await !client.exists(keys[5]))
            #expect(try await client.batch([]).isEmpty)
            #expect(try await client.batch([.get(keys[9])])[0].get()["n"] == 9)
            await set.remove(keys, from: client)
        }
    }

    @Test(arguments: ServerUnderTest.all) func aQueryFindsEachRecordOnce(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let set = TestSet("query")
            let keys = (0..<600).map { set.key($0) }
            let body = Value.blob(ByteBuffer(repeating: 1, count: 300))
            _ = try await client.batch(keys.map { .put($0, ["n": .integer($0.userNumber), "b": body]) })
            var query = Query(namespace: "test", set: set.name)
            // Small pages, so that there are many.
            query.pageBytes = 8000
            var found: [Int64] = []
            for try await (key, record) in client.query(query) {
                found.append(record["n"]?.integer ?? -1)
                #expect(keys.contains(key))
            }
            #expect(found.sorted() == Array(0..<600))
            query.filter = .int(bin: "n") < 10
            query.bins = ["n"]
            found = []
            for try await (_, record) in client.query(query) {
                found.append(record["n"]?.integer ?? -1)
                #expect(record.bins.count == 1)
            }
            #expect(found.sorted() == Array(0..<10))
            query.filter = nil
            query.partitions = 0..<2048
            var half: Set<Key> = []
            for try await (key, _) in client.query(query) { half.insert(key) }
            #expect(half == Set(keys.filter { $0.partitionID < 2048 }))
            await set.remove(keys, from: client)
        }
    }

    @Test(arguments: ServerUnderTest.all) func aQueryGoesOnWhereItStopped(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let set = TestSet("pages")
            let keys = (0..<300).map { set.key($0) }
            _ = try await client.batch(keys.map { .put($0, ["n": .integer($0.userNumber)]) })
            var query = Query(namespace: "test", set: set.name)
            query.recordsMax = 70
            var cursor: QueryCursor?
            var found: [Int64] = []
            var pageCount = 0
            while cursor?.isDone != true, pageCount < 20 {
                var iterator = client.query(query, from: cursor).makeAsyncIterator()
                var count = 0
                while let (_, record) = try await iterator.next() {
                    found.append(record["n"]?.integer ?? -1)
                    count += 1
                }
                #expect(count <= 70)
                cursor = iterator.cursor
                pageCount += 1
            }
            #expect(found.sorted() == Array(0..<300))
            #expect(pageCount >= 5)
            await set.remove(keys, from: client)
        }
    }

    @Test(arguments: ServerUnderTest.all) func aQueryThatCannotBeSaysWhy(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            var query = Query(namespace: "test", set: "swift-no-index")
            query.range = .between(bin: "unindexed", 1...2)
            let unindexed = await #expect(throws: AerospikeError.self) {
                for try await _ in client.query(query) {}
            }
            #expect(unindexed?.code == .indexNotFound)
            query = Query(namespace: "nowhere")
            query.call.triesMax = 1
            let nowhere = await #expect(throws: AerospikeError.self) {
                for try await _ in client.query(query) {}
            }
            #expect(nowhere?.code == .namespaceNotFound)
        }
    }

    /// 64 callers, each with records of its own: no reply ever reaches another.
    @Test(arguments: ServerUnderTest.all) func repliesReachThoseWhoAsked(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let set = TestSet("many")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<64 {
                    group.addTask {
                        for turn in 0..<30 {
                            let key = set.key(caller * 1000 + turn % 3)
                            let value = Value.string("\(caller)/\(turn)")
                            try await client.put(key, ["v": value])
                            #expect(try await client.get(key)?["v"] == value)
                            let both = try await client.operate(key, [.append("v", "!"), .get("v")])
                            #expect(both.values == [nil, .string("\(caller)/\(turn)!")])
                        }
                    }
                }
                try await group.waitForAll()
            }
            await set.remove((0..<64).flatMap { caller in (0..<3).map { set.key(caller * 1000 + $0) } }, from: client)
        }
    }

    /// The same from the client's own executor.
    @Test(arguments: ServerUnderTest.all) func callersMayRunOnTheClientsEventLoop(
        _ server: ServerUnderTest
    ) async throws {
        try await server.withClient { client in
            let set = TestSet("executor")
            try await withTaskExecutorPreference(client.executor) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for caller in 0..<16 {
                        group.addTask {
                            try await client.put(set.key(caller), ["n": .integer(Int64(caller))])
                            #expect(try await client.get(set.key(caller))?["n"] == .integer(Int64(caller)))
                        }
                    }
                    try await group.waitForAll()
                }
            }
            await set.remove((0..<16).map { set.key($0) }, from: client)
        }
    }

    @Test(arguments: ServerUnderTest.all) func cancellingOneCallerLeavesTheOthers(
        _ server: ServerUnderTest
    ) async throws {
        try await server.withClient { client in
            let set = TestSet("cancel")
            let keys = (0..<20).map { set.key($0) }
            _ = try await client.batch(keys.map { .put($0, ["n": .integer($0.userNumber)]) })
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for turn in 0..<400 {
                    let key = keys[turn % 20]
                    let isCancelled = turn % 3 == 0
                    group.addTask {
                        let task = Task { try await client.get(key)?["n"]?.integer }
                        if isCancelled {
                            task.cancel()
                        }
                        do {
                            let number = try await task.value
                            #expect(number == key.userNumber)
                            return true
                        } catch let error as AerospikeError {
                            #expect(isCancelled)
                            #expect(error.code == .cancelled)
                            #expect(!error.inDoubt)
                            return false
                        }
                    }
                }
                let answered = try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                #expect(answered >= 266)
            }
            await set.remove(keys, from: client)
        }
    }
}

extension Key {
    /// The number that the record is called by.
    var userNumber: Int64 {
        if case .integer(let number) = userKey { number } else { -1 }
    }
}

extension Result {
    /// Why it failed, if it did.
    var error: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
