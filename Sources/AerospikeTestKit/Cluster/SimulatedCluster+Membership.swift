import Aerospike

/// Who is there, who sees whom, and what follows.
extension SimulatedCluster {
    /// Whether a node's process runs.
    package func isRunning(_ node: Int) -> Bool { nodes[node].state == .running }

    /// Ends a node's process; its sockets are the caller's to close.
    package mutating func kill(_ node: Int, nowNanoseconds: Int64) {
        guard nodes[node].state != .killed else { return }
        nodes[node].state = .killed
        nodes[node].diedAtNanoseconds = nowNanoseconds
        topologyChanged(nowNanoseconds)
    }

    /// Makes a node stand still.
    package mutating func stop(_ node: Int, nowNanoseconds: Int64) {
        guard nodes[node].state == .running else { return }
        nodes[node].state = .stopped
        topologyChanged(nowNanoseconds)
    }

    /// Lets a node go on that stood still; it still believes what it did before.
    package mutating func resume(_ node: Int, nowNanoseconds: Int64) {
        guard nodes[node].state == .stopped else { return }
        nodes[node].state = .running
        topologyChanged(nowNanoseconds)
    }

    /// Starts a node again that was killed.
    package mutating func restart(_ node: Int, _ storage: TestCluster.Storage, nowNanoseconds: Int64) {
        guard nodes[node].state == .killed else { return }
        nodes[node].state = .running
        nodes[node].incarnation += 1
        nodes[node].view = nil
        nodes[node].partitionGeneration = -1
        nodes[node].peersGeneration = 0
        nodes[node].rebalanceGeneration = 0
        switch storage {
        case .kept: break
        case .empty:
            for namespace in configuration.namespaces {
                nodes[node].stores[namespace.name] = makeStore(namespace)
                nodes[node].holdings[namespace.name] = Array(repeating: 0, count: Digest.partitionCount)
            }
            let forgettable = nodes[node].disk.forgettableNanoseconds
            nodes[node].disk = SimulatedDisk()
            nodes[node].disk.forgettableNanoseconds = forgettable
        case .forgetting(let time):
            nodes[node].forget(sinceNanoseconds: nodes[node].diedAtNanoseconds &- time.inNanoseconds)
        case .deletesComeBack:
            nodes[node].resurrect()
            // Only nodes that were running can tell of truncations.
            if !nodes.indices.contains(where: { $0 != node && nodes[$0].state != .killed }) {
                metadata.truncations = []
            }
            nodes[node].truncationCount = 0
        }
        topologyChanged(nowNanoseconds)
    }

    /// Cuts nodes off from one another.
    ///
    /// - Parameters:
    ///   - sides: the places of the nodes of each side; nodes that are on none are on the first.
    ///   - nowNanoseconds: the time, in nanoseconds since 1970.
    package mutating func partition(_ sides: [[Int]], nowNanoseconds: Int64) {
        for node in nodes.indices {
            nodes[node].side = sides.firstIndex { $0.contains(node) } ?? 0
        }
        topologyChanged(nowNanoseconds)
    }

    /// Notes that who is there or who sees whom has changed: the nodes agree anew when they have noticed.
    package mutating func topologyChanged(_ nowNanoseconds: Int64) {
        reclusterAtNanoseconds = nowNanoseconds &+ configuration.detectionDelay.inNanoseconds
    }

    /// Does what is due.
    ///
    /// - Returns: whether anything came of it, so that requests which wait for other nodes are to be looked at again.
    package mutating func tick(_ nowNanoseconds: Int64) -> Bool {
        guard let due = reclusterAtNanoseconds, due <= nowNanoseconds else { return false }
        reclusterAtNanoseconds = nil
        recluster(nowNanoseconds)
        return true
    }

    /// Lets the nodes that see one another agree on who they are.
    package mutating func recluster(_ nowNanoseconds: Int64) {
        let running = nodes.indices.filter { nodes[$0].state == .running }
        for (_, members) in Dictionary(grouping: running, by: { nodes[$0].side }).sorted(by: { $0.key < $1.key }) {
            let ranked = members.sorted { nodes[$0].number > nodes[$1].number }
            if ranked.count < configuration.clusterSizeMin {
                for node in ranked where nodes[node].view != nil {
                    setView(nil, of: node)
                }
            } else if !ranked.allSatisfy({ nodes[$0].view?.members == ranked && agrees($0, ranked[0]) }) {
                for node in ranked {
                    applyTruncations(to: node, nowNanoseconds)
                }
                form(ranked)
            }
        }
    }

    /// Makes a cluster of some nodes.
    private mutating func form(_ members: [Int]) {
        var view = ClusterView(clusterKey: nextClusterKey(), members: members, tables: [:])
        let succession = Succession(
            of: members.map { ($0, nodes[$0].number) },
            partitionCount: Digest.partitionCount
        )
        for namespace in configuration.namespaces {
            let factor = min(replicationFactor(of: namespace), members.count)
            view.tables[namespace.name] = table(of: namespace.name, succession, replicationFactor: factor)
        }
        dropNeedless(view)
        if !holdsMigrations {
            migrate(&view)
        }
        for node in members {
            setView(view, of: node)
            nodes[node].rebalanceGeneration += 1
        }
        noteHoldings(view)
    }

    /// Who is to hold a namespace's partitions, and who has them now.
    private func table(of namespace: String, _ succession: Succession, replicationFactor: Int) -> PartitionTable {
        let rows = (0..<Digest.partitionCount).map { partitionID in
            let order = succession.nodes(ofPartition: partitionID)
            let replicas = Array(order.prefix(replicationFactor))
            let version = { (node: Int) in nodes[node].holdings[namespace]?[partitionID] ?? 0 }
            guard let workingMaster = order.first(where: { version($0) != 0 }) else {
                // Nobody has any of it: it is empty, and all that are to hold it do.
                return PartitionTable.Row(
                    replicas: replicas,
                    workingMaster: order[0],
                    full: NodeSet(replicas)
                )
            }
            // Nodes that had it under another cluster may have other versions of the records.
            let full = order.filter { version($0) == version(workingMaster) }
                .filter { replicas.contains($0) || $0 == workingMaster }
            let others = order.filter { version($0) != 0 && version($0) != version(workingMaster) }
            return PartitionTable.Row(
                replicas: replicas,
                workingMaster: workingMaster,
                full: NodeSet(full),
                duplicates: NodeSet(others)
            )
        }
        return PartitionTable(rows: rows, replicationFactor: replicationFactor)
    }

    /// Takes partitions from nodes that neither serve nor are to hold them, and have no other versions of the records.
    private mutating func dropNeedless(_ view: ClusterView) {
        for (namespace, table) in view.tables {
            for (partitionID, row) in table.rows.enumerated() {
                for node in view.members
                where node != row.workingMaster && !row.replicas.contains(node) && !row.duplicates.contains(node) {
                    nodes[node].stores[namespace]?.removeAll(inPartition: partitionID)
                }
            }
        }
    }

    private mutating func setView(_ view: ClusterView?, of node: Int) {
        let peersBefore = peers(of: node)
        nodes[node].view = view
        nodes[node].partitionGeneration += 1
        if peers(of: node) != peersBefore {
            nodes[node].peersGeneration += 1
        }
    }

    /// The others of a node's cluster, as it believes.
    package func peers(of node: Int) -> [Int] {
        nodes[node].view?.members.filter { $0 != node }.sorted() ?? []
    }

    /// Remembers who has which partitions under a view, for the next that is formed.
    private mutating func noteHoldings(_ view: ClusterView) {
        for (namespace, table) in view.tables {
            for node in view.members {
                for (partitionID, row) in table.rows.enumerated() where !row.duplicates.contains(node) {
                    nodes[node].holdings[namespace]?[partitionID] = row.full.contains(node) ? view.clusterKey : 0
                }
            }
        }
    }
}

// MARK: Partitions that move

extension SimulatedCluster {
    /// Keeps partitions where they are after a change, until they are released.
    package mutating func holdMigrations() {
        holdsMigrations = true
    }

    /// Moves all partitions to where they are to be, and from now on at once.
    package mutating func releaseMigrations() {
        holdsMigrations = false
        var done: Set<UInt64> = []
        for node in nodes.indices {
            guard var view = nodes[node].view, done.insert(view.clusterKey).inserted else { continue }
            // Those that are not there now neither give nor take; they come with the next view.
            let isWhole = view.members.allSatisfy { sees(node, $0) && agrees(node, $0) }
            guard isWhole, view.tables.values.contains(where: \.isMoving) else { continue }
            migrate(&view)
            for member in view.members {
                nodes[member].view = view
                nodes[member].partitionGeneration += 1
            }
            noteHoldings(view)
        }
    }

    /// Gives every partition to those that are to hold it, the better version of each record, and takes it from others.
    private mutating func migrate(_ view: inout ClusterView) {
        for namespace in view.tables.keys.sorted() {
            guard var table = view.tables[namespace] else { continue }
            let policy = conflictPolicy(of: namespace)
            for partitionID in table.rows.indices {
                let replicas = table[partitionID].replicas
                let givers = view.members.filter {
                    nodes[$0].stores[namespace]?.recordCount(inPartition: partitionID) ?? 0 > 0
                }
                for giver in givers {
                    let records = nodes[giver].stores[namespace]?.records(inPartition: partitionID) ?? []
                    for taker in replicas where taker != giver {
                        for record in records {
                            nodes[taker].stores[namespace]?.store(record, resolving: policy)
                        }
                    }
                }
                for giver in givers where !replicas.contains(giver) {
                    nodes[giver].stores[namespace]?.removeAll(inPartition: partitionID)
                }
                table[partitionID].workingMaster = replicas[0]
                table[partitionID].full = NodeSet(replicas)
                table[partitionID].duplicates = NodeSet()
            }
            view.tables[namespace] = table
        }
    }
}
