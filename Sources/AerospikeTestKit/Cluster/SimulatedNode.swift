import Aerospike

/// One node of a ``SimulatedCluster``: what it keeps, and what it believes about the others.
package struct SimulatedNode: Sendable {
    /// Whether its process runs.
    package enum State: Sendable, Hashable {
        /// It serves. Can transition to `stopped` and `killed`.
        case running
        /// It stands still with its sockets open, as after SIGSTOP. Can transition to `running` and `killed`.
        case stopped
        /// There is no process. Can transition to `running`.
        case killed
    }

    /// Its place in the cluster, by which a test names it.
    package let place: Int
    /// Its number, by which nodes are ranked.
    package let number: UInt64
    /// Where it listens in clear.
    package var port: Int
    /// Where it listens for TLS; 0 if it does not.
    package var tlsPort: Int
    package var state = State.running
    /// When its process ended last, in nanoseconds since 1970.
    package var diedAtNanoseconds: Int64 = 0
    /// How often it was started.
    package var incarnation = 1
    /// What it believes; nil if it belongs to no cluster, as just after its start.
    package var view: ClusterView?
    /// Its records, by namespace.
    package var stores: [String: NamespaceStore]
    /// What it holds wholly, by namespace and partition: the cluster key under which it did last, or 0 if never.
    package var holdings: [String: [UInt64]]
    /// What its disk would bring back or has not got yet.
    package var disk = SimulatedDisk()
    /// How far its clock is ahead of the others', in nanoseconds.
    package var clockOffsetNanoseconds: Int64 = 0
    /// On which side of a partition it is; nodes of the same side see one another.
    package var side = 0
    /// A number that grows when what it claims may have changed; -1 before it claims anything.
    package var partitionGeneration = -1
    /// A number that grows when the others do, or where they listen.
    package var peersGeneration = 0
    package var rebalanceGeneration = 0
    /// How many truncations of the cluster it has carried out.
    package var truncationCount = 0
    package var jobs = QueryJobs()
    package var counters = NodeCounters()

    package init(place: Int, number: UInt64, port: Int, tlsPort: Int, stores: [String: NamespaceStore]) {
        self.place = place
        self.number = number
        self.port = port
        self.tlsPort = tlsPort
        self.stores = stores
        holdings = stores.mapValues { _ in Array(repeating: 0, count: Digest.partitionCount) }
    }

    /// Its name: the number in hexadecimal.
    package var name: String { String(number, radix: 16, uppercase: true) }

    /// Does to its records what a call did, and remembers what its disk would.
    package mutating func apply(_ change: RecordChange, inNamespace namespace: String, nowNanoseconds: Int64) {
        let old = stores[namespace]?.record(change.digest)
        stores[namespace]?.apply(change)
        disk.note(RecordChange(digest: change.digest, old: old, new: change.new), namespace, nowNanoseconds)
    }

    /// Takes back what was changed since a time, as far as it is known.
    package mutating func forget(sinceNanoseconds horizon: Int64) {
        disk.forget(sinceNanoseconds: horizon, in: &stores)
    }

    /// Brings back the records that were deleted and not written again.
    package mutating func resurrect() {
        disk.resurrect(in: &stores)
    }
}
