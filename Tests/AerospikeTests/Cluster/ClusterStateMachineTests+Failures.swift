import Aerospike
import NIOCore
import Testing

/// How nodes fail, leave and come back.
extension ClusterStateMachineTests {
    @Test func aNodeThatFailsIsAskedOftenAndSoAreTheOthers() {
        var scenario = Scenario.three()
        _ = scenario.pass(milliseconds: 1000)
        #expect(scenario.failed(1).isEmpty)
        #expect(scenario.answered(2, Scenario.bSays).isEmpty)
        #expect(scenario.answered(3, Scenario.cSays).isEmpty)
        #expect(scenario.millisecondsToNextTick == 150)
        #expect(scenario.pass(milliseconds: 150) == [1, 2, 3].map { .ask($0, names: Scenario.generations) })
        // Another run of it may be what answers next, so it is asked for everything.
        #expect(scenario.answered(1, Scenario.aSays) == [.ask(1, names: Scenario.everything)])
        #expect(scenario.answered(1, Scenario.aSays).isEmpty)
        _ = scenario.answered(2, Scenario.bSays)
        _ = scenario.answered(3, Scenario.cSays)
        #expect(scenario.millisecondsToNextTick == 1000)
    }

    @Test func aNodeThatFailsForLongIsNoLongerUrgent() {
        var scenario = Scenario.three()
        _ = scenario.pass(milliseconds: 1000)
        _ = scenario.failed(1)
        _ = scenario.answered(2, Scenario.bSays)
        _ = scenario.answered(3, Scenario.cSays)
        scenario.now = scenario.now + .seconds(10)
        _ = scenario.tick()
        _ = scenario.failed(1)
        _ = scenario.answered(2, Scenario.bSays)
        _ = scenario.answered(3, Scenario.cSays)
        #expect(scenario.millisecondsToNextTick == 1000)
    }

    @Test func aNodeThatDoesNotAnswerDelaysNobody() {
        var scenario = Scenario.three()
        _ = scenario.pass(milliseconds: 1000)
        _ = scenario.answered(2, Scenario.bSays)
        _ = scenario.answered(3, Scenario.cSays)
        #expect(scenario.millisecondsToNextTick == 150)
        #expect(scenario.pass(milliseconds: 150) == [2, 3].map { .ask($0, names: Scenario.generations) })
        _ = scenario.answered(2, Scenario.bSays)
        _ = scenario.answered(3, Scenario.cSays)
        #expect(scenario.millisecondsToNextTick == 150)
        #expect(scenario.pass(milliseconds: 150) == [2, 3].map { .ask($0, names: Scenario.generations) })
    }

    /// What B and C say when A is gone.
    static let bAlone = Scenario.says(
        "B",
        generation: 2,
        partitions: 2,
        peers: [("C", "c")],
        replicas: Scenario.replicas(masters: 0..<2000, proles: 2000..<4096)
    )
    static let cAlone = Scenario.says(
        "C",
        generation: 2,
        partitions: 2,
        peers: [("B", "b")],
        replicas: Scenario.replicas(masters: 2000..<4096, proles: 0..<2000)
    )

    @Test func aDeadNodeIsDroppedWhenTheOthersNoLongerListIt() throws {
        var scenario = Scenario.three()
        _ = scenario.pass(milliseconds: 1000)
        _ = scenario.failed(1)
        #expect(scenario.answered(2, Self.bAlone) == [.ask(2, names: Scenario.everything)])
        // C lists it still, but B's partitions count already.
        let early = scenario.answered(2, Self.bAlone)
        #expect(early.withoutMaps.isEmpty)
        #expect(early.map?.tables[0].owner(of: 0) == 2)
        #expect(early.map?.nodes == [1, 2, 3])
        _ = scenario.answered(3, Self.cAlone)
        let actions = scenario.answered(3, Self.cAlone)
        let map = try #require(actions.map)
        #expect(actions == [.publish(map.tables, nodes: [2, 3]), .drop(1, .dead)])
        #expect([0, 1999, 2000].map { map.tables[0].owner(of: $0) } == [2, 2, 3])
        #expect([0, 1999, 2000].map { map.tables[0].owner(of: $0, replica: 1) } == [3, 3, 2])
        // What it says after all is not heard.
        #expect(scenario.answered(1, Scenario.aSays).isEmpty)
    }

    @Test func aNodeThatOthersListIsKeptHoweverOftenItFails() {
        var scenario = Scenario.three()
        _ = scenario.pass(milliseconds: 1000)
        for _ in 0..<20 {
            #expect(scenario.failed(1).isEmpty)
            let asked = scenario.pass(milliseconds: 150)
            #expect(asked.contains(.ask(1, names: Scenario.generations)))
        }
    }

    @Test func aNodeThatComesBackIsAnotherToCallers() {
        var scenario = Scenario.three()
        _ = scenario.pass(milliseconds: 1000)
        _ = scenario.failed(1)
        for _ in 0..<2 {
            _ = scenario.answered(2, Self.bAlone)
            _ = scenario.answered(3, Self.cAlone)
        }
        _ = scenario.pass(milliseconds: 1000)
        let again = Scenario.says("B", generation: 3, partitions: 2, peers: Scenario.ofB)
        _ = scenario.answered(2, again)
        #expect(scenario.answered(2, again) == [.probe(Scenario.seed, names: Scenario.introduction)])
        // It listens before it is ready.
        #expect(scenario.probed(Scenario.seed, Scenario.says("A", partitions: -1, peers: Scenario.ofA)).isEmpty)
        #expect(scenario.pass(milliseconds: 150).contains(.probe(Scenario.seed, names: Scenario.introduction)))
        let actions = scenario.probed(Scenario.seed, Scenario.aSays)
        #expect(actions.first == .add(4, name: "A", host: Scenario.seed))
        #expect(actions.map?.tables[0].owner(of: 0) == 4)
    }

    @Test func aNodeThatLeavesQuietlyIsDroppedAfterAWhile() {
        var scenario = Scenario.three()
        _ = scenario.pass(milliseconds: 1000)
        for _ in 0..<2 {
            _ = scenario.answered(2, Self.bAlone)
            _ = scenario.answered(3, Self.cAlone)
        }
        // It answers and is cut off; nothing is its own any more.
        #expect(scenario.answered(1, Scenario.aSays).isEmpty)
        var actions: [ClusterStateMachine.Action] = []
        var milliseconds = 0
        while actions.isEmpty, milliseconds < 5000 {
            milliseconds += 100
            actions = scenario.pass(milliseconds: 100).filter { action in
                if case .drop = action { true } else { false }
            }
            for (id, values) in [(1, Scenario.aSays), (2, Self.bAlone), (3, Self.cAlone)] {
                _ = scenario.answered(Int32(id), values)
            }
        }
        #expect(actions == [.drop(1, .left)])
        #expect(milliseconds == 2000)
    }

    @Test func aSingleNodeThatDiesIsWaitedForAndSeedsAreAsked() {
        var scenario = Scenario.single()
        _ = scenario.pass(milliseconds: 1000)
        #expect(scenario.failed(1) == [.probe(Scenario.seed, names: Scenario.introduction)])
        #expect(scenario.probeFailed(Scenario.seed).isEmpty)
        #expect(scenario.pass(milliseconds: 150).count == 2)
        // It is back under the same name, and is asked itself.
        #expect(scenario.probed(Scenario.seed, Scenario.says("A")).isEmpty)
        #expect(scenario.answered(1, Scenario.says("A")) == [.ask(1, names: Scenario.everything)])
        #expect(scenario.answered(1, Scenario.says("A", partitions: 7)).isEmpty)
        #expect(scenario.millisecondsToNextTick == 1000)
    }

    @Test func aSingleNodeThatRestartsUnderAnotherNameIsFound() {
        var scenario = Scenario.single()
        _ = scenario.pass(milliseconds: 1000)
        let dropped = scenario.answered(1, Scenario.says("A2"))
        #expect(
            dropped == [
                .publish([], nodes: []), .drop(1, .renamed(to: "A2")),
                .probe(Scenario.seed, names: Scenario.introduction),
            ]
        )
        let actions = scenario.probed(Scenario.seed, Scenario.says("A2"))
        #expect(actions.withoutMaps == [.add(2, name: "A2", host: Scenario.seed)])
    }

    @Test func aSingleNodeFoundByTheSeedsReplacesOneThatIsDead() {
        var scenario = Scenario.single()
        _ = scenario.pass(milliseconds: 1000)
        _ = scenario.failed(1)
        let actions = scenario.probed(Scenario.seed, Scenario.says("A2"))
        #expect(actions.withoutMaps == [.add(2, name: "A2", host: Scenario.seed), .drop(1, .dead)])
        #expect(actions.map?.nodes == [2])
    }

    @Test func aMemberThatRestartsUnderAnotherNameIsFoundByThePeers() {
        var scenario = Scenario.three()
        _ = scenario.pass(milliseconds: 1000)
        let dropped = scenario.answered(1, Scenario.says("A2", partitions: -1))
        // B and C list the old name still; the address is looked at for it, and another found, which none lists yet.
        #expect(
            dropped.withoutMaps == [
                .drop(1, .renamed(to: "A2")), .probe(Scenario.seed, names: Scenario.introduction),
            ]
        )
        #expect(scenario.probed(Scenario.seed, Scenario.says("A2")).isEmpty)
        let renamed = Scenario.says("B", generation: 2, peers: [("A2", "seed"), ("C", "c")])
        _ = scenario.answered(2, renamed)
        _ = scenario.answered(2, renamed)
        #expect(scenario.pass(milliseconds: 150).contains(.probe(Scenario.seed, names: Scenario.introduction)))
        let actions = scenario.probed(Scenario.seed, Scenario.says("A2", peers: Scenario.ofA))
        #expect(actions.first == .add(4, name: "A2", host: Scenario.seed))
    }

    @Test func aNodeThatMovesIsFoundAtItsNewAddress() {
        var scenario = Scenario.three()
        _ = scenario.pass(milliseconds: 1000)
        _ = scenario.failed(1)
        let moved = Scenario.says("B", generation: 2, peers: [("A", "new"), ("C", "c")])
        _ = scenario.answered(2, moved)
        // It may only have been slow, so its old address is given a second.
        #expect(scenario.answered(2, moved).isEmpty)
        _ = scenario.pass(milliseconds: 150)
        _ = scenario.failed(1)
        #expect(scenario.pass(milliseconds: 1000).contains(.probe(Host("new"), names: Scenario.introduction)))
        let actions = scenario.probed(Host("new"), Scenario.aSays)
        #expect(
            actions.withoutMaps == [.add(4, name: "A", host: Host("new")), .drop(1, .moved(to: Host("new")))]
        )
        #expect(actions.map?.nodes == [2, 3, 4])
    }

    @Test func randomEventsKeepTheMachineWhole() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<40 {
            var scenario = Scenario(seeds: [Scenario.seed, Scenario.b])
            var asked: [Int32] = []
            var probed: [Host] = []
            var open: Set<Int32> = []
            var published: [Int32] = []
            func carryOut(_ actions: [ClusterStateMachine.Action]) {
                for action in actions {
                    switch action {
                    case .probe(let host, _):
                        #expect(!probed.contains(host))
                        probed.append(host)
                    case .ask(let id, _):
                        #expect(!asked.contains(id) && open.contains(id))
                        asked.append(id)
                    case .add(let id, _, _): #expect(open.insert(id).inserted)
                    case .drop(let id, _):
                        #expect(open.remove(id) != nil)
                        #expect(!published.contains(id))
                        asked.removeAll { $0 == id }
                    case .publish(let tables, let nodes):
                        #expect(open.isSuperset(of: nodes))
                        for table in tables {
                            #expect(Set(table.owners).subtracting([-1]).isSubset(of: nodes))
                        }
                        published = nodes
                    }
                }
            }
            let names = ["A", "B", "C", "D"]
            func something() -> Result<[String: String], AerospikeError> {
                guard Int.random(in: 0..<4, using: &generator) > 0 else { return .failure(Scenario.refused) }
                let peers = names.filter { _ in Bool.random(using: &generator) }.map {
                    (name: $0, address: $0.lowercased())
                }
                let start = Int.random(in: 0..<4000, using: &generator)
                return .success(
                    Scenario.says(
                        names[Int.random(in: 0..<4, using: &generator)],
                        generation: Int.random(in: 0..<3, using: &generator),
                        partitions: Int.random(in: -1..<3, using: &generator),
                        peers: peers,
                        replicas: Scenario.replicas(masters: start..<start + 90)
                    )
                )
            }
            for _ in 0..<60 {
                scenario.now = scenario.now + .milliseconds(Int64.random(in: 0..<400, using: &generator))
                switch Int.random(in: 0..<6, using: &generator) {
                case 0...1 where !asked.isEmpty:
                    let id = asked.remove(at: Int.random(in: asked.indices, using: &generator))
                    carryOut(scenario.machine.answered(id, something(), now: scenario.now))
                case 2...3 where !probed.isEmpty:
                    let host = probed.remove(at: Int.random(in: probed.indices, using: &generator))
                    carryOut(scenario.machine.probed(host, something(), now: scenario.now))
                case 4: carryOut(scenario.machine.requestTend(now: scenario.now))
                default: carryOut(scenario.tick())
                }
                #expect(scenario.machine.nextTick(after: scenario.now) >= scenario.now)
            }
        }
    }
}
