import BeanspikeCore

/// Settings that can take jobs away by time, hold them up, or turn them away.
extension SettingsRules {
    /// Records that end by themselves.
    var timeToLive: [StoreFinding] {
        var findings: [StoreFinding] = []
        let ending = settings.nodes(where: "default-ttl", isNot: "0")
        if !ending.isEmpty {
            findings.append(
                StoreFinding(
                    .refused,
                    "default-ttl",
                    settings.state(of: "default-ttl", unit: " s"),
                    meaning: "Records end after that time: acknowledged jobs would go with them.",
                    remedy: remedies.set(
                        "default-ttl",
                        to: "0",
                        on: ending,
                        advice: "Set it to 0 on every node, at once and in aerospike.conf, or use a namespace for jobs "
                            + "alone."
                    )
                )
            )
        }
        let name = "nsup-period"
        let off = settings.members.filter { $0.integer(name) == 0 }
        if off.isEmpty {
            let meaning = "What processes that are gone have left behind ends by itself."
            findings.append(StoreFinding(.fine, name, settings.state(of: name, unit: " s"), meaning: meaning))
        } else {
            let meaning =
                off.allSatisfy { $0.boolean("allow-ttl-without-nsup") }
                ? "What processes that are gone have left behind ends, but keeps its room."
                : "Records that are to end by themselves are turned away (code 22): what processes that are gone have "
                    + "left behind stays. Jobs do not depend on it."
            findings.append(
                StoreFinding(
                    .warning,
                    name,
                    settings.state(of: name, unit: " s"),
                    meaning: meaning,
                    remedy: remedies.set(
                        name,
                        to: "120",
                        on: off,
                        advice: "Set it to 120 on every node, at once and in aerospike.conf."
                    )
                )
            )
        }
        return findings
    }

    var recordSize: [StoreFinding] {
        let name = "max-record-size"
        guard let bytes = settings.members.compactMap(\.recordBytesMax).min() else { return [] }
        guard bytes < Self.recordBytesMin else {
            return [StoreFinding(.fine, name, "\(bytes) bytes", meaning: "Every record of jobs fits.")]
        }
        return [
            StoreFinding(
                .refused,
                name,
                "\(bytes) bytes",
                meaning: "Records of jobs may be longer, and would be turned away (code 13).",
                remedy: remedies.set(
                    name,
                    to: "1048576",
                    on: settings.members.filter { ($0.recordBytesMax ?? .max) < Self.recordBytesMin },
                    advice: "Set it to 1048576, the server's default, on every node, at once and in aerospike.conf."
                ),
                canBeAccepted: false
            )
        ]
    }

    /// Whether writes are turned away, or soon will be.
    var writing: [StoreFinding] {
        var findings: [StoreFinding] = []
        let foreign = settings.members.filter { $0.boolean("reject-non-xdr-writes") }
        if !foreign.isEmpty {
            findings.append(
                StoreFinding(
                    .refused,
                    "reject-non-xdr-writes",
                    "true on \(names(foreign))",
                    meaning: "The namespace takes what other clusters ship, and turns everything else away.",
                    remedy: remedies.set(
                        "reject-non-xdr-writes",
                        to: "false",
                        on: foreign,
                        advice: "Set it to false, or use another namespace."
                    ),
                    canBeAccepted: false
                )
            )
        }
        let stopped = settings.members.filter { $0.boolean("stop_writes") || $0.boolean("clock_skew_stop_writes") }
        if !stopped.isEmpty {
            findings.append(
                StoreFinding(
                    .warning,
                    "stop_writes",
                    "true on \(names(stopped))",
                    meaning: "The namespace is full: no job can be put, and hardly any be worked off.",
                    remedy: .init(
                        "Give the nodes more room (filesize or data-size, and memory), or add a node; "
                            + "`asadm -e 'info namespace'` shows what is short."
                    )
                )
            )
        }
        let unavailable = settings.members.filter {
            ($0.integer("unavailable_partitions") ?? 0) + ($0.integer("dead_partitions") ?? 0) > 0
        }
        // Too few nodes are told of already.
        if !unavailable.isEmpty, settings.clusterSizeMin <= settings.nodeCount {
            findings.append(
                StoreFinding(
                    .warning,
                    "unavailable_partitions",
                    "not 0 on \(names(unavailable))",
                    meaning: "Some jobs cannot be reached.",
                    remedy: .init("Start the nodes that are missing.")
                )
            )
        }
        return stopped.isEmpty ? findings + room : findings
    }

    /// How much room there is until writes stop (storage-engine.stop-writes-used-pct, from server 7.0 on).
    private var room: [StoreFinding] {
        let full = settings.members.filter { node in
            guard let used = node.integer("data_used_pct"),
                let stop = node.integer("storage-engine.stop-writes-used-pct"),
                stop > 0
            else { return false }
            return stop &- used < Self.roomPercentMin
        }
        guard !full.isEmpty else { return [] }
        let state = full.map { "\($0["data_used_pct"] ?? "") % on \($0.node)" }.joined(separator: ", ")
        return [
            StoreFinding(
                .warning,
                "data_used_pct",
                state,
                meaning: "At \(full[0]["storage-engine.stop-writes-used-pct"] ?? "") % no more jobs can be put.",
                remedy: .init("Give the nodes more room (filesize or data-size), or add a node.")
            )
        ]
    }

    /// How many requests may wait for one record.
    var pending: [StoreFinding] {
        let name = "transaction-pending-limit"
        let few = settings.members.filter { node in
            node.integer(name).map { (1..<Self.pendingMin).contains($0) } ?? false
        }
        guard !few.isEmpty else { return [] }
        return [
            StoreFinding(
                .warning,
                name,
                settings.state(of: name),
                meaning: "Clients that meet on a busy tube are turned away (code 14) and have to try again.",
                remedy: remedies.set(
                    name,
                    to: "20",
                    on: few,
                    advice: "Set it to 20, the server's default, on every node, at once and in aerospike.conf."
                )
            )
        ]
    }

    /// How far the nodes' clocks are apart.
    var clocks: [StoreFinding] {
        guard !settings.isStronglyConsistent,
            let skew = settings.nodes.map(\.clockSkewMilliseconds).max(), skew > Self.clockSkewMillisecondsMax
        else { return [] }
        return [
            StoreFinding(
                .warning,
                "cluster_clock_skew_ms",
                "\(skew)",
                meaning: "After a partition the node whose clock is ahead wins, not the one that was changed last, and "
                    + "delays and TTRs jump when a record's master changes.",
                remedy: .init("Set the nodes' clocks by NTP.")
            )
        ]
    }

    /// Whether the cluster is in motion.
    var motion: [StoreFinding] {
        var findings: [StoreFinding] = []
        let keys = Set(settings.nodes.compactMap(\.clusterKey))
        let sizes = Set(settings.nodes.map(\.clusterSize))
        if keys.count > 1 || sizes.count > 1 || settings.nodes.contains(where: { !$0.isClusterWhole }) {
            findings.append(
                StoreFinding(
                    .warning,
                    "cluster",
                    "the nodes do not agree on who belongs to it",
                    meaning: "A node comes, goes, or is cut off from others.",
                    remedy: .init("Ask again in some seconds; if it stays so, look at the network between the nodes.")
                )
            )
        }
        let left = settings.nodes.reduce(0) { $0 &+ max(0, $1.migrationsLeft) }
        if left > 0, settings.nodeCount > 1 {
            findings.append(
                StoreFinding(
                    .warning,
                    "migrations",
                    "\(left) partitions to go",
                    meaning:
                        "Until they are done, some jobs have fewer copies: a node that dies now can take them along.",
                    remedy: .init("Take no node down before `asadm -e 'info'` shows no pending migrations.")
                )
            )
        }
        return findings
    }
}
