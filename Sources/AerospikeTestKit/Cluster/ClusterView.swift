/// What the nodes of a cluster that see one another agree on: who they are and who holds what.
///
/// After a partition each side has a view of its own. A node that has just started has none, and answers 11 to everything.
package struct ClusterView: Sendable, Hashable {
    /// A number that no other view has.
    package var clusterKey: UInt64
    /// The places of the nodes, the greatest number first; that node is the principal.
    package var members: [Int]
    /// Who holds what, by namespace.
    package var tables: [String: PartitionTable]
}

/// Who holds each partition of a namespace.
package struct PartitionTable: Sendable, Hashable {
    /// A partition.
    package struct Row: Sendable, Hashable {
        /// Who is to hold it, the master first.
        package var replicas: [Int]
        /// Who serves it now: the first of the replicas, or while partitions move a node that has the records.
        package var workingMaster: Int
        /// Who has every record.
        package var full: NodeSet
        /// Who has records from another cluster, which may be better.
        package var duplicates = NodeSet()
    }

    package var rows: [Row]
    /// How many copies there are.
    package var replicationFactor: Int

    package subscript(_ partitionID: Int) -> Row {
        get { rows[partitionID] }
        set { rows[partitionID] = newValue }
    }

    /// Whether any partition is still on its way to a node that is to hold it.
    package var isMoving: Bool {
        rows.contains { row in
            row.workingMaster != row.replicas.first || !row.duplicates.isEmpty
                || row.replicas.contains { !row.full.contains($0) }
        }
    }

    /// Whether a node tells clients that it holds a partition as that replica; 0 is the master.
    ///
    /// The working master stands in for replicas that do not have the records yet (aerospike-server 8.1,
    /// fabric/partition.c, `client_replica_maps_update`).
    package func claims(_ node: Int, _ partitionID: Int, asReplica replica: Int) -> Bool {
        let row = rows[partitionID]
        let place = row.replicas.firstIndex(of: node)
        if row.workingMaster == node {
            if replica == 0 || place == replica {
                return true
            }
            return row.replicas.indices.contains(replica) && !row.full.contains(row.replicas[replica])
        }
        return place == replica && replica > 0 && row.full.contains(node)
    }

    /// The partitions that a node claims as that replica, one bit each, the first partition highest in the first byte.
    package func bitmap(of node: Int, asReplica replica: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: rows.count / 8)
        for partitionID in rows.indices where claims(node, partitionID, asReplica: replica) {
            bytes[partitionID >> 3] |= 0x80 >> UInt8(partitionID & 7)
        }
        return bytes
    }
}

/// Some nodes, by their places in the cluster.
package struct NodeSet: Sendable, Hashable {
    /// The most nodes that a cluster may have here; the Community Edition allows 8.
    package static let nodesMax = 32

    private var bits: UInt32 = 0

    package init(_ nodes: some Sequence<Int> = EmptyCollection()) {
        for node in nodes {
            insert(node)
        }
    }

    package var isEmpty: Bool { bits == 0 }

    package func contains(_ node: Int) -> Bool {
        bits >> UInt32(node) & 1 == 1
    }

    package mutating func insert(_ node: Int) {
        bits |= 1 << UInt32(node)
    }
}
