import Aerospike
import NIOCore
import Testing

@Suite struct ClusterMapTests {
    private static func ownership(_ text: String) throws -> [PartitionOwnership] {
        try PartitionOwnership.parse(text)
    }

    private static func table(_ claims: (Int32, String)...) throws -> [PartitionTable] {
        PartitionTable.merging(
            try claims.map { PartitionTable.Claim(node: $0, ownership: try ownership($1)) }
        )
    }

    @Test func theLaterAnswerWins() throws {
        let first = ClusterScenario.replicas(masters: 0..<100)
        let second = ClusterScenario.replicas(masters: 50..<150)
        let table = try #require(try Self.table((1, first), (2, second)).first)
        #expect([49, 50, 149].map { table.owner(of: $0) } == [1, 2, 2])
        #expect(table.owner(of: 150) == nil)
        #expect(!table.isComplete)
        #expect(try Self.table((2, second), (1, first)).first?.owner(of: 50) == 1)
    }

    @Test func theNewerRegimeWins() throws {
        let newer = ClusterScenario.replicas(regime: 8, masters: 0..<100)
        let older = ClusterScenario.replicas(regime: 7, masters: 50..<150)
        let table = try #require(try Self.table((1, newer), (2, older)).first)
        #expect([0, 50, 99, 100].map { table.owner(of: $0) } == [1, 1, 1, 2])
    }

    @Test func tablesAreBounded() throws {
        let bitmap = try #require(ClusterScenario.replicas(masters: 0..<1).split(separator: ",").last)
        let many = "test:0,12," + Array(repeating: String(bitmap), count: 12).joined(separator: ",")
        #expect(try Self.table((1, many)).first?.replicaCount == AerospikeLimits.replicasMax)
        let namespaces = (0..<40).map { ClusterScenario.replicas("n\($0)", masters: 0..<1) }.joined(separator: ";")
        #expect(try Self.table((1, namespaces)).count == AerospikeLimits.namespacesMax)
    }

    @Test func everyPartitionOfABitmapIsTold() throws {
        let ownership = try #require(try Self.ownership(ClusterScenario.replicas(masters: 60..<4096)).first)
        var told: [Int] = []
        ownership.forEachPartition(asReplica: 0) { told.append($0) }
        #expect(told == Array(60..<4096))
        ownership.forEachPartition(asReplica: 1) { told.append($0) }
        #expect(told.count == 4036)
    }

    @Test func nodesAreFoundByKeyAndReplica() throws {
        let key = Key(namespace: "test", set: "s", "k")
        let id = key.partitionID
        let nodes = [1, 2, 3].map { Node(id: $0, name: "N\($0)", host: .init("n\($0)")) }
        let tables = try Self.table(
            (1, ClusterScenario.replicas(masters: id..<id + 1, proles: 0..<0)),
            (2, ClusterScenario.replicas(masters: 0..<0, proles: id..<id + 1)),
            (3, ClusterScenario.replicas(masters: 0..<0, proles: 0..<0))
        )
        let map = ClusterMap(nodes: nodes, tables: tables)
        #expect(map.node(for: key)?.name == "N1")
        #expect(map.node(for: key, replica: 1)?.name == "N2")
        #expect(map.node(for: key, replica: 2)?.name == "N1")
        #expect(map.node(for: key, replica: .max) != nil)
        #expect(map.node(for: key, replica: -1)?.name == "N1")
        #expect(map.master(ofPartition: id, namespace: "test")?.name == "N1")
        #expect(map.node(for: Key(namespace: "other", "k")) == nil)
        #expect(map.hasNamespace("test") && !map.hasNamespace("other"))
        #expect(map.replicaCount("test") == 2 && map.replicaCount("other") == 0)
        #expect(map.namespaceNames == ["test"])
        // The master is gone: the other replica's node is asked, but is not the master.
        let without = ClusterMap(nodes: Array(nodes.dropFirst()), tables: tables)
        #expect(without.node(for: key)?.name == "N2")
        #expect(without.master(ofPartition: id, namespace: "test") == nil)
        #expect(without.master(ofPartition: 4096, namespace: "test") == nil)
        #expect(without.node(ofPartition: -1, namespace: "test") == nil)
        #expect(ClusterMap().node(for: key) == nil)
    }

    @Test func aNodeThatFailsOftenIsLeftAlone() {
        let node = Node(id: 1, name: "A", host: .init("a", port: 4000))
        #expect("\(node)" == "A a:4000")
        for _ in 0..<Node.failuresMax {
            node.noteFailure()
        }
        #expect(!node.isLeftAlone)
        node.noteFailure()
        #expect(node.isLeftAlone)
        node.beginFailureWindow()
        #expect(!node.isLeftAlone)
        #expect(node.connection() == nil && !node.isConnected)
    }

    @Test func connectionsAreReopenedAtOnceAndThenEverLater() {
        var backoff = Backoff()
        var delays: [Int64] = []
        for _ in 0..<8 {
            backoff.ended(after: .zero)
            delays.append(backoff.delay.nanoseconds / 1_000_000)
        }
        #expect(delays == [0, 50, 100, 200, 400, 800, 1000, 1000])
        backoff.ended(after: .seconds(1))
        #expect(backoff.delay == .zero)
        backoff.ended(after: .milliseconds(999))
        #expect(backoff.delay == .zero)
        backoff.ended(after: .milliseconds(1))
        #expect(backoff.delay == .milliseconds(50))
    }

    @Test func aConnectionThatAnsweredIsReopenedAtOnce() {
        var backoff = Backoff()
        for _ in 0..<5 {
            backoff.ended(after: .milliseconds(1), hasServed: true)
            #expect(backoff.delay == .zero)
        }
        for _ in 0..<3 { backoff.ended(after: .milliseconds(1)) }
        #expect(backoff.delay == .milliseconds(100))
        backoff.ended(after: .milliseconds(1), hasServed: true)
        #expect(backoff.delay == .zero)
    }
}
