import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import Testing

/// Nodes that do not see one another, while clients see all of them.
@Suite(.onThreads)
struct PartitionTests {
    private let clock = ManualClock()
    private let keys = (0..<30).map { testKey("s\($0)") }

    private func configuration(_ change: (inout TestCluster.Configuration) -> Void = { _ in })
        -> TestCluster.Configuration
    {
        var configuration = TestCluster.Configuration()
        configuration.clock = .manual(clock)
        change(&configuration)
        return configuration
    }

    @Test func eachSideHasItsOwnMasters() async throws {
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2, configuration: configuration()) { cluster in
            let clients = try cluster.seeds.map { try RawConnection($0) }
            for key in keys { #expect(try clients[0].put(key, 0) == .ok) }
            cluster.partition([0], [1, 2])
            clock.advance(by: .milliseconds(60))
            for key in keys {
                #expect(cluster.master(of: key, accordingTo: 0) == 0)
                #expect(cluster.master(of: key, accordingTo: 1) == cluster.master(of: key, accordingTo: 2))
                #expect(cluster.master(of: key, accordingTo: 1) != 0)
                #expect(try clients[0].put(key, 1) == .ok)
                #expect(try clients[1].put(key, 2) == .ok)
                #expect(try clients[0].get(key) == 1)
                #expect(try clients[2].get(key) == 2)
            }
            #expect(try PeerList(parsing: try clients[0].ask("peers-clear-std")).peers.isEmpty)
            #expect(try PeerList(parsing: try clients[1].ask("peers-clear-std")).peers.count == 1)
        }
    }

    @Test(arguments: [TestCluster.ConflictPolicy.generation, .lastUpdateTime])
    func afterwardsTheBetterVersionIsKept(_ policy: TestCluster.ConflictPolicy) async throws {
        let configuration = configuration { $0.namespaces[0].conflictResolution = policy }
        try await TestCluster.withCluster(nodes: 2, replicationFactor: 2, configuration: configuration) { cluster in
            let clients = try cluster.seeds.map { try RawConnection($0) }
            let key = keys[0]
            #expect(try clients[0].put(key, 0) == .ok)
            cluster.partition([0], [1])
            clock.advance(by: .milliseconds(60))
            // The one writes more often, the other last.
            for _ in 0..<3 { #expect(try clients[0].put(key, "often") == .ok) }
            clock.advance(by: .milliseconds(10))
            #expect(try clients[1].put(key, "last") == .ok)
            // What only one side has is there afterwards.
            #expect(try clients[0].put(keys[1], "left") == .ok)
            #expect(try clients[1].put(keys[2], "right") == .ok)
            cluster.heal()
            clock.advance(by: .milliseconds(60))
            for client in clients {
                #expect(try client.get(key) == (policy == .generation ? "often" : "last"))
                #expect(try client.get(keys[1]) == "left")
                #expect(try client.get(keys[2]) == "right")
            }
        }
    }

    @Test func aMinorityMayRefuseToServe() async throws {
        let configuration = configuration { $0.clusterSizeMin = 2 }
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2, configuration: configuration) { cluster in
            let clients = try cluster.seeds.map { try RawConnection($0) }
            for key in keys { #expect(try clients[0].put(key, 0) == .ok) }
            cluster.partition([0], [1, 2])
            clock.advance(by: .milliseconds(60))
            for key in keys {
                #expect(try clients[0].put(key, 1) == .partitionUnavailable)
                #expect(try clients[1].put(key, 2) == .ok)
            }
            let owned = try PartitionOwnership.parse(try clients[0].ask("replicas"))
            #expect(owned.allSatisfy { $0.count() == 0 })
            cluster.heal()
            clock.advance(by: .milliseconds(60))
            for key in keys { #expect(try clients[0].get(key) == 2) }
        }
    }

    @Test func beforeTheNodesNoticeWritesWaitForTheOtherSide() async throws {
        try await TestCluster.withCluster(nodes: 2, replicationFactor: 2, configuration: configuration()) { cluster in
            let key = try #require(keys.first { cluster.master(of: $0) == 0 })
            let client = try RawConnection(cluster.seeds[0])
            cluster.partition([0], [1])
            try client.send(.put(key, bins: [("v", 1)], policy: WritePolicy()))
            client.setPatience(milliseconds: 50)
            #expect(throws: RawConnection.Unexpected.silence) { try client.receive() }
            clock.advance(by: .milliseconds(60))
            client.setPatience(milliseconds: 10_000)
            #expect(try client.receiveMessage().resultCode == .ok)
            #expect(cluster.record(key, onNode: 1) == nil)
        }
    }

    @Test func aStaleNodeRejoins() async throws {
        let configuration = configuration { $0.namespaces[0].conflictResolution = .lastUpdateTime }
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2, configuration: configuration) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            for key in keys { #expect(try client.put(key, 1) == .ok) }
            await cluster.kill(2)
            clock.advance(by: .milliseconds(60))
            for key in keys { #expect(try client.put(key, 2) == .ok) }
            #expect(try client.delete(keys[0]) == .ok)
            let wasThere = cluster.record(keys[0], onNode: 2) != nil
            try await cluster.restart(2)
            clock.advance(by: .milliseconds(60))
            for key in keys[1...] { #expect(try client.get(key) == 2) }
            // What was deleted meanwhile comes back with the node that had it, as it does without durable deletes.
            #expect((try client.get(keys[0]) != nil) == wasThere)
        }
    }

    @Test func whileVersionsAreApartWritesTakeTheBetter() async throws {
        let configuration = configuration { $0.namespaces[0].conflictResolution = .lastUpdateTime }
        try await TestCluster.withCluster(nodes: 2, configuration: configuration) { cluster in
            let clients = try cluster.seeds.map { try RawConnection($0) }
            cluster.partition([0], [1])
            clock.advance(by: .milliseconds(60))
            for key in keys { #expect(try clients[0].put(key, 10) == .ok) }
            clock.advance(by: .milliseconds(10))
            for key in keys { #expect(try clients[1].put(key, 20) == .ok) }
            cluster.holdMigrations()
            cluster.heal()
            clock.advance(by: .milliseconds(60))
            for key in keys {
                let add = RecordRequest.operate(
                    key,
                    [.add("v", 1), .get("v")],
                    readPolicy: ReadPolicy(),
                    writePolicy: WritePolicy()
                )
                #expect(try clients[0].call(add).values[1] == 21)
            }
            cluster.releaseMigrations()
            for key in keys { #expect(try clients[1].get(key) == 21) }
        }
    }
}
