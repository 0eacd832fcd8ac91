import Aerospike
import BeanspikeCore

/// Judges settings by what they mean for jobs.
///
/// Three files: the cluster as a whole here, what can lose jobs in `+Loss`, what can hold them up in `+Service`.
struct SettingsRules {
    let settings: NamespaceSettings
    let remedies: SettingsRemedies

    init(_ settings: NamespaceSettings) {
        self.settings = settings
        remedies = SettingsRemedies(settings)
    }

    /// A record of jobs, with room to spare: the longest one that the store writes must fit.
    static let recordBytesMin = 128 * 1024
    /// Records in flight at once on one node's hottest record: fewer make callers try again.
    static let pendingMin = 16
    /// Clocks that differ by more make "the last update" a matter of luck.
    static let clockSkewMillisecondsMax = 1_000
    /// How near to the point where writes stop, in per cent of the room, is too near.
    static let roomPercentMin = 10

    var findings: [StoreFinding] {
        let namespace = self.namespace
        guard !settings.members.isEmpty else { return versions + namespace }
        return versions + namespace + conflictResolution + duplicateResolution + replication + commitLevel + partitions
            + storage + timeToLive + recordSize + writing + pending + clocks + disagreements + motion
    }

    // MARK: Which nodes

    private var versions: [StoreFinding] {
        let count = settings.nodeCount
        let state = "\(count) node\(count == 1 ? "" : "s") of \(settings.builds.joined(separator: ", "))"
        let old = settings.nodes.filter { $0.version.map { $0 < ServerVersion.oldest } ?? true }
        guard old.isEmpty else {
            return [
                StoreFinding(
                    .refused,
                    "nodes",
                    state,
                    meaning: "Servers before 6.0 lack operations that every job is moved with.",
                    remedy: .init("Upgrade \(names(old)), one node after the other."),
                    canBeAccepted: false
                )
            ]
        }
        var findings = [StoreFinding(.fine, "nodes", state, meaning: "All are of a version that serves jobs.")]
        if settings.builds.count > 1 {
            findings[0].level = .warning
            findings[0].meaning = "Different versions are for the time of an upgrade only."
            findings[0].remedy = .init("Finish the upgrade, one node after the other.")
        }
        if !settings.silentNodes.isEmpty {
            findings.append(
                StoreFinding(
                    .warning,
                    "silent nodes",
                    settings.silentNodes.joined(separator: ", "),
                    meaning: "What they are set to is not known, and calls that go to them have to wait.",
                    remedy: .init("Look at their logs, or wait until the cluster has given them up and ask again.")
                )
            )
        }
        return findings
    }

    private var namespace: [StoreFinding] {
        let without = settings.nodes.filter { !$0.hasNamespace }
        guard !without.isEmpty else { return [] }
        let isNowhere = settings.members.isEmpty
        return [
            StoreFinding(
                isNowhere ? .refused : .warning,
                "namespace",
                "\(settings.namespace) is not on \(isNowhere ? "any node" : names(without))",
                meaning: isNowhere
                    ? "There is nowhere to keep jobs."
                    : "Jobs are on the other nodes only, with fewer copies than told.",
                remedy: remedies.restart(
                    "replication-factor 2",
                    "conflict-resolution-policy last-update-time",
                    "nsup-period 120",
                    "storage-engine memory {",
                    "    data-size 4G",
                    "}",
                    advice: "Name a namespace that is there, or add it to aerospike.conf on every node and restart them"
                        + " one after the other; deploy/aerospike.conf has one with files."
                ),
                canBeAccepted: false
            )
        ]
    }

    // MARK: Whether they agree

    /// What has to be the same on every node.
    private static let common = [
        "allow-ttl-without-nsup", "conflict-resolution-policy", "default-ttl", "disable-write-dup-res",
        "max-record-size",
        "nsup-period", "replication-factor", "storage-engine", "strong-consistency", "transaction-pending-limit",
        "write-commit-level-override",
    ]

    private var disagreements: [StoreFinding] {
        var findings = Self.common.filter { settings.nodes(by: $0).count > 1 }.map { name in
            StoreFinding(
                .warning,
                "\(name) (differs)",
                settings.state(of: name),
                meaning: "What holds for a job depends on which node has it; the worst of it is what is promised.",
                remedy: .init("Set it alike on every node, in aerospike.conf too.")
            )
        }
        let minimums = Dictionary(grouping: settings.nodes, by: \.clusterSizeMin)
        if minimums.count > 1 {
            let state = minimums.sorted { $0.key < $1.key }.map { "\($0.key) on \(names($0.value))" }
            findings.append(
                StoreFinding(
                    .warning,
                    "min-cluster-size (differs)",
                    state.joined(separator: "; "),
                    meaning: "In a partition some nodes go on where others stop.",
                    remedy: .init("Set it alike on every node, in aerospike.conf too.")
                )
            )
        }
        return findings
    }

    /// The nodes' names, for people.
    func names(_ nodes: [NodeSettings]) -> String {
        nodes.map(\.node).joined(separator: ", ")
    }
}
