/// The names of the info protocol.
enum InfoCommands {
    /// What a server says of its features (aerospike-server 8.1, base/thr_info.c, `cmd_features`).
    static let features = """
        batch-any;batch-index;blob-bits;cdt-index;cdt-list;cdt-map;cluster-stable;float;geo;sindex-exists;peers;\
        pipelining;pquery;pscans;query-show;relaxed-sc;replicas;replicas-all;replicas-master;replicas-max;\
        truncate-namespace;udf
        """

    /// What a request without names is answered with.
    static let summary = [
        "features", "node", "compatibility-id", "edition", "build_ee_sha", "build_sha", "build_arch", "build_time",
        "build_os", "build", "version", "statistics", "services-alumni", "services", "partition-generation",
    ]

    /// What only the Enterprise Edition answers.
    static let enterpriseOnly: Set = [
        "alumni-tls-alt", "alumni-tls-std", "feature-key", "peers-tls-alt", "peers-tls-std", "quiesce",
        "quiesce-undo", "rack-ids", "racks", "revive", "roster", "roster-set", "service-tls-alt", "service-tls-std",
        "xdr-dc-state", "xdr-get-filter", "xdr-set-filter",
    ]

    /// What a real server answers and this node does not.
    static let notDone: Set = [
        "admin-clear-std", "admin-tls-std", "best-practices", "debug-record", "debug-record-meta", "digests",
        "dump-cluster", "dump-fabric", "dump-hb", "dump-hlc", "dump-migrates", "dump-rw", "dump-skew",
        "dump-wb-summary", "endpoints", "get-stats", "help", "histogram", "index-pressure",
        "jem-stats", "latencies", "log", "log-message", "log-set", "logs", "mcast", "mesh", "objects",
        "partition-info", "physical-devices", "services-alternate", "services-alumni-reset",
        "set-log", "smd-info", "smd-show", "thread-traces", "tip", "tip-clear", "truncate-namespace-undo",
        "truncate-undo", "udf-clear-cache",
    ]
}
