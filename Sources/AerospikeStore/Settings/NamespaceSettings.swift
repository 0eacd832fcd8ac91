public import Aerospike

/// What all nodes of a cluster say of a namespace.
public struct NamespaceSettings: Sendable, Hashable {
    /// The namespace.
    public let namespace: String
    /// The nodes that answered, by their names.
    public let nodes: [NodeSettings]
    /// The names of those that did not.
    public let silentNodes: [String]

    init(namespace: String, nodes: [NodeSettings], silentNodes: [String] = []) {
        self.namespace = namespace
        self.nodes = nodes.sorted { $0.node < $1.node }
        self.silentNodes = silentNodes.sorted()
    }

    /// Asks every node of a cluster.
    ///
    /// A node that does not answer is left out, unless none does.
    ///
    /// - Parameters:
    ///   - client: a client that has found the cluster.
    ///   - namespace: the namespace.
    ///   - timeout: how long a node may take to answer; all are asked at the same time.
    /// - Returns: what they say.
    /// - Throws: `AerospikeError` if no node answers.
    public static func read(
        client: AerospikeClient,
        namespace: String,
        timeout: Duration = .seconds(5)
    ) async throws(AerospikeError) -> NamespaceSettings {
        let hosts = client.nodeHosts
        var nodes: [NodeSettings] = []
        var failures: [String: AerospikeError] = [:]
        await withTaskGroup { group in
            for (name, host) in hosts {
                group.addTask { () -> (String, Result<NodeSettings, AerospikeError>) in
                    do throws(AerospikeError) {
                        let answers = try await client.info(
                            NodeSettings.questions(namespace),
                            node: name,
                            timeout: timeout
                        )
                        let address = NodeSettings.Address(host: host.name, port: host.port)
                        let settings = NodeSettings(
                            node: name,
                            address: address,
                            namespace: namespace,
                            answers: answers[name] ?? [:]
                        )
                        return (name, .success(settings))
                    } catch {
                        return (name, .failure(error))
                    }
                }
            }
            for await (name, result) in group {
                switch result {
                case .success(let settings): nodes.append(settings)
                case .failure(let error): failures[name] = error
                }
            }
        }
        guard !nodes.isEmpty else {
            throw failures.values.first ?? AerospikeError(.invalidNode, "No node of the cluster is known.")
        }
        return NamespaceSettings(namespace: namespace, nodes: nodes, silentNodes: Array(failures.keys))
    }

    // MARK: All nodes together

    /// The nodes that have the namespace.
    var members: [NodeSettings] { nodes.filter(\.hasNamespace) }
    /// How many nodes there are, as they say or as they are seen.
    var nodeCount: Int { max(nodes.count, nodes.map(\.clusterSize).max() ?? 0) }
    /// Copies of each record: the fewest that a node knows of.
    var copies: Int { members.map(\.copies).min() ?? 0 }
    var replicationFactor: Int { members.map(\.replicationFactor).min() ?? 0 }
    /// The fewest nodes that go on serving, as the least strict node sees it.
    var clusterSizeMin: Int { nodes.map(\.clusterSizeMin).min() ?? 1 }
    var isStronglyConsistent: Bool { !members.isEmpty && members.allSatisfy(\.isStronglyConsistent) }
    /// Whether all copies are in memory alone on some node.
    var isInMemory: Bool { members.contains { $0.storage == .memory } }
    /// Whether every copy has a write before it is acknowledged, whatever the client asks for.
    var commitsToAllCopies: Bool { !members.contains { $0["write-commit-level-override"] == "master" } }
    /// How much a node forgets that is killed; nil if nothing.
    var forgettableMilliseconds: Int? { members.compactMap(\.forgettableMilliseconds).max() }
    /// The versions of the nodes, oldest first.
    var builds: [String] {
        Set(nodes.map(\.build)).sorted { left, right in
            guard let first = ServerVersion(left), let second = ServerVersion(right) else { return left < right }
            return first < second
        }
    }

    /// The nodes by what they say of a setting; those of a version that does not know it are left out.
    func nodes(by name: String) -> [String: [NodeSettings]] {
        Dictionary(grouping: members.filter { $0[name] != nil }) { $0[name] ?? "" }
    }

    /// Those whose setting is none of the values given.
    func nodes(where name: String, isNot good: String...) -> [NodeSettings] {
        members.filter { node in node[name].map { !good.contains($0) } ?? false }
    }

    /// What the nodes say of a setting: one value, or each with the nodes that have it.
    func state(of name: String, unit: String = "") -> String {
        let values = nodes(by: name)
        guard values.count > 1 else { return values.keys.first.map { $0 + unit } ?? "unknown" }
        return values.sorted { $0.key < $1.key }
            .map { "\($0.key)\(unit) on \($0.value.map(\.node).joined(separator: ", "))" }
            .joined(separator: "; ")
    }
}
