package import Aerospike
package import BeanspikeCore

/// Where a queue's records are: a namespace, the names of its sets, and how each record is called in its set.
///
/// Several queues live side by side on one namespace under different prefixes.
package struct StoreLayout: Sendable, Hashable {
    /// The sets of a queue.
    package enum SetName: String, Sendable, Hashable, CaseIterable {
        /// One record, for the whole queue.
        case queue
        /// A record for each tube.
        case tubes
        /// Pages of the list of all tubes.
        case registry
        /// Leaves of the tubes' directories.
        case leaves
        /// Jobs.
        case segments
        /// Bodies too long for a segment.
        case bodies
        /// Processes, and what each may have reserved from.
        case processes
    }

    /// The namespace.
    package let namespace: String
    /// What the names of the sets begin with.
    package let prefix: String

    /// The place of the one record that is there for the whole queue.
    package let queueKey: Key

    /// A layout.
    ///
    /// - Parameters:
    ///   - namespace: the namespace.
    ///   - prefix: what the names of the sets begin with; empty by default.
    package init(namespace: String, prefix: String = "") {
        self.namespace = namespace
        self.prefix = prefix
        queueKey = Key(namespace: namespace, set: prefix + SetName.queue.rawValue, "queue")
    }

    /// A set's name in the namespace.
    package func name(of set: SetName) -> String { prefix + set.rawValue }

    /// A record of a set.
    package func key(_ set: SetName, _ userKey: UserKey) -> Key {
        Key(namespace: namespace, set: name(of: set), userKey)
    }

    /// A tube's record.
    package func tubeKey(_ tube: TubeName) -> Key { key(.tubes, .string(tube.description)) }

    /// A page of the list of all tubes.
    package func registryKey(page: Int) -> Key { key(.registry, .integer(Int64(page))) }

    /// A leaf of the directory of a tube's incarnation.
    package func leafKey(incarnation: Int, leaf: Int) -> Key { key(.leaves, .string("\(incarnation)/\(leaf)")) }

    /// A segment.
    package func segmentKey(_ number: Int) -> Key { key(.segments, .integer(Int64(number))) }

    /// A piece of a job's body.
    package func bodyKey(job: JobID, piece: Int) -> Key { key(.bodies, .string("\(job)/\(piece)")) }

    /// A process.
    package func processKey(_ number: Int) -> Key { key(.processes, .integer(Int64(number))) }

    /// A page of the list of segments that a process may have reserved from.
    package func footprintKey(process: Int, page: Int) -> Key { key(.processes, .string("\(process)/\(page)")) }
}
