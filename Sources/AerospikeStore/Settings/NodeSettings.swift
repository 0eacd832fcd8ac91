import Aerospike

/// What one node says of itself, of its cluster and of a namespace, in its answers to info requests.
public struct NodeSettings: Sendable, Hashable {
    /// The node's name.
    public let node: String
    /// Where the node listens, as its `host:port`; nil if that is not known.
    public let address: Address?
    /// The version that the node is of, such as `8.1.0.3`.
    public let build: String
    /// Whether the node has the namespace.
    public let hasNamespace: Bool

    /// Settings and statistics of the namespace (aerospike-server 8.1, base/cfg_info.c, `cfg_get_namespace`, and
    /// base/thr_info.c, `info_get_namespace_info`).
    private let namespace: [String: String]
    private let service: [String: String]
    private let statistics: [String: String]

    /// Where a node listens.
    public struct Address: Sendable, Hashable {
        /// The host's name or address.
        public let host: String
        /// The port.
        public let port: Int
    }

    /// What a node is asked.
    static func questions(_ namespace: String) -> [String] {
        ["build", "namespace/\(namespace)", "get-config:context=service", "statistics"]
    }

    /// Reads what a node has answered to ``questions(_:)``.
    init(node: String, address: Address?, namespace name: String, answers: [String: String]) {
        self.node = node
        self.address = address
        build = answers["build"] ?? ""
        let text = answers["namespace/\(name)"] ?? ""
        namespace = InfoPairs(text).values
        // Of a namespace that it does not have, a node says `type=unknown`.
        hasNamespace = namespace["replication-factor"] != nil
        service = InfoPairs(answers["get-config:context=service"] ?? "").values
        statistics = InfoPairs(answers["statistics"] ?? "").values
    }

    /// A setting or a statistic of the namespace, as the node wrote it; nil if it is of a version that has none.
    public subscript(name: String) -> String? { namespace[name] }

    func integer(_ name: String) -> Int? { namespace[name].flatMap { Int($0) } }
    func boolean(_ name: String) -> Bool { namespace[name] == "true" }

    // MARK: The cluster

    var version: ServerVersion? { ServerVersion(build) }
    /// How many nodes this one thinks there are.
    var clusterSize: Int { statistics["cluster_size"].flatMap { Int($0) } ?? 0 }
    var clusterKey: String? { statistics["cluster_key"] }
    var isClusterWhole: Bool { statistics["cluster_integrity"] != "false" }
    var clockSkewMilliseconds: Int { statistics["cluster_clock_skew_ms"].flatMap { Int($0) } ?? 0 }
    var migrationsLeft: Int { statistics["migrate_partitions_remaining"].flatMap { Int($0) } ?? 0 }
    /// The fewest nodes that go on serving; 0 is the same as 1.
    var clusterSizeMin: Int { max(1, service["min-cluster-size"].flatMap { Int($0) } ?? 1) }

    // MARK: The namespace

    var replicationFactor: Int { integer("replication-factor") ?? 1 }
    /// Copies of each record at the moment: never more than there are nodes.
    var copies: Int { integer("effective_replication_factor") ?? min(replicationFactor, max(1, clusterSize)) }
    var isStronglyConsistent: Bool { boolean("strong-consistency") }

    /// The longest record.
    ///
    /// Before server 7.1 the write block may be what bounds it.
    var recordBytesMax: Int? {
        if let bytes = integer("max-record-size"), bytes > 0 { return bytes }
        return integer("storage-engine.write-block-size")
    }

    /// Where the records are.
    enum Storage: Hashable {
        /// In memory alone.
        case memory
        /// In memory, and written to files or devices behind it.
        case backedMemory
        /// In files or on devices.
        case device
    }

    var storage: Storage {
        let isBacked = namespace.keys.contains {
            $0.hasPrefix("storage-engine.file[") || $0.hasPrefix("storage-engine.device[")
        }
        let isForgotten = boolean("storage-engine.cold-start-empty")
        guard namespace["storage-engine"] == "memory" || isForgotten else { return .device }
        return isBacked && !isForgotten ? .backedMemory : .memory
    }

    /// How much of what it acknowledged a node forgets that is killed; nil if nothing.
    var forgettableMilliseconds: Int? {
        guard !boolean("storage-engine.commit-to-device") else { return nil }
        return integer("storage-engine.flush-max-ms") ?? 1_000
    }
}
