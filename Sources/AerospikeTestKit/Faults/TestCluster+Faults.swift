// MARK: Requests that go wrong

extension TestCluster {
    /// Lets something go wrong with requests to come.
    ///
    /// Of several faults that match a request the first that was injected hits it; the others count it as one that they
    /// let through, if they let any through.
    ///
    /// - Parameter fault: what, with which requests, and how often.
    public func inject(_ fault: Fault) {
        host.withCluster { cluster, _ in cluster.faults.append(fault) }
    }

    /// Takes back all faults that have not happened yet.
    public func clearFaults() {
        host.withCluster { cluster, _ in cluster.faults = [] }
    }

    /// How many faults that were injected are still to happen.
    public var faultsLeft: Int {
        host.readCluster { $0.faults.reduce(0) { $0 + $1.count } }
    }

    /// Lets faults happen by chance, or no more.
    ///
    /// - Parameter faults: what, and how likely; nil for none.
    public func setRandomFaults(_ faults: RandomFaults?) {
        if let seed = faults?.seed {
            StandardError.print("random faults with seed \(seed)")
        }
        host.withCluster { cluster, _ in cluster.randomFaults = faults }
    }

    // MARK: Connections that go wrong

    /// Cuts all connections to a node, which goes on.
    ///
    /// - Parameter node: the node's place.
    public func cutConnections(toNode node: Int) async {
        await closeConnections(ofNode: node)
    }

    /// Lets a node refuse new connections, or take them again; those that there are stay.
    ///
    /// - Parameters:
    ///   - isRefusing: whether it refuses them.
    ///   - node: the node's place.
    /// - Throws: if it cannot listen again.
    public func setRefusesConnections(_ isRefusing: Bool, node: Int) async throws {
        if isRefusing {
            await stopListening(node)
        } else {
            try await startListening(node)
        }
    }

    /// Limits how many connections a node has open; more are closed as soon as they are made.
    ///
    /// - Parameters:
    ///   - count: the most.
    ///   - node: the node's place.
    public func setConnectionsMax(_ count: Int, node: Int) {
        host.setConnectionsMax(count, node: node)
    }

    /// Lets a node read slowly from connections to come, and wait before every read of all there are.
    ///
    /// - Parameters:
    ///   - bytes: the most that it reads at once.
    ///   - pause: how long it waits before each read.
    ///   - node: the node's place.
    public func setReadPace(bytes: Int, every pause: Duration, node: Int) {
        host.setReadPace((max(1, bytes), max(0, pause.inNanoseconds)), node: node)
    }

    /// Lets a node read as fast as it can again.
    ///
    /// - Parameter node: the node's place.
    public func clearReadPace(node: Int) {
        host.setReadPace(nil, node: node)
    }

    /// Ends the sessions of all users: connections have to log in again.
    public func expireSessions() {
        host.withCluster { cluster, _ in cluster.expireSessions() }
    }
}
