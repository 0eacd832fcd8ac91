import BeanspikeCore

@testable import AerospikeStore

/// What nodes say, made up from what a server of 8.1 says with the settings that are right.
struct SettingsFixture {
    var nodeCount = 3
    var namespace = "beanspike"
    /// What all nodes say otherwise.
    var changes: [String: String] = [:]
    /// What single nodes say otherwise.
    var changesByNode: [Int: [String: String]] = [:]
    var statistics: [String: String] = [:]
    var clusterSizeMin = 2
    var build = "8.1.0.3"
    var silentNodes: [String] = []

    var settings: NamespaceSettings {
        NamespaceSettings(
            namespace: namespace,
            nodes: (0..<nodeCount).map { index in
                NodeSettings(
                    node: "A\(index + 1)",
                    address: .init(host: "10.0.0.\(index + 1)", port: 3000),
                    namespace: namespace,
                    answers: answers(ofNode: index)
                )
            },
            silentNodes: silentNodes
        )
    }

    var report: SettingsReport { SettingsReport(settings) }

    private func answers(ofNode index: Int) -> [String: String] {
        var values = [
            "allow-ttl-without-nsup": "false", "clock_skew_stop_writes": "false",
            "conflict-resolution-policy": "last-update-time", "data_used_pct": "12", "dead_partitions": "0",
            "default-ttl": "0", "disable-write-dup-res": "false",
            "effective_replication_factor": "\(min(2, nodeCount))", "max-record-size": "1048576", "nsup-period": "120",
            "reject-non-xdr-writes": "false", "replication-factor": "2", "stop_writes": "false",
            "storage-engine": "device", "storage-engine.commit-to-device": "false",
            "storage-engine.file[0]": "/opt/aerospike/data/beanspike.dat", "storage-engine.flush-max-ms": "1000",
            "storage-engine.stop-writes-used-pct": "70", "strong-consistency": "false",
            "transaction-pending-limit": "20", "unavailable_partitions": "0", "write-commit-level-override": "off",
        ]
        for (name, value) in changes.merging(changesByNode[index] ?? [:], uniquingKeysWith: { $1 }) {
            values[name] = value.isEmpty ? nil : value
        }
        let counts = ["cluster_size": "\(nodeCount)", "cluster_key": "AB", "cluster_integrity": "true"]
        func text(_ pairs: [String: String]) -> String {
            pairs.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ";")
        }
        return [
            "build": build, "namespace/\(namespace)": values.isEmpty ? "type=unknown" : text(values),
            "get-config:context=service": "min-cluster-size=\(clusterSizeMin);proto-fd-max=15000",
            "statistics": text(counts.merging(statistics) { $1 }),
        ]
    }
}

extension SettingsReport {
    /// The finding on a subject.
    subscript(subject: String) -> StoreFinding? { findings.first { $0.subject == subject } }

    /// What is not fine, by subject.
    var troubles: [String: StoreFinding.Level] {
        Dictionary(findings.filter { $0.level > .fine }.map { ($0.subject, $0.level) }) { max($0, $1) }
    }
}
