/// Which node holds which partition of a namespace, as far as the nodes have told.
package struct PartitionTable: Sendable, Hashable {
    package var namespace: String
    /// How many replicas of each partition the table has.
    package var replicaCount: Int
    /// The id of the node for each replica of each partition, all masters first; −1 where none is known.
    package var owners: [Int32]

    package static let nobody: Int32 = -1

    /// A table that knows nothing yet.
    package init(namespace: String, replicaCount: Int) {
        self.namespace = namespace
        self.replicaCount = replicaCount
        owners = Array(repeating: PartitionTable.nobody, count: replicaCount * Digest.partitionCount)
    }

    /// The id of a partition's node; nil if none is known.
    package func owner(of partitionID: Int, replica: Int = 0) -> Int? {
        guard (0..<replicaCount).contains(replica), (0..<Digest.partitionCount).contains(partitionID) else {
            return nil
        }
        let owner = owners[replica * Digest.partitionCount + partitionID]
        return owner == PartitionTable.nobody ? nil : Int(owner)
    }

    /// Whether each partition has a master.
    package var isComplete: Bool {
        !owners.prefix(Digest.partitionCount).contains(PartitionTable.nobody)
    }

    /// What a node said that it holds.
    package struct Claim: Sendable {
        package var node: Int32
        package var ownership: [PartitionOwnership]

        package init(node: Int32, ownership: [PartitionOwnership]) {
            self.node = node
            self.ownership = ownership
        }
    }

    /// Makes tables out of what the nodes said.
    ///
    /// Where two nodes claim the same, the newer regime is right, and of the same regime the later answer.
    ///
    /// - Parameter claims: what the nodes said, the latest answer last.
    /// - Returns: the tables, in the order of their namespaces' names.
    package static func merging(_ claims: [Claim]) -> [PartitionTable] {
        var byNamespace: [String: [(node: Int32, ownership: PartitionOwnership)]] = [:]
        for claim in claims {
            for ownership in claim.ownership {
                byNamespace[ownership.namespace, default: []].append((claim.node, ownership))
            }
        }
        let namespaces = byNamespace.keys.sorted().prefix(AerospikeLimits.namespacesMax)
        return namespaces.map { namespace in
            let said = byNamespace[namespace] ?? []
            // Not sort(by:), which may not keep the order of what is equal.
            let order = said.indices.sorted {
                (said[$0].ownership.regime, $0) < (said[$1].ownership.regime, $1)
            }
            let latest = order.last.map { said[$0].ownership.replicaCount } ?? 0
            var table = PartitionTable(
                namespace: namespace,
                replicaCount: min(latest, AerospikeLimits.replicasMax)
            )
            for index in order {
                table.add(said[index].ownership, of: said[index].node)
            }
            return table
        }
    }

    private mutating func add(_ ownership: PartitionOwnership, of node: Int32) {
        owners.withUnsafeMutableBufferPointer { owners in
            for replica in 0..<min(replicaCount, ownership.replicaCount) {
                ownership.forEachPartition(asReplica: replica) { partitionID in
                    owners[replica * Digest.partitionCount + partitionID] = node
                }
            }
        }
    }
}
