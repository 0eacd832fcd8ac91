/// Which partitions of its namespaces a node holds: the answer to `replicas`.
///
/// The form is `namespace:regime,count,bitmap,…;…`, with a bitmap in Base64 for the master's partitions and one for those
/// of each further replica. The first partition is the highest bit of the first byte (aerospike-server 8.1,
/// fabric/partition.c; aerospike-client-c 7.5, as_partition.c).
package struct PartitionOwnership: Sendable, Hashable {
    package var namespace: String

    /// The number of the cluster's regime, by which of two nodes that both claim a partition the newer is known; 0 in
    /// namespaces that are not strongly consistent.
    package var regime: Int

    /// For each replica, the master first, one bit for each partition, in words of 64.
    private var bitmaps: [[UInt64]]

    /// How many copies of each record there are.
    package var replicaCount: Int { bitmaps.count }

    /// Whether the node holds a partition as that replica; 0 is the master.
    package func holds(_ partitionID: Int, asReplica replica: Int = 0) -> Bool {
        guard bitmaps.indices.contains(replica), (0..<Digest.partitionCount).contains(partitionID) else { return false }
        return (bitmaps[replica][partitionID >> 6] >> UInt64(63 - partitionID & 63)) & 1 == 1
    }

    /// How many partitions the node holds as that replica.
    package func count(asReplica replica: Int = 0) -> Int {
        bitmaps.indices.contains(replica) ? bitmaps[replica].reduce(0) { $0 + $1.nonzeroBitCount } : 0
    }

    /// Calls a function for each partition that the node holds as that replica.
    package func forEachPartition(asReplica replica: Int, _ body: (Int) -> Void) {
        guard bitmaps.indices.contains(replica) else { return }
        for (index, word) in bitmaps[replica].enumerated() {
            var rest = word
            while rest != 0 {
                let bit = rest.leadingZeroBitCount
                body(index << 6 | bit)
                rest &= ~(1 << UInt64(63 - bit))
            }
        }
    }

    /// Reads what a node says of all its namespaces.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply``.
    package static func parse(_ text: String) throws(AerospikeError) -> [PartitionOwnership] {
        var all: [PartitionOwnership] = []
        for part in text.split(separator: ";") {
            guard let colon = part.firstIndex(of: ":") else { throw .malformed("replicas without a namespace") }
            let words = part[part.index(after: colon)...].split(separator: ",", omittingEmptySubsequences: false)
            guard words.count >= 2, let regime = Int(words[0]), let count = Int(words[1]), count == words.count - 2
            else { throw .malformed("replicas of another number than was announced") }
            var ownership = PartitionOwnership(namespace: String(part[..<colon]), regime: regime, bitmaps: [])
            for word in words.dropFirst(2) {
                guard let bytes = Base64.decode(word), bytes.count == Digest.partitionCount / 8 else {
                    throw .malformed("a bitmap that is not of \(Digest.partitionCount) partitions")
                }
                ownership.bitmaps.append(
                    stride(from: 0, to: bytes.count, by: 8).map { start in
                        bytes[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                    }
                )
            }
            all.append(ownership)
        }
        return all
    }
}
