/// Which nodes there are and what they hold, at one moment.
///
/// It is read for each request, and so it is made to be cheap to read rather than small.
package final class ClusterMap: Sendable {
    /// All nodes that are known.
    package let nodes: [Node]
    private let namespaces: [Namespace]
    /// Whether the client was closed: there never will be nodes again.
    let isOver: Bool

    private struct Namespace: Sendable {
        let name: String
        let replicaCount: Int
        /// Where in `nodes` the node is that holds a replica of a partition, all masters first; −1 where none is known.
        let owners: [Int16]
    }

    /// A map without any nodes: none are known yet, or the client was closed.
    package init(isOver: Bool = false) {
        nodes = []
        namespaces = []
        self.isOver = isOver
    }

    package init(nodes: [Node], tables: [PartitionTable]) {
        self.nodes = nodes
        isOver = false
        let places = Dictionary(
            zip(nodes.map(\.id), nodes.indices.map { Int16(truncatingIfNeeded: $0) }),
            uniquingKeysWith: { first, _ in first }
        )
        namespaces = tables.map { table in
            Namespace(
                name: table.namespace,
                replicaCount: table.replicaCount,
                owners: table.owners.map { places[$0] ?? -1 }
            )
        }
    }

    /// Whether a node has told of a namespace.
    package func hasNamespace(_ name: String) -> Bool {
        namespace(name) != nil
    }

    /// The names of all namespaces that nodes have told of.
    package var namespaceNames: [String] { namespaces.map(\.name) }

    /// How many replicas of each record a namespace has, the master included; 0 if it is not known.
    package func replicaCount(_ name: String) -> Int {
        namespace(name)?.replicaCount ?? 0
    }

    /// The node to ask for a record.
    ///
    /// - Parameters:
    ///   - key: the record's key.
    ///   - replica: 0 for the master, 1 for the next and so on; after the last comes the master again.
    /// - Returns: the node of that replica, that of the next if it has none, or nil if no replica has any.
    package func node(for key: Key, replica: Int = 0) -> Node? {
        node(ofPartition: key.partitionID, namespace: key.namespace, replica: replica)
    }

    /// The node to ask for a partition; see ``node(for:replica:)``.
    package func node(ofPartition partitionID: Int, namespace name: String, replica: Int = 0) -> Node? {
        guard let namespace = namespace(name), namespace.replicaCount > 0,
            (0..<Digest.partitionCount).contains(partitionID)
        else { return nil }
        for turn in 0..<namespace.replicaCount {
            let replica = (max(0, replica) &+ turn) % namespace.replicaCount
            let place = namespace.owners[replica * Digest.partitionCount + partitionID]
            if place >= 0 {
                return nodes[Int(place)]
            }
        }
        return nil
    }

    /// The node that is master of a partition; nil if none is known.
    package func master(ofPartition partitionID: Int, namespace name: String) -> Node? {
        guard let namespace = namespace(name), namespace.replicaCount > 0,
            (0..<Digest.partitionCount).contains(partitionID)
        else { return nil }
        let place = namespace.owners[partitionID]
        return place >= 0 ? nodes[Int(place)] : nil
    }

    private func namespace(_ name: String) -> Namespace? {
        // There are two at most in most clusters, so nothing is faster than to look at each.
        for namespace in namespaces where namespace.name == name {
            return namespace
        }
        return nil
    }
}
