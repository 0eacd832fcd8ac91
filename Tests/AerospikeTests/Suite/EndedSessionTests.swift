import Aerospike
import AerospikeTestKit
import Testing

/// What the client does about codes that say more than what a call came to: that nobody is at the other end of the
/// connection any more, or that the node does not hold the partition.
struct EndedSessionTests {
    private static let user = TestCluster.User("ann", passwordHash: Bcrypt.aerospikeHash(of: "secret"))

    /// Runs something with a client that has the time it takes, of nodes in process.
    private func withClient(
        users: [TestCluster.User] = [],
        nodes: Int = 2,
        _ configure: (inout AerospikeClientConfiguration) -> Void = { _ in },
        _ body: @Sendable (AerospikeClient, TestCluster) async throws -> Void
    ) async throws {
        var server = TestCluster.Configuration()
        server.users = users
        try await TestCluster.withCluster(
            nodes: nodes,
            replicationFactor: nodes,
            configuration: server
        ) { cluster in
            var configuration = AerospikeClientConfiguration(
                seeds: cluster.seeds.map { .init($0.host, port: $0.port) }
            )
            if !users.isEmpty {
                configuration.credentials = .user("ann", password: "secret")
            }
            configuration.call.timeout = .seconds(120)
            configuration.connectTimeout = .seconds(120)
            configuration.stallTimeout = .seconds(120)
            configure(&configuration)
            try await AerospikeClient.withClient(
                configuration,
                logger: ServerUnderTest.logger,
                timeout: .seconds(120)
            ) { client in
                try await body(client, cluster)
            }
            #expect(cluster.counters.unknownRequests == [])
        }
    }

    private func key(_ number: Int) -> Key {
        Key(namespace: "test", set: "sessions", .integer(Int64(number)))
    }

    /// Every kind of call, each on all nodes, goes on after all sessions have ended, and writes are made once.
    @Test func sessionsThatEndAreBegunAnew() async throws {
        try await withClient(users: [Self.user]) { client, cluster in
            let keys = (0..<64).map(key)
            for round in 1...3 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for key in keys {
                        group.addTask { try await client.add(key, ["n": 1]) }
                    }
                    try await group.waitForAll()
                }
                cluster.expireSessions()
                let results = try await client.batch(keys.map { .operate($0, [.add("n", 1), .get("n")]) })
                #expect(results.map { try? $0.get().values.last } == keys.map { _ in .integer(Int64(round * 2)) })
                cluster.expireSessions()
                var query = Query(namespace: "test", set: "sessions")
                query.bins = ["n"]
                var found = 0
                for try await (_, record) in client.query(query) {
                    #expect(record["n"]?.integer == Int64(round * 2))
                    found += 1
                }
                #expect(found == keys.count)
                cluster.expireSessions()
                // A single call, which meets connections of the old session one by one.
                #expect(try await client.get(keys[0])?["n"]?.integer == Int64(round * 2))
                cluster.expireSessions()
            }
            #expect(cluster.counters.resultCodes[.expiredSession] ?? 0 > 0)
        }
    }

    /// A code that a node answers in the middle of a pipeline is for one call alone: the others get their own answers.
    @Test(arguments: [ResultCode.expiredSession, .notAuthenticated])
    func aCallThatIsRefusedForItsSessionIsMadeAgain(_ code: ResultCode) async throws {
        try await withClient(nodes: 1) {
            $0.connectionsPerNode = 1
        } _: { client, cluster in
            let opened = cluster.counters.connectionsOpened
            cluster.inject(
                Fault(.answer(code, isApplied: false), skipping: 5, count: 10) { $0.kind == .write }
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<200 {
                    group.addTask { try await client.add(key(1), ["n": 1]) }
                }
                try await group.waitForAll()
            }
            #expect(try await client.get(key(1))?["n"] == 200)
            #expect(cluster.faultsLeft == 0)
            #expect(cluster.counters.faults["answer"] == 10)
            // A connection that was told so is not used any more.
            #expect(cluster.counters.connectionsOpened > opened)
        }
    }

    @Test func aBatchThatIsRefusedForItsSessionIsMadeAgain() async throws {
        try await withClient(nodes: 1) { client, cluster in
            cluster.inject(Fault(.answer(.expiredSession, isApplied: false), count: 5) { $0.kind == .batch })
            let keys = (0..<10).map(key)
            let results = try await client.batch(keys.map { .operate($0, [.add("n", 1), .get("n")]) })
            #expect(results.map { try? $0.get().values.last } == keys.map { _ in 1 })
            #expect(cluster.faultsLeft == 0)
        }
    }

    /// The refusal stands if it does not go away, and it says that nothing was written.
    @Test(arguments: [false, true]) func aRefusalThatStaysIsTold(inBatch: Bool) async throws {
        try await withClient(nodes: 1) { client, cluster in
            cluster.inject(
                Fault(.answer(.notAuthenticated, isApplied: false), count: .max) {
                    $0.kind == .write || $0.kind == .batch
                }
            )
            let error: AerospikeError?
            if inBatch {
                let results = try await client.batch([.put(key(1), ["n": 1]), .put(key(2), ["n": 1])])
                error = results[0].error
                #expect(results[1].error?.code == .notAuthenticated)
            } else {
                error = await #expect(throws: AerospikeError.self) { try await client.put(key(1), ["n": 1]) }
            }
            #expect(error?.code == .notAuthenticated)
            #expect(error?.inDoubt == false)
            // By each connection that might be of the old session, and then as often as a call is tried.
            #expect(cluster.counters.faults["answer"] == 2 * 4 + 3)
        }
    }

    /// A client that asks its nodes once an hour asks at once when a call shows that something has changed.
    @Test(arguments: [ResultCode.partitionUnavailable, .clusterKeyMismatch], [false, true])
    func aNodeWithoutThePartitionHasTheClusterAsked(_ code: ResultCode, inBatch: Bool) async throws {
        try await withClient {
            $0.tendInterval = .seconds(3600)
        } _: { client, cluster in
            let keys = (0..<20).map(key)
            _ = try await client.batch(keys.map { .put($0, ["n": 1]) })
            let (asked, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            // It happens to nothing: it only tells.
            cluster.inject(
                Fault(.answer(.ok, isApplied: true)) { request in
                    if request.infoNames.contains("partition-generation") {
                        continuation.yield()
                    }
                    return false
                }
            )
            var fault = Fault(.answer(code, isApplied: false)) { $0.kind == .write }
            if inBatch {
                fault.scope = .batchPart
            }
            cluster.inject(fault)
            if inBatch {
                let results = try await client.batch(keys.map { .operate($0, [.add("n", 1), .get("n")]) })
                #expect(results.map { try? $0.get().values.last } == keys.map { _ in 2 })
            } else {
                try await client.add(keys[0], ["n": 1])
                #expect(try await client.get(keys[0])?["n"] == 2)
            }
            #expect(await asked.first { true } != nil)
        }
    }
}
