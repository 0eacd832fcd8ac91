import Aerospike

/// Answers about namespaces, sets and statistics.
extension SimulatedCluster {
    mutating func describeNamespaces(_ request: InfoRequest, node: Int, nowNanoseconds: Int64) -> String? {
        switch request.name {
        case "namespaces": return configuration.namespaces.map(\.name).sorted().joined(separator: ";")
        case "namespace":
            guard let namespace = configuration.namespaces.first(where: { $0.name == request.rest }) else {
                return "type=unknown"
            }
            return (statistics(of: namespace, node: node, nowNanoseconds) + settings(of: namespace, node: node))
                .joined(separator: ";")
        case "sets": return sets(request.rest, node: node)
        case "statistics": return statistics(of: node)
        case "objects": return "\(nodes[node].stores.values.reduce(0) { $0 + $1.recordCount })"
        case "query-show":
            guard let text = request["id", "trid"] else {
                return nodes[node].jobs.describeAll(nowNanoseconds: nowNanoseconds)
            }
            guard let id = UInt64(text), id != 0 else { return "\(InfoError(.invalidRequest, "bad id"))" }
            return nodes[node].jobs.describe(id, nowNanoseconds: nowNanoseconds)
                ?? "\(InfoError(.notFound, "job not found"))"
        case "query-abort":
            guard let text = request["id", "trid"] else { return "\(InfoError(.invalidRequest, "missing 'id'"))" }
            guard let id = UInt64(text), id != 0 else { return "\(InfoError(.invalidRequest, "bad id"))" }
            return "\(InfoError(.notFound, "id not active"))"
        case "query-abort-all": return "number-of-queries-killed:0"
        default: return nil
        }
    }

    private func statistics(of namespace: TestCluster.Namespace, node: Int, _ nowNanoseconds: Int64) -> [String] {
        guard let store = nodes[node].stores[namespace.name] else { return [] }
        let view = nodes[node].view
        let table = view?.tables[namespace.name]
        var masterCount = 0
        var replicaCount = 0
        for (partitionID, row) in (table?.rows ?? []).enumerated() {
            let count = store.recordCount(inPartition: partitionID)
            if row.workingMaster == node {
                masterCount += count
            } else if row.replicas.contains(node) {
                replicaCount += count
            }
        }
        let now = (nowNanoseconds &+ nodes[node].clockOffsetNanoseconds) / 1_000_000_000
        let bytes = store.setStatistics.values.reduce(0) { $0 + $1.bytes }
        return [
            "ns_cluster_size=\(view?.members.count ?? 0)",
            "effective_replication_factor=\(table?.replicationFactor ?? 0)",
            "objects=\(store.recordCount)", "tombstones=0",
            "master_objects=\(masterCount)", "master_tombstones=0",
            "prole_objects=\(replicaCount)", "prole_tombstones=0",
            "non_replica_objects=\(max(0, store.recordCount - masterCount - replicaCount))",
            "dead_partitions=0", "unavailable_partitions=\(table == nil ? Digest.partitionCount : 0)",
            "clock_skew_stop_writes=false", "stop_writes=\(store.configuration.stopsWrites)",
            "hwm_breached=false", "current_time=\(now - Record.epochUnixSeconds)",
            "truncate_lut=0", "truncating=false", "data_used_bytes=\(bytes)",
            "migrate_tx_partitions_remaining=0",
            "migrate_rx_partitions_remaining=\(table?.isMoving == true && holdsMigrations ? 1 : 0)",
        ]
    }

    /// What a namespace is told to do, by the server's names.
    func settings(of namespace: TestCluster.Namespace, node: Int) -> [String] {
        guard let store = nodes[node].stores[namespace.name] else { return [] }
        let resolution = namespace.conflictResolution == .lastUpdateTime ? "last-update-time" : "generation"
        return [
            "allow-ttl-without-nsup=false",
            "apply-ttl-reductions=\(store.configuration.appliesTimeToLiveReductions)",
            "conflict-resolution-policy=\(resolution)", "conflict-resolve-writes=false",
            "default-read-touch-ttl-pct=\(store.configuration.readTouchPercent)",
            "default-ttl=\(store.configuration.defaultTimeToLiveSeconds)",
            "disallow-null-setname=\(store.configuration.requiresSetName)",
            "max-record-size=\(store.configuration.recordBytesMax)",
            "nsup-period=\(namespace.removalPeriodSeconds)",
            "read-consistency-level-override=off",
            "replication-factor=\(replicationFactor(of: namespace))",
            "strong-consistency=false", "transaction-pending-limit=20",
            "write-commit-level-override=off", "storage-engine=memory",
        ]
    }

    private func sets(_ rest: String, node: Int) -> String {
        let parts = rest.split(separator: "/", maxSplits: 1).map(String.init)
        if let name = parts.first, nodes[node].stores[name] == nil { return "ns_type=unknown" }
        var text = ""
        for name in nodes[node].stores.keys.sorted() where parts.first ?? name == name {
            guard let store = nodes[node].stores[name] else { continue }
            for (setName, statistics) in store.setStatistics.sorted(by: { $0.key < $1.key }) where !setName.isEmpty {
                let indexCount = store.indexes.values.count { $0.setName == setName }
                let settings = store.configuration.sets[setName] ?? NamespaceConfiguration.SetConfiguration()
                let properties = """
                    objects=\(statistics.recordCount):tombstones=0:data_used_bytes=\(statistics.bytes):\
                    truncate_lut=\(max(0, statistics.truncatedBeforeNanoseconds / 1_000_000)):sindexes=\(indexCount):\
                    index_populating=false:truncating=false:default-read-touch-ttl-pct=0:\
                    default-ttl=\(settings.defaultTimeToLiveSeconds ?? 0):disable-eviction=false:enable-index=false:\
                    stop-writes-count=\(settings.recordsMax):stop-writes-size=\(settings.bytesMax);
                    """
                if parts.count == 2 {
                    text += parts[1] == setName ? properties : ""
                } else {
                    text += "ns=\(name):set=\(setName):\(properties)"
                }
            }
        }
        return text
    }

    private func statistics(of node: Int) -> String {
        let this = nodes[node]
        let principal = this.view?.members.first.map { nodes[$0].name } ?? "0"
        return [
            "failed_best_practices=false", "cluster_size=\(this.view?.members.count ?? 0)",
            "cluster_key=\(String(this.view?.clusterKey ?? 0, radix: 16, uppercase: true))",
            "cluster_principal=\(principal)", "cluster_integrity=\(this.view != nil)",
            "cluster_is_member=\(this.view != nil)", "cluster_clock_skew_ms=0",
            "objects=\(this.stores.values.reduce(0) { $0 + $1.recordCount })", "tombstones=0",
            "client_connections_opened=\(this.counters.connectionsOpened)",
            "migrate_allowed=\(!holdsMigrations)",
            "migrate_partitions_remaining=\(this.view?.tables.values.contains(where: \.isMoving) == true ? 1 : 0)",
        ].joined(separator: ";")
    }
}
