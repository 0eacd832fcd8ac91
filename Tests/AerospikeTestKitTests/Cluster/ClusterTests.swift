import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore
import Testing

/// Nodes that replicate, die, come back and are cut off from one another; the test moves the time.
@Suite(.onThreads)
struct ClusterTests {
    private let clock = ManualClock()
    private let keys = (0..<60).map { testKey("c\($0)") }

    private func configuration(_ change: (inout TestCluster.Configuration) -> Void = { _ in })
        -> TestCluster.Configuration
    {
        var configuration = TestCluster.Configuration()
        configuration.clock = .manual(clock)
        change(&configuration)
        return configuration
    }

    /// Lets the nodes notice what has changed.
    private func passDetection() {
        clock.advance(by: .milliseconds(60))
    }

    @Test func writesComeToTheReplicas() async throws {
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2, configuration: configuration()) { cluster in
            let clients = try cluster.seeds.map { try RawConnection($0) }
            for key in keys {
                let master = try #require(cluster.master(of: key))
                #expect(try clients[master].put(key, 5) == .ok)
                let replicas = cluster.replicas(of: key)
                #expect(replicas.count == 2 && replicas[0] == master)
                for node in 0..<3 {
                    #expect((cluster.record(key, onNode: node)?["v"] == 5) == replicas.contains(node))
                }
                // The replica reads for itself.
                #expect(try clients[replicas[1]].get(key) == 5)
            }
            #expect(cluster.counters.replicaWrites == keys.count)
            #expect(cluster.counters.proxied == 0)
            for key in keys { #expect(try clients[try #require(cluster.master(of: key))].delete(key) == .ok) }
            for key in keys { #expect((0..<3).allSatisfy { cluster.record(key, onNode: $0) == nil }) }
        }
    }

    @Test func aNodeThatDoesNotHoldARecordAsksTheOneThatDoes() async throws {
        try await TestCluster.withCluster(nodes: 3, configuration: configuration()) { cluster in
            let clients = try cluster.seeds.map { try RawConnection($0) }
            for (number, key) in keys.enumerated() {
                #expect(try clients[number % 3].put(key, .integer(Int64(number))) == .ok)
                #expect(try clients[(number + 1) % 3].get(key) == .integer(Int64(number)))
            }
            let foreign = keys.enumerated().reduce(0) { sum, entry in
                let master = cluster.master(of: entry.element)
                return sum + (master == entry.offset % 3 ? 0 : 1) + (master == (entry.offset + 1) % 3 ? 0 : 1)
            }
            #expect(cluster.counters.proxied == foreign)
            // A batch takes its parts from wherever they are.
            let batch = BatchRequest(
                keys.enumerated().map { (UInt32($0), .get($1, bins: nil, policy: ReadPolicy())) }
            )
            var buffer = ByteBuffer()
            try batch.write(into: &buffer, timeoutMilliseconds: 0)
            let messages = try clients[0].stream(buffer)
            #expect(messages.count == keys.count)
            for message in messages {
                #expect(try message.record()["v"] == .integer(Int64(message.batchIndex)))
            }
        }
    }

    @Test func survivorsTakeOverAfterAWhile() async throws {
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2, configuration: configuration()) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            for key in keys { #expect(try client.put(key, 1) == .ok) }
            let generation = try #require(Int(try client.ask("partition-generation")))
            let peersGeneration = try #require(Int(try client.ask("peers-generation")))
            await cluster.kill(2)
            #expect(throws: RawConnection.Unexpected.refused) { try RawConnection(cluster.seeds[2]) }
            // Nobody has noticed yet: what the dead node holds is asked for in vain.
            #expect(try client.ask("partition-generation") == "\(generation)")
            let lost = try #require(keys.first { cluster.master(of: $0) == 2 })
            let request = RecordRequest.get(lost, bins: nil, policy: ReadPolicy())
            let asked = (0..<2).first { !cluster.replicas(of: lost).contains($0) }
            let waiting = try RawConnection(cluster.seeds[try #require(asked)])
            try waiting.send(request)
            waiting.setPatience(milliseconds: 50)
            #expect(throws: RawConnection.Unexpected.silence) { try waiting.receive() }
            passDetection()
            // What waited for the dead node is answered by its heir.
            waiting.setPatience(milliseconds: 10_000)
            #expect(try waiting.receiveMessage().record()["v"] == 1)
            #expect(try #require(Int(try client.ask("partition-generation"))) > generation)
            #expect(try #require(Int(try client.ask("peers-generation"))) > peersGeneration)
            #expect(try PeerList(parsing: try client.ask("peers-clear-std")).peers.count == 1)
            for key in keys {
                #expect(try client.get(key) == 1)
                #expect(try client.put(key, 2) == .ok)
                // There are two copies again.
                #expect(cluster.record(key, onNode: 0)?["v"] == 2)
                #expect(cluster.record(key, onNode: 1)?["v"] == 2)
            }
        }
    }

    @Test func aWriteWhoseReplicaIsGoneIsAnsweredWhenTheClusterGoesOn() async throws {
        try await TestCluster.withCluster(nodes: 2, replicationFactor: 2, configuration: configuration()) { cluster in
            let key = try #require(keys.first { cluster.master(of: $0) == 0 })
            await cluster.suspend(1)
            let client = try RawConnection(cluster.seeds[0])
            try client.send(.put(key, bins: [("v", 1)], policy: WritePolicy()))
            client.setPatience(milliseconds: 50)
            #expect(throws: RawConnection.Unexpected.silence) { try client.receive() }
            #expect(cluster.record(key, onNode: 0)?["v"] == 1)
            client.setPatience(milliseconds: 10_000)
            passDetection()
            #expect(try client.receiveMessage().resultCode == .ok)
            await cluster.resume(1)
            passDetection()
            #expect(cluster.record(key, onNode: 1)?["v"] == 1)
        }
    }

    @Test func aWriteWhoseReplicaStaysSilentTimesOutAndIsApplied() async throws {
        let configuration = configuration { $0.detectionDelay = .seconds(3600) }
        try await TestCluster.withCluster(nodes: 2, replicationFactor: 2, configuration: configuration) { cluster in
            let key = try #require(keys.first { cluster.master(of: $0) == 0 })
            await cluster.suspend(1)
            let client = try RawConnection(cluster.seeds[0])
            try client.send(.put(key, bins: [("v", 1)], policy: WritePolicy()), timeoutMilliseconds: 200)
            client.setPatience(milliseconds: 50)
            #expect(throws: RawConnection.Unexpected.silence) { try client.receive() }
            clock.advance(by: .milliseconds(201))
            client.setPatience(milliseconds: 10_000)
            #expect(try client.receiveMessage().resultCode == .timeout)
            #expect(try client.get(key) == 1)
            var policy = WritePolicy()
            policy.commitLevel = .master
            #expect(try client.code(.put(key, bins: [("v", 2)], policy: policy)) == .ok)
            // The node was gone for so short a time that nobody noticed: it gets what is written from now on.
            await cluster.resume(1)
            #expect(try client.put(key, 3) == .ok)
            #expect(cluster.record(key, onNode: 1)?["v"] == 3)
        }
    }

    @Test func aStoppedNodeDoesWhatHasComeWhenItGoesOn() async throws {
        try await TestCluster.withCluster(configuration: configuration()) { cluster in
            let patient = try RawConnection(cluster.seeds[0])
            let hasty = try RawConnection(cluster.seeds[0])
            _ = try patient.ask("node")
            _ = try hasty.ask("node")
            await cluster.suspend(0)
            patient.setPatience(milliseconds: 50)
            // A connection can still be made: it waits in the socket that listens.
            let new = try RawConnection(cluster.seeds[0])
            try new.send(.put(testKey("new"), bins: [("v", 1)], policy: WritePolicy()))
            for number in 0..<3 {
                try patient.send(.put(testKey("p\(number)"), bins: [("v", 1)], policy: WritePolicy()))
                try hasty.send(.put(testKey("h\(number)"), bins: [("v", 1)], policy: WritePolicy()))
            }
            #expect(throws: RawConnection.Unexpected.silence) { try patient.receive() }
            hasty.endSending()
            #expect(cluster.record(testKey("p0"), onNode: 0) == nil)
            await cluster.resume(0)
            patient.setPatience(milliseconds: 10_000)
            for _ in 0..<3 {
                #expect(try patient.receiveMessage().resultCode == .ok)
            }
            #expect(try new.receiveMessage().resultCode == .ok)
            #expect(try patient.get(testKey("p2")) == 1)
            #expect(try patient.get(testKey("new")) == 1)
        }
    }

    @Test func aRequestWhoseClientHasGivenUpIsAppliedLater() async throws {
        try await TestCluster.withCluster(configuration: configuration()) { cluster in
            var client: RawConnection? = try RawConnection(cluster.seeds[0])
            _ = try client?.ask("node")
            await cluster.suspend(0)
            for number in 0..<3 {
                try client?.send(.put(testKey("late\(number)"), bins: [("v", 1)], policy: WritePolicy()))
            }
            client = nil
            // The node's socket has heard of it, which no signal tells a test; the node itself stands still.
            try await Task.sleep(for: .milliseconds(50))
            #expect(cluster.record(testKey("late0"), onNode: 0) == nil)
            await cluster.resume(0)
            let other = try RawConnection(cluster.seeds[0])
            _ = try other.ask("node")
            // The first was applied; the reply to it came back as a reset.
            #expect(try (0..<3).map { try other.get(testKey("late\($0)")) } == [1, nil, nil])
            #expect(cluster.connectionCount(ofNode: 0) == 1)
        }
    }

    @Test func aNodeComesBackEmptyOrAsItWas() async throws {
        try await TestCluster.withCluster(nodes: 1, configuration: configuration()) { cluster in
            var client = try RawConnection(cluster.seeds[0])
            let seed = cluster.seeds[0]
            #expect(try client.put(keys[0], 1) == .ok)
            await cluster.kill(0)
            #expect(throws: RawConnection.Unexpected.closed) { try client.ask("node") }
            try await cluster.restart(0)
            #expect(cluster.seeds[0] == seed)
            client = try RawConnection(seed)
            #expect(try client.ask("partition-generation") == "-1")
            #expect(try client.code(.get(keys[0], bins: nil, policy: ReadPolicy())) == .partitionUnavailable)
            passDetection()
            #expect(try client.ask("partition-generation") == "0")
            #expect(try client.get(keys[0]) == 1)
            await cluster.kill(0)
            try await cluster.restart(0, .empty)
            passDetection()
            #expect(try RawConnection(seed).get(keys[0]) == nil)
        }
    }

    @Test func deletesComeBackAfterAColdStart() async throws {
        try await TestCluster.withCluster(nodes: 1, configuration: configuration()) { cluster in
            var client = try RawConnection(cluster.seeds[0])
            for key in keys { #expect(try client.put(key, 1) == .ok) }
            for key in keys[..<10] { #expect(try client.delete(key) == .ok) }
            #expect(try client.delete(keys[10]) == .ok)
            #expect(try client.put(keys[10], 2) == .ok)
            clock.advance(by: .milliseconds(10))
            #expect(try client.ask("truncate:namespace=test;set=kit") == "ok")
            await cluster.kill(0)
            try await cluster.restart(0, .kept)
            passDetection()
            client = try RawConnection(cluster.seeds[0])
            for key in keys { #expect(try client.get(key) == nil) }
            await cluster.kill(0)
            try await cluster.restart(0, .deletesComeBack)
            passDetection()
            client = try RawConnection(cluster.seeds[0])
            for key in keys { #expect(try client.get(key) == (key == keys[10] ? 2 : 1)) }
        }
    }

    @Test func aCrashLosesWhatWasNotOnTheDisk() async throws {
        try await TestCluster.withCluster(nodes: 1, configuration: configuration()) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            #expect(try client.put(keys[0], 1) == .ok)
            #expect(try client.put(keys[1], 1) == .ok)
            clock.advance(by: .milliseconds(800))
            #expect(try client.put(keys[0], 2) == .ok)
            #expect(try client.delete(keys[1]) == .ok)
            #expect(try client.put(keys[2], 1) == .ok)
            await cluster.kill(0)
            try await cluster.restart(0, .forgetting(.milliseconds(676)))
            passDetection()
            let later = try RawConnection(cluster.seeds[0])
            #expect(try later.get(keys[0]) == 1)
            #expect(try later.get(keys[1]) == 1)
            #expect(try later.get(keys[2]) == nil)
        }
    }

    @Test func aNodeJoinsAndTakesItsShare() async throws {
        try await TestCluster.withCluster(nodes: 2, replicationFactor: 2, configuration: configuration()) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            for key in keys { #expect(try client.put(key, 1) == .ok) }
            #expect(try await cluster.join() == 2)
            let new = try RawConnection(cluster.seeds[2])
            #expect(try new.code(.get(keys[0], bins: nil, policy: ReadPolicy())) == .partitionUnavailable)
            passDetection()
            #expect(Set(keys.map { cluster.master(of: $0) }) == [0, 1, 2])
            for key in keys {
                #expect(try new.get(key) == 1)
                for node in 0..<3 {
                    #expect((cluster.record(key, onNode: node) != nil) == cluster.replicas(of: key).contains(node))
                }
            }
        }
    }

    @Test func partitionsMayBeHeldWhereTheyAre() async throws {
        try await TestCluster.withCluster(nodes: 2, configuration: configuration()) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            for key in keys { #expect(try client.put(key, 1) == .ok) }
            let before = keys.map { cluster.master(of: $0) }
            cluster.holdMigrations()
            _ = try await cluster.join()
            passDetection()
            let generation = try #require(Int(try client.ask("partition-generation")))
            #expect(keys.map { cluster.master(of: $0) } == before)
            #expect(keys.contains { cluster.replicas(of: $0) == [2] })
            #expect(try client.ask("cluster-stable:").hasPrefix("ERROR"))
            for key in keys { #expect(try client.put(key, 2) == .ok) }
            for key in keys[..<10] { #expect(try client.delete(key) == .ok) }
            cluster.releaseMigrations()
            #expect(try #require(Int(try client.ask("partition-generation"))) == generation + 1)
            #expect(Set(keys.map { cluster.master(of: $0) }) == [0, 1, 2])
            let new = try RawConnection(cluster.seeds[2])
            for key in keys { #expect(try new.get(key) == (keys[..<10].contains(key) ? nil : 2)) }
            #expect(try !client.ask("cluster-stable:").hasPrefix("ERROR"))
        }
    }
}
