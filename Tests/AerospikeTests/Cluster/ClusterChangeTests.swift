import Aerospike
import AerospikeTestKit
import NIOCore
import Testing

/// How a client follows nodes that are killed, stopped, restarted and joined, with nodes in this process.
@Suite struct ClusterChangeTests {
    private static func configuration(_ servers: TestCluster) -> AerospikeClientConfiguration {
        var configuration = AerospikeClientConfiguration(
            seeds: servers.seeds.map { .init($0.host, port: $0.port) }
        )
        configuration.connectTimeout = .seconds(2)
        return configuration
    }

    /// A client's view of a cluster of three nodes.
    private func withThree(_ body: (TestCluster, Cluster) async throws -> Void) async throws {
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2) { servers in
            try await withCluster(Self.configuration(servers)) { cluster in
                try await cluster.waitUntilReady(timeout: .seconds(120))
                #expect(cluster.map.nodes.count == 3)
                #expect(cluster.map.replicaCount("test") == 2)
                try await body(servers, cluster)
            }
        }
    }

    /// Whoever asks on after the end is told so, and does not try until the time of the call is up.
    @Test(.timeLimit(.minutes(1))) func callsOfAClosedClientFailForGood() async throws {
        try await TestCluster.withCluster { servers in
            var client: AerospikeClient?
            try await AerospikeClient.withClient(Self.configuration(servers)) { client = $0 }
            let closed = try #require(client)
            let key = Key(namespace: "test", set: "closed", "a")
            let failures = [
                await #expect(throws: AerospikeError.self) { try await closed.get(key) },
                await #expect(throws: AerospikeError.self) { _ = try await closed.put(key, ["a": 1]) },
            ]
            #expect(failures.map { $0?.code } == [.client, .client])
            #expect(failures.allSatisfy { $0?.inDoubt == false })
            for result in try await closed.batch([.get(key), .put(key, ["a": 1])]) {
                guard case .failure(let error) = result else {
                    Issue.record("a part of a batch was answered")
                    continue
                }
                #expect(error.code == .client)
            }
        }
    }

    private static func isComplete(_ map: ClusterMap) -> Bool {
        (0..<4096).allSatisfy { map.master(ofPartition: $0, namespace: "test") != nil }
    }

    /// Waits until these are the nodes, they hold everything, and they can be asked.
    private func settles(_ cluster: Cluster, _ names: Set<String>) async -> Bool {
        await eventually {
            let map = cluster.map
            let isThere = Set(map.nodes.map(\.name)) == names && Self.isComplete(map)
            return isThere && map.nodes.allSatisfy(\.isConnected) ? true : nil
        } ?? false
    }

    @Test func theMapIsWhatTheNodesSay() async throws {
        try await withThree { servers, cluster in
            for number in Int64(0)..<50 {
                let key = Key(namespace: "test", set: "map", .integer(number))
                let replicas = servers.replicas(of: key).map { servers.name(ofNode: $0) }
                #expect((0..<2).map { cluster.map.node(for: key, replica: $0)?.name } == replicas)
            }
        }
    }

    @Test func oneSeedIsEnough() async throws {
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2) { servers in
            var configuration = Self.configuration(servers)
            configuration.seeds = [.init("127.0.0.1", port: 1), configuration.seeds[1]]
            try await withCluster(configuration) { cluster in
                try await cluster.waitUntilReady(timeout: .seconds(120))
                #expect(cluster.map.nodes.count == 3)
                #expect(Self.isComplete(cluster.map))
            }
        }
    }

    @Test func aKilledNodeIsDroppedAndTakenInAgain() async throws {
        try await withThree { servers, cluster in
            let names = Set((0..<3).map { servers.name(ofNode: $0) })
            let killed = try #require(cluster.map.nodes.first { $0.name == servers.name(ofNode: 1) })
            await servers.kill(1)
            cluster.requestTend()
            #expect(await settles(cluster, names.subtracting([killed.name])))
            #expect(killed.connection() == nil)
            try await servers.restart(1)
            #expect(await settles(cluster, names))
            #expect(cluster.map.nodes.allSatisfy { $0.id != killed.id })
        }
    }

    @Test func aStoppedNodeIsDroppedAndItsCallersAreTold() async throws {
        try await withThree { servers, cluster in
            let names = Set((0..<3).map { servers.name(ofNode: $0) })
            let stopped = try #require(cluster.map.nodes.first { $0.name == servers.name(ofNode: 2) })
            let connection = try #require(stopped.connection())
            await servers.suspend(2)
            cluster.requestTend()
            // Its caller has half a minute to wait, and is told long before.
            let error = await #expect(throws: AerospikeError.self) {
                _ = try await connection.info(["node"], deadline: .now() + .seconds(30))
            }
            #expect(error?.code == .connection)
            #expect(error?.node == stopped.description)
            #expect(await settles(cluster, names.subtracting([stopped.name])))
            await servers.resume(2)
            #expect(await settles(cluster, names))
        }
    }

    @Test func aNodeThatJoinsIsUsed() async throws {
        try await withThree { servers, cluster in
            let place = try await servers.join()
            let names = Set((0...place).map { servers.name(ofNode: $0) })
            #expect(await settles(cluster, names))
        }
    }

    @Test func aSingleNodeThatRestartsIsUsedAgain() async throws {
        try await TestCluster.withCluster { servers in
            try await withCluster(Self.configuration(servers)) { cluster in
                try await cluster.waitUntilReady(timeout: .seconds(120))
                let node = try #require(cluster.map.nodes.first)
                await servers.kill(0)
                #expect(await eventually { node.isConnected ? nil : true } == true)
                try await servers.restart(0)
                #expect(await settles(cluster, [node.name]))
            }
        }
    }

    @Test func theNameOfTheClusterHasToMatch() async throws {
        try await TestCluster.withCluster { servers in
            var configuration = Self.configuration(servers)
            configuration.clusterName = "testkit"
            try await withCluster(configuration) { try await $0.waitUntilReady(timeout: .seconds(120)) }
            configuration.clusterName = "other"
            try await withCluster(configuration) { cluster in
                let error = await #expect(throws: AerospikeError.self) {
                    try await cluster.waitUntilReady(timeout: .seconds(60))
                }
                #expect(error?.code == .client)
            }
        }
    }
}
