import Aerospike

/// A cluster of Aerospike as a value: its nodes, what they keep and believe, and the faults that are to happen.
///
/// It has no sockets and no clock: requests and the time are passed in, replies come out.
package struct SimulatedCluster: Sendable {
    package let configuration: TestCluster.Configuration
    package internal(set) var nodes: [SimulatedNode] = []
    /// What every node knows of: indexes and programs.
    package var metadata = SystemMetadata()
    /// Whether partitions stay where they are until they are told to move.
    package internal(set) var holdsMigrations: Bool
    /// When the nodes agree anew on who is there; nil if nothing changed.
    package internal(set) var reclusterAtNanoseconds: Int64?
    package var faults: [Fault] = []
    /// What goes wrong by chance.
    package var randomFaults: RandomFaults?
    package var sessions = Sessions()
    /// What is to be printed about things that nobody expects.
    package var complaints: [String] = []

    private let replicationFactor: Int
    private var clusterKeys = Dice(seed: 0x4165_726f)

    /// A cluster without nodes.
    ///
    /// - Parameters:
    ///   - replicationFactor: how many copies of each record there are, where the namespace does not say.
    ///   - configuration: what the nodes are told to do.
    package init(replicationFactor: Int, configuration: TestCluster.Configuration) {
        self.replicationFactor = replicationFactor
        self.configuration = configuration
        holdsMigrations = configuration.holdsMigrations
        randomFaults = configuration.randomFaults
    }

    /// A cluster key that no view had before.
    mutating func nextClusterKey() -> UInt64 {
        clusterKeys.next() >> 16 | 1
    }

    /// How many copies of each record a namespace is to have.
    func replicationFactor(of namespace: TestCluster.Namespace) -> Int {
        max(1, namespace.replicationFactor ?? replicationFactor)
    }

    /// Adds a node that knows nothing and belongs to no cluster yet.
    ///
    /// - Returns: its place.
    package mutating func addNode(port: Int, tlsPort: Int) -> Int {
        let place = nodes.count
        var stores: [String: NamespaceStore] = [:]
        for namespace in configuration.namespaces {
            stores[namespace.name] = makeStore(namespace)
        }
        // Numbers as a server makes them of its port and address, the port first.
        let number = 0xBB9_0000_0000_0000 | UInt64(place + 1) << 32 | 0x0100_007F
        var node = SimulatedNode(place: place, number: number, port: port, tlsPort: tlsPort, stores: stores)
        node.disk.forgettableNanoseconds = configuration.forgettableTime.inNanoseconds
        nodes.append(node)
        return place
    }

    func makeStore(_ namespace: TestCluster.Namespace) -> NamespaceStore {
        var settings = NamespaceConfiguration()
        settings.defaultTimeToLiveSeconds = namespace.defaultTimeToLiveSeconds
        settings.allowsTimeToLive = namespace.removalPeriodSeconds > 0
        settings.recordBytesMax = namespace.recordBytesMax
        settings.stopsWrites = namespace.stopsWrites
        var store = NamespaceStore(name: namespace.name, configuration: settings)
        metadata.apply(to: &store)
        return store
    }

    /// Which of two versions of a record a namespace keeps.
    func conflictPolicy(of namespace: String) -> ConflictResolution {
        switch configuration.namespaces.first(where: { $0.name == namespace })?.conflictResolution {
        case .lastUpdateTime: .lastUpdateTime
        case .generation, nil: .generation
        }
    }

    /// Whether one node's messages reach another.
    func sees(_ node: Int, _ other: Int) -> Bool {
        nodes[node].side == nodes[other].side && nodes[other].state == .running
    }

    /// Whether two nodes belong to the same cluster, as both of them think.
    func agrees(_ node: Int, _ other: Int) -> Bool {
        guard let view = nodes[node].view, let otherView = nodes[other].view else { return false }
        return view.clusterKey == otherView.clusterKey
    }

    /// Lets calls run a function in the place of a program's.
    package mutating func register(_ name: FunctionName, _ function: @escaping StoredFunction) {
        metadata.functions[name] = function
        for node in nodes.indices {
            for namespace in nodes[node].stores.keys {
                nodes[node].stores[namespace]?.registerFunction(name, function)
            }
        }
    }

    package mutating func resetCounters() {
        for node in nodes.indices {
            nodes[node].counters = NodeCounters()
        }
    }

    /// What all nodes served together.
    package var counters: NodeCounters {
        nodes.reduce(NodeCounters()) { $0 + $1.counters }
    }

    mutating func noteConnection(node: Int, isRefused: Bool) {
        if isRefused {
            nodes[node].counters.connectionsRefused += 1
        } else {
            nodes[node].counters.connectionsOpened += 1
        }
    }

    mutating func noteBytes(node: Int, received: Int, sent: Int) {
        nodes[node].counters.bytesReceived += received
        nodes[node].counters.bytesSent += sent
    }

    mutating func noteViolation(node: Int) {
        nodes[node].counters.protocolViolations += 1
    }

    /// Notes that a node was asked something that it does not do and a real server may.
    mutating func complain(_ node: Int, _ description: String) {
        nodes[node].counters.noteUnknown(description)
        if complaints.count < NodeCounters.unknownRequestsMax {
            complaints.append("node \(nodes[node].name): unknown: \(description)")
        }
    }
}
