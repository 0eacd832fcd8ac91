import Aerospike
import NIOCore
import Testing

/// How nodes are found and followed.
@Suite struct ClusterStateMachineTests {
    typealias Scenario = ClusterScenario
    typealias Host = ClusterStateMachine.Host

    // MARK: Finding

    @Test func allSeedsAreAskedAtOnce() {
        let seeds = [Host("a"), Host("b", port: 4000)]
        var scenario = Scenario(seeds: seeds)
        #expect(scenario.tick() == seeds.map { .probe($0, names: Scenario.introduction) })
        #expect(scenario.tick().isEmpty)
        #expect(scenario.millisecondsToNextTick == nil)
        #expect(!scenario.machine.isInitialized)
    }

    @Test func aSingleNodeIsTheWholeCluster() throws {
        var scenario = Scenario()
        _ = scenario.tick()
        let actions = scenario.probed(Scenario.seed, Scenario.says("A"))
        #expect(actions.first == .add(1, name: "A", host: Scenario.seed))
        #expect(actions.count == 2)
        let map = try #require(actions.map)
        #expect(map.nodes == [1])
        #expect(map.tables.map(\.namespace) == ["test"])
        #expect(map.tables[0].isComplete)
        #expect(map.tables[0].owner(of: 4095) == 1)
        #expect(scenario.machine.isInitialized)
        #expect(scenario.millisecondsToNextTick == 1000)
        #expect(scenario.pass(milliseconds: 999).isEmpty)
        #expect(scenario.pass(milliseconds: 1) == [.ask(1, names: Scenario.generations)])
        #expect(scenario.answered(1, Scenario.says("A")).isEmpty)
        #expect(scenario.millisecondsToNextTick == 1000)
    }

    @Test func aNodeThatListsItselfIsNotLookedFor() {
        var scenario = Scenario()
        _ = scenario.tick()
        let actions = scenario.probed(Scenario.seed, Scenario.says("A", peers: [("A", "10.0.0.1:3000")]))
        #expect(actions.withoutMaps == [.add(1, name: "A", host: Scenario.seed)])
        #expect(scenario.machine.isInitialized)
    }

    @Test func peersAreLookedForAndAdded() throws {
        var scenario = Scenario()
        _ = scenario.tick()
        let first = scenario.probed(Scenario.seed, Scenario.aSays)
        #expect(
            first.withoutMaps == [
                .add(1, name: "A", host: Scenario.seed), .probe(Scenario.b, names: Scenario.introduction),
                .probe(Scenario.c, names: Scenario.introduction),
            ]
        )
        #expect(!scenario.machine.isInitialized)
        let second = scenario.probed(Scenario.b, Scenario.bSays)
        #expect(second.withoutMaps == [.add(2, name: "B", host: Scenario.b)])
        #expect(!scenario.machine.isInitialized)
        let map = try #require(scenario.probed(Scenario.c, Scenario.cSays).map)
        #expect(scenario.machine.isInitialized)
        #expect(map.nodes == [1, 2, 3])
        #expect(map.tables[0].replicaCount == 2)
        #expect([0, 1000, 2000].map { map.tables[0].owner(of: $0) } == [1, 2, 3])
        #expect([0, 1000, 2000].map { map.tables[0].owner(of: $0, replica: 1) } == [3, 1, 2])
        #expect(scenario.millisecondsToNextTick == 1000)
    }

    @Test func aPeerThatCannotBeReachedDelaysTheStartOnceOnly() {
        var scenario = Scenario()
        _ = scenario.tick()
        _ = scenario.probed(Scenario.seed, Scenario.aSays)
        _ = scenario.probed(Scenario.b, Scenario.bSays)
        #expect(!scenario.machine.isInitialized)
        #expect(scenario.probeFailed(Scenario.c).isEmpty)
        #expect(scenario.machine.isInitialized)
        #expect(scenario.millisecondsToNextTick == 150)
    }

    @Test func allAddressesOfAPeerAreTriedAndOneIsEnough() {
        var scenario = Scenario()
        _ = scenario.tick()
        let peers = [(name: "B", address: "b1,b2:4000")]
        let found = scenario.probed(Scenario.seed, Scenario.says("A", peers: peers))
        #expect(found.contains(.probe(Host("b1"), names: Scenario.introduction)))
        #expect(found.contains(.probe(Host("b2", port: 4000), names: Scenario.introduction)))
        let back = [(name: "A", address: "seed")]
        let added = scenario.probed(Host("b2", port: 4000), Scenario.says("B", peers: back))
        #expect(added.withoutMaps == [.add(2, name: "B", host: Host("b2", port: 4000))])
        // The other address is waited for no more.
        #expect(scenario.machine.isInitialized)
        #expect(scenario.probed(Host("b1"), Scenario.says("B", peers: back)).isEmpty)
        #expect(scenario.millisecondsToNextTick == 1000)
    }

    @Test func seedsThatFailAreTriedAgainLessOftenAsTimePasses() {
        var scenario = Scenario()
        _ = scenario.tick()
        #expect(scenario.probeFailed(Scenario.seed).isEmpty)
        #expect(scenario.machine.seedErrors[Scenario.seed]?.code == .connection)
        #expect(scenario.pass(milliseconds: 149).isEmpty)
        #expect(scenario.pass(milliseconds: 1) == [.probe(Scenario.seed, names: Scenario.introduction)])
        scenario.now = scenario.now + .seconds(11)
        _ = scenario.probeFailed(Scenario.seed)
        #expect(scenario.millisecondsToNextTick == 1000)
    }

    @Test(arguments: [
        (Scenario.says("A").merging(["cluster-name": "other"]) { $1 }, ResultCode.client),
        (Scenario.says("A").merging(["cluster-name": "null"]) { $1 }, .client),
        (Scenario.says("A", build: "5.7.0.31").merging(["cluster-name": "ours"]) { $1 }, .unsupportedFeature),
        (Scenario.says("A", build: "x").merging(["cluster-name": "ours"]) { $1 }, .malformedReply),
        (Scenario.says("A", partitions: -1).merging(["cluster-name": "ours"]) { $1 }, .partitionUnavailable),
        (Scenario.says("").merging(["cluster-name": "ours"]) { $1 }, .malformedReply),
        (Scenario.says("A").merging(["cluster-name": "ours", "replicas": "ERROR:25:no"]) { $1 }, .enterpriseOnly),
        (Scenario.says("A").merging(["cluster-name": "ours", "peers-clear-std": "?"]) { $1 }, .malformedReply),
        (Scenario.says("A"), .malformedReply), ([:], .malformedReply),
    ])
    func seedsThatAreNotOursAreRefused(values: [String: String], code: ResultCode) {
        var scenario = Scenario { $0.dialect = NodeReport.Dialect(clusterName: "ours") }
        _ = scenario.tick()
        #expect(scenario.probed(Scenario.seed, values).isEmpty)
        #expect(scenario.machine.seedErrors[Scenario.seed]?.code == code)
        #expect(!scenario.machine.isInitialized)
        #expect(scenario.millisecondsToNextTick == 150)
    }

    @Test func theClusterNameIsAskedForIfItMatters() {
        var scenario = Scenario { $0.dialect = NodeReport.Dialect(clusterName: "ours") }
        let names = [
            "node", "peers-generation", "partition-generation", "build", "cluster-name", "peers-clear-std", "replicas",
        ]
        #expect(scenario.tick() == [.probe(Scenario.seed, names: names)])
        let ours = Scenario.says("A").merging(["cluster-name": "ours"]) { $1 }
        #expect(scenario.probed(Scenario.seed, ours).count == 2)
    }

    @Test(arguments: [
        (false, false, "peers-clear-std"), (false, true, "peers-clear-alt"), (true, false, "peers-tls-std"),
        (true, true, "peers-tls-alt"),
    ])
    func peersAreAskedForByTheirKindOfAddress(usesTLS: Bool, usesAlternates: Bool, name: String) {
        let dialect = NodeReport.Dialect(usesTLS: usesTLS, usesAlternateAddresses: usesAlternates)
        #expect(dialect.names(.peers).last == name)
    }

    @Test func addressesAreTranslatedAndKeepTheirTLSName() {
        var scenario = Scenario { $0.addressTranslation = ["10.0.0.2": "outside"] }
        _ = scenario.tick()
        var values = Scenario.says("A")
        values["peers-clear-std"] = "1,4333,[[B,tls.b,[10.0.0.2]]]"
        let actions = scenario.probed(Scenario.seed, values)
        let host = Host("outside", port: 4333, tlsName: "tls.b")
        #expect(actions.last == .probe(host, names: Scenario.introduction))
    }

    @Test func aSeedThatIsAloneGivesWayToOneThatIsNot() {
        var scenario = Scenario(seeds: [Host("alone"), Scenario.seed])
        _ = scenario.tick()
        #expect(scenario.probed(Host("alone"), Scenario.says("X")).isEmpty)
        let actions = scenario.probed(Scenario.seed, Scenario.aSays)
        #expect(actions.first == .add(1, name: "A", host: Scenario.seed))
        #expect(!actions.contains(.add(2, name: "X", host: Host("alone"))))
        #expect(
            scenario.pass(milliseconds: 150).allSatisfy { $0 != .probe(Host("alone"), names: Scenario.introduction) }
        )
    }

    @Test func aSeedThatIsAloneIsTakenIfTheOthersFail() {
        var scenario = Scenario(seeds: [Host("alone"), Scenario.seed])
        _ = scenario.tick()
        #expect(scenario.probed(Host("alone"), Scenario.says("X")).isEmpty)
        #expect(scenario.probeFailed(Scenario.seed).first == .add(1, name: "X", host: Host("alone")))
        #expect(scenario.machine.isInitialized)
    }

    @Test func aSeedOfAnotherClusterIsNotMixedIn() {
        var scenario = Scenario(seeds: [Scenario.seed, Host("other")])
        _ = scenario.tick()
        _ = scenario.probed(Scenario.seed, Scenario.says("A", peers: [("B", "b")]))
        #expect(scenario.probed(Host("other"), Scenario.says("Z", peers: [("Y", "y")])).isEmpty)
        #expect(scenario.machine.seedErrors[Host("other")]?.code == .invalidNode)
    }

    // MARK: Following

    @Test func whatChangedIsAskedFor() throws {
        var scenario = Scenario.three()
        #expect(scenario.pass(milliseconds: 1000) == [1, 2, 3].map { .ask($0, names: Scenario.generations) })
        #expect(scenario.answered(1, Scenario.aSays).isEmpty)
        let moved = Scenario.says(
            "B",
            partitions: 2,
            peers: Scenario.ofB,
            replicas: Scenario.replicas(masters: 500..<2000)
        )
        let names = ["node", "peers-generation", "partition-generation", "replicas"]
        #expect(scenario.answered(2, moved) == [.ask(2, names: names)])
        let map = try #require(scenario.answered(2, moved).map)
        #expect([499, 500].map { map.tables[0].owner(of: $0) } == [1, 2])
        // It was the later answer; A's next one may say otherwise.
        let peers = Scenario.says("C", generation: 2, peers: Scenario.ofC + [("D", "d")])
        let peerNames = ["node", "peers-generation", "partition-generation", "peers-clear-std"]
        #expect(scenario.answered(3, peers) == [.ask(3, names: peerNames)])
        #expect(scenario.answered(3, peers) == [.probe(Host("d"), names: Scenario.introduction)])
    }

    @Test func aNodeThatIsNotReadyTellsNothing() {
        var scenario = Scenario.single()
        _ = scenario.pass(milliseconds: 1000)
        #expect(scenario.answered(1, Scenario.says("A", partitions: -1)).isEmpty)
        _ = scenario.pass(milliseconds: 1000)
        let names = ["node", "peers-generation", "partition-generation", "replicas"]
        #expect(scenario.answered(1, Scenario.says("A", partitions: 2)) == [.ask(1, names: names)])
        #expect(scenario.answered(1, Scenario.says("A", partitions: -1, replicas: "ERROR::?")).isEmpty)
    }

    @Test func aNodeThatIsCutOffIsNotBelieved() {
        var scenario = Scenario.three()
        _ = scenario.pass(milliseconds: 1000)
        let alone = Scenario.says("A", generation: 2, partitions: 2)
        #expect(scenario.answered(1, alone) == [.ask(1, names: Scenario.everything)])
        #expect(scenario.answered(1, alone).isEmpty)
        // It is asked again in its turn, for it may be the only one that is left.
        _ = scenario.failed(2)
        _ = scenario.failed(3)
        _ = scenario.pass(milliseconds: 150)
        let names = ["node", "peers-generation", "partition-generation", "replicas"]
        #expect(scenario.answered(1, alone) == [.ask(1, names: names)])
        let actions = scenario.answered(1, alone)
        #expect(actions.map?.nodes == [1])
        #expect(actions.map?.tables[0].isComplete == true)
    }

    @Test func namespacesThatDisappearAreForgotten() throws {
        var scenario = Scenario.single()
        _ = scenario.pass(milliseconds: 1000)
        let values = Scenario.says("A", partitions: 2, replicas: Scenario.replicas("bar", masters: 0..<4096))
        _ = scenario.answered(1, values)
        #expect(try #require(scenario.answered(1, values).map).tables.map(\.namespace) == ["bar"])
    }

    @Test func aPartitionWithoutAMasterIsUrgent() {
        var scenario = Scenario.single()
        _ = scenario.pass(milliseconds: 1000)
        let values = Scenario.says("A", partitions: 2, replicas: Scenario.replicas(masters: 1..<4096))
        _ = scenario.answered(1, values)
        _ = scenario.answered(1, values)
        #expect(scenario.millisecondsToNextTick == 150)
        scenario.now = scenario.now + .seconds(10)
        _ = scenario.pass(milliseconds: 0)
        _ = scenario.answered(1, values)
        #expect(scenario.millisecondsToNextTick == 1000)
    }

    @Test func aCallerCanHaveNodesAskedSoon() {
        var scenario = Scenario.three()
        #expect(scenario.machine.requestTend(now: scenario.now).isEmpty)
        #expect(scenario.millisecondsToNextTick == 100)
        #expect(scenario.pass(milliseconds: 100).count == 3)
        #expect(scenario.machine.requestTend(now: scenario.now).isEmpty)
        for (id, values) in [(1, Scenario.aSays), (2, Scenario.bSays), (3, Scenario.cSays)] {
            _ = scenario.answered(Int32(id), values)
        }
        #expect(scenario.millisecondsToNextTick == 100)
        scenario.now = scenario.now + .milliseconds(300)
        #expect(scenario.machine.requestTend(now: scenario.now).count == 3)
    }
}
