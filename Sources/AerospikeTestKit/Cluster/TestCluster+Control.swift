public import Aerospike

// MARK: Nodes that come and go

extension TestCluster {
    /// Ends a node's process at once, as SIGKILL does: its sockets are closed, and the others notice after a while.
    ///
    /// - Parameter node: the node's place.
    public func kill(_ node: Int) async {
        host.withCluster { cluster, now in cluster.kill(node, nowNanoseconds: now) }
        await stopListening(node)
        await closeConnections(ofNode: node)
    }

    /// Starts a node again that was killed, on the same port.
    ///
    /// It answers 11 to everything until the others have taken it in.
    ///
    /// - Parameters:
    ///   - node: the node's place.
    ///   - storage: what it still has; all of it by default.
    /// - Throws: if it cannot listen.
    public func restart(_ node: Int, _ storage: Storage = .kept) async throws {
        host.withCluster { cluster, now in cluster.restart(node, storage, nowNanoseconds: now) }
        try await startListening(node)
    }

    /// Starts one more node, with nothing on it.
    ///
    /// - Returns: its place.
    /// - Throws: if it cannot listen, or there are 32 already.
    public func join() async throws -> Int {
        guard seeds.count < NodeSet.nodesMax else {
            throw StartFailure(description: "A cluster has at most \(NodeSet.nodesMax) nodes.")
        }
        let node = try await startNode()
        host.withCluster { cluster, now in cluster.topologyChanged(now) }
        return node
    }

    /// Makes a node stand still with its sockets open, as SIGSTOP does: it reads and answers nothing.
    ///
    /// - Parameter node: the node's place.
    public func suspend(_ node: Int) async {
        host.withCluster { cluster, now in cluster.stop(node, nowNanoseconds: now) }
        await setAccepting(false, node: node)
    }

    /// Lets a node go on that stands still: it does all that has come meanwhile.
    ///
    /// - Parameter node: the node's place.
    public func resume(_ node: Int) async {
        host.withCluster { cluster, now in cluster.resume(node, nowNanoseconds: now) }
        await setAccepting(true, node: node)
    }

    /// Cuts nodes off from one another; clients still reach all of them.
    ///
    /// - Parameter sides: the places of the nodes of each side; nodes that are on none are on the first.
    public func partition(_ sides: [Int]...) {
        host.withCluster { cluster, now in cluster.partition(sides, nowNanoseconds: now) }
    }

    /// Lets all nodes see one another again.
    public func heal() {
        host.withCluster { cluster, now in cluster.partition([], nowNanoseconds: now) }
    }

    /// Lets the nodes notice at once what has changed, instead of after
    /// ``Configuration-swift.struct/detectionDelay``.
    public func agree() {
        host.withCluster { cluster, now in
            cluster.reclusterAtNanoseconds = nil
            cluster.recluster(now)
        }
    }

    /// Waits until the nodes have noticed what has changed.
    ///
    /// With a ``ManualClock`` somebody else has to move the time.
    public func agreed() async {
        await host.agreed()
    }

    // MARK: Partitions that move

    /// Keeps partitions where they are when nodes come and go, until ``releaseMigrations()``.
    ///
    /// Meanwhile whoever has a partition's records serves it.
    public func holdMigrations() {
        host.withCluster { cluster, _ in cluster.holdMigrations() }
    }

    /// Moves all partitions to where they are to be, and from now on at once.
    public func releaseMigrations() {
        host.withCluster { cluster, _ in cluster.releaseMigrations() }
    }

    // MARK: Clocks and programs

    /// Puts a node's clock ahead of the others', or behind.
    ///
    /// - Parameters:
    ///   - node: the node's place.
    ///   - offset: how far ahead.
    public func setClockOffset(_ node: Int, _ offset: Duration) {
        host.withCluster { cluster, _ in cluster.nodes[node].clockOffsetNanoseconds = offset.inNanoseconds }
    }

    /// Puts a Swift function in the place of a function of a program on the server.
    ///
    /// Nodes run no Lua: a call of a function that is not registered is refused as unknown.
    ///
    /// - Parameters:
    ///   - package: the program's name, without `.lua`.
    ///   - function: the function's name.
    ///   - body: what it does: it gets the record's bins, or nil if there is no record, may change them, and answers a
    ///     value. No bins delete the record. What it throws is what the call fails with.
    public func register(
        package: String,
        function: String,
        _ body: @escaping @Sendable (_ bins: inout [Bin]?, _ arguments: [Value]) throws -> Value
    ) {
        host.withCluster { cluster, _ in
            cluster.register(FunctionName(package: package, function: function)) { record, arguments in
                var bins = record?.bins
                let result = try body(&bins, arguments)
                if let bins {
                    var changed = record ?? StoredRecord(key: Key(namespace: "", ""))
                    changed.bins = bins
                    record = changed
                } else {
                    record = nil
                }
                return result
            }
        }
    }
}

// MARK: Looking

extension TestCluster {
    /// How many nodes there ever were.
    public var nodeCount: Int { host.readCluster { $0.nodes.count } }

    /// A node's name, by which clients know it.
    ///
    /// - Parameter node: the node's place.
    /// - Returns: its number in hexadecimal.
    public func name(ofNode node: Int) -> String { host.readCluster { $0.nodes[node].name } }

    /// The node that serves a record, as one of the nodes believes.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - node: who is asked, by its place; the first by default.
    /// - Returns: the master's place; nil if the node belongs to no cluster or has no such namespace.
    public func master(of key: Key, accordingTo node: Int = 0) -> Int? {
        host.readCluster { $0.nodes[node].view?.tables[key.namespace]?[key.partitionID].workingMaster }
    }

    /// The nodes that are to hold a record, the master first, as one of the nodes believes.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - node: who is asked, by its place; the first by default.
    /// - Returns: their places; none if the node belongs to no cluster or has no such namespace.
    public func replicas(of key: Key, accordingTo node: Int = 0) -> [Int] {
        host.readCluster { $0.nodes[node].view?.tables[key.namespace]?[key.partitionID].replicas ?? [] }
    }

    /// A record as a node keeps it, without asking the node by its port.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - node: the node's place.
    /// - Returns: the record; nil if the node has none.
    public func record(_ key: Key, onNode node: Int) -> Record? {
        host.readCluster { cluster in
            cluster.nodes[node].stores[key.namespace]?.record(key.digest).map { record in
                Record(
                    bins: record.bins,
                    generation: UInt32(record.generation),
                    voidTimeSeconds: record.voidTime
                )
            }
        }
    }

    /// When a node last wrote a record that it keeps, by its own clock.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - node: the node's place.
    /// - Returns: the time, in nanoseconds since 1970; nil if the node has no such record.
    public func lastUpdateNanoseconds(of key: Key, onNode node: Int) -> Int64? {
        host.readCluster { $0.nodes[node].stores[key.namespace]?.record(key.digest)?.lastUpdateNanoseconds }
    }

    /// What all nodes have served since they were started, or since ``resetCounters()``.
    public var counters: NodeCounters { host.readCluster { $0.counters } }

    /// What a node has served.
    ///
    /// - Parameter node: the node's place.
    /// - Returns: its counters.
    public func counters(ofNode node: Int) -> NodeCounters { host.readCluster { $0.nodes[node].counters } }

    /// Sets all counters to 0.
    public func resetCounters() {
        host.withCluster { cluster, _ in cluster.resetCounters() }
    }

    /// How many connections are open to a node.
    ///
    /// - Parameter node: the node's place.
    /// - Returns: their number.
    public func connectionCount(ofNode node: Int) -> Int { host.connectionCount(ofNode: node) }
}
