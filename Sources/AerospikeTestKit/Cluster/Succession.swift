/// In which order the nodes of a cluster are to hold each partition.
///
/// Each partition has every node in an order of its own, by rendezvous hashing: the first is to be its master, those after
/// it the replicas. A node that comes or goes leaves the order of the others as it is, so that no more moves than must.
package struct Succession: Sendable, Hashable {
    /// How many nodes there are.
    package let nodeCount: Int
    private let order: [UInt8]

    /// The orders for some nodes.
    ///
    /// - Parameters:
    ///   - nodes: each node's place in the cluster and its number; the order does not matter.
    ///   - partitionCount: how many partitions there are.
    package init(of nodes: [(place: Int, number: UInt64)], partitionCount: Int) {
        nodeCount = nodes.count
        var order: [UInt8] = []
        order.reserveCapacity(partitionCount * nodes.count)
        for partitionID in 0..<partitionCount {
            let ranked = nodes.map { (Succession.rank(of: $0.number, partitionID: partitionID), $0.place) }
            order.append(contentsOf: ranked.sorted { $0 > $1 }.map { UInt8(truncatingIfNeeded: $0.1) })
        }
        self.order = order
    }

    /// The places of all nodes, in the order of a partition.
    package func nodes(ofPartition partitionID: Int) -> [Int] {
        order[partitionID * nodeCount..<(partitionID + 1) * nodeCount].map(Int.init)
    }

    /// How much a node wants a partition: bits well mixed out of both (the finalizer of SplitMix64).
    private static func rank(of number: UInt64, partitionID: Int) -> UInt64 {
        var bits = number &+ UInt64(partitionID &+ 1) &* 0x9e37_79b9_7f4a_7c15
        bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
        return bits ^ bits >> 31
    }
}
