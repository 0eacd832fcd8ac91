import Aerospike
import NIOCore
import Testing

/// A state machine with what its tests say all the time.
struct ClusterScenario {
    typealias Machine = ClusterStateMachine
    typealias Host = ClusterStateMachine.Host
    typealias Action = ClusterStateMachine.Action

    static let seed = Host("seed", port: 3000)
    static let introduction = [
        "node", "peers-generation", "partition-generation", "build", "peers-clear-std", "replicas",
    ]
    static let generations = ["node", "peers-generation", "partition-generation"]
    static let everything = ["node", "peers-generation", "partition-generation", "peers-clear-std", "replicas"]
    static let refused = AerospikeError(.connection, "refused")

    var machine: Machine
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    init(seeds: [Host] = [seed], _ change: (inout Machine.Settings) -> Void = { _ in }) {
        var settings = Machine.Settings(seeds: seeds)
        change(&settings)
        machine = Machine(settings: settings)
    }

    /// Time passes.
    mutating func pass(milliseconds: Int64) -> [Action] {
        now = now + .milliseconds(milliseconds)
        return machine.tick(now: now)
    }

    mutating func tick() -> [Action] { machine.tick(now: now) }

    /// When the machine wants to be called next, in milliseconds from now; nil for never.
    var millisecondsToNextTick: Int64? {
        let next = machine.nextTick(after: now)
        return next == .distantFuture ? nil : (next - now).nanoseconds / 1_000_000
    }

    mutating func probed(_ host: Host, _ values: [String: String]) -> [Action] {
        machine.probed(host, .success(values), now: now)
    }

    mutating func probeFailed(_ host: Host, _ error: AerospikeError = refused) -> [Action] {
        machine.probed(host, .failure(error), now: now)
    }

    mutating func answered(_ id: Int32, _ values: [String: String]) -> [Action] {
        machine.answered(id, .success(values), now: now)
    }

    mutating func failed(_ id: Int32, _ error: AerospikeError = refused) -> [Action] {
        machine.answered(id, .failure(error), now: now)
    }

    // MARK: What nodes say

    /// What a node says of itself.
    static func says(
        _ node: String,
        generation: Int = 1,
        partitions: Int = 1,
        peers: [(name: String, address: String)] = [],
        replicas: String = replicas(masters: 0..<4096),
        build: String = "8.1.0.3"
    ) -> [String: String] {
        let list = peers.map { "[\($0.name),,[\($0.address)]]" }.joined(separator: ",")
        return [
            "node": node, "peers-generation": "\(generation)", "partition-generation": "\(partitions)",
            "build": build, "peers-clear-std": "\(generation),3000,[\(list)]", "replicas": replicas,
        ]
    }

    static func replicas(
        _ namespace: String = "test",
        regime: Int = 0,
        masters: Range<Int>,
        proles: Range<Int>? = nil
    ) -> String {
        let bitmaps = ([masters] + (proles.map { [$0] } ?? [])).map(bitmap(of:))
        return "\(namespace):\(regime),\(bitmaps.count),\(bitmaps.joined(separator: ","))"
    }

    private static func bitmap(of partitions: Range<Int>) -> String {
        var bytes = [UInt8](repeating: 0, count: 512)
        for partition in partitions {
            bytes[partition / 8] |= 0x80 >> UInt8(partition % 8)
        }
        return Base64.encode(bytes)
    }

    // MARK: Clusters

    /// A cluster of one node, which was found.
    static func single() -> ClusterScenario {
        var scenario = ClusterScenario()
        _ = scenario.tick()
        _ = scenario.probed(seed, says("A"))
        return scenario
    }

    static let b = Host("b", port: 3000)
    static let c = Host("c", port: 3000)
    static let ofA = [(name: "B", address: "b"), (name: "C", address: "c")]
    static let ofB = [(name: "A", address: "seed"), (name: "C", address: "c")]
    static let ofC = [(name: "A", address: "seed"), (name: "B", address: "b")]

    /// What the three nodes of a cluster say.
    static let aSays = says("A", peers: ofA, replicas: replicas(masters: 0..<1000, proles: 1000..<2000))
    static let bSays = says("B", peers: ofB, replicas: replicas(masters: 1000..<2000, proles: 2000..<4096))
    static let cSays = says("C", peers: ofC, replicas: replicas(masters: 2000..<4096, proles: 0..<1000))

    /// A cluster of three nodes, which were found: A, B and C are numbers 1, 2 and 3.
    static func three() -> ClusterScenario {
        var scenario = ClusterScenario()
        _ = scenario.tick()
        _ = scenario.probed(seed, aSays)
        _ = scenario.probed(b, bSays)
        _ = scenario.probed(c, cSays)
        return scenario
    }
}

extension [ClusterStateMachine.Action] {
    /// What is published last.
    var map: (tables: [PartitionTable], nodes: [Int32])? {
        for action in reversed() {
            if case .publish(let tables, let nodes) = action {
                return (tables, nodes)
            }
        }
        return nil
    }

    /// Everything but what is published, whose tables are long.
    var withoutMaps: [ClusterStateMachine.Action] {
        filter { action in
            if case .publish = action { false } else { true }
        }
    }
}
