/// What a node says about itself and its cluster, read out of the answer to an info request.
///
/// It has what was asked for; the rest is nil.
package struct NodeReport: Sendable, Hashable {
    package var name: String
    /// A number that changes when the node's peers do.
    package var peersGeneration: Int?
    /// A number that changes when the node's partitions do; −1 while the node is not ready.
    package var partitionGeneration: Int?
    package var peers: [PeerList.Peer]?
    package var ownership: [PartitionOwnership]?

    /// The generation of a node that has no partitions yet (aerospike-server 8.1, fabric/partition_balance.c).
    package static let notReady = -1
}

extension NodeReport {
    /// A question to a node.
    package struct Question: OptionSet, Sendable, Hashable {
        package let rawValue: Int

        package init(rawValue: Int) {
            self.rawValue = rawValue
        }

        /// Whether it may be spoken to at all: its version, and the cluster that it belongs to.
        package static let identity = Question(rawValue: 1)
        package static let peers = Question(rawValue: 2)
        package static let partitions = Question(rawValue: 4)
        /// All that has to be known of a node that is met for the first time.
        package static let introduction: Question = [.identity, .peers, .partitions]
        /// Whether anything changed; asked with every question.
        package static let generations: Question = []
    }

    /// How nodes are to be asked.
    package struct Dialect: Sendable, Hashable {
        /// The name that the cluster must have; nil if any will do.
        package var clusterName: String?
        /// The name under which the list of peers is kept.
        package var peersName: String

        package init(clusterName: String? = nil, usesTLS: Bool = false, usesAlternateAddresses: Bool = false) {
            self.clusterName = clusterName
            peersName = "peers-\(usesTLS ? "tls" : "clear")-\(usesAlternateAddresses ? "alt" : "std")"
        }

        /// The names to ask for.
        ///
        /// A node answers them in order. As the generations come first, what follows them is at least as new.
        package func names(_ question: Question) -> [String] {
            var names = ["node", "peers-generation", "partition-generation"]
            if question.contains(.identity) {
                names.append("build")
                if clusterName != nil {
                    names.append("cluster-name")
                }
            }
            if question.contains(.peers) {
                names.append(peersName)
            }
            if question.contains(.partitions) {
                names.append("replicas")
            }
            return names
        }
    }

    /// Reads an answer.
    ///
    /// - Parameters:
    ///   - values: the names and values of the answer.
    ///   - question: what was asked.
    ///   - dialect: how it was asked.
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply``, ``ResultCode/unsupportedFeature`` for a node
    ///   that is too old, ``ResultCode/client`` for one of another cluster, or what the node says.
    package init(
        _ values: [String: String],
        answering question: Question,
        in dialect: Dialect
    ) throws(AerospikeError) {
        let answers = Answers(values)
        name = try answers["node"]
        guard !name.isEmpty else { throw .malformed("a node without a name") }
        peersGeneration = try answers.number("peers-generation")
        partitionGeneration = try answers.number("partition-generation")
        if question.contains(.identity) {
            try answers.checkIdentity(clusterName: dialect.clusterName)
        }
        if question.contains(.peers) {
            let list = try PeerList(parsing: answers[dialect.peersName])
            let name = name
            peersGeneration = list.generation
            peers = Array(list.peers.filter { $0.name != name }.prefix(AerospikeLimits.nodesMax))
        }
        if question.contains(.partitions), partitionGeneration != NodeReport.notReady {
            ownership = Array(try PartitionOwnership.parse(answers["replicas"]).prefix(AerospikeLimits.namespacesMax))
        }
    }

    private struct Answers {
        let values: [String: String]

        init(_ values: [String: String]) {
            self.values = values
        }

        subscript(name: String) -> String {
            get throws(AerospikeError) {
                guard let value = values[name] else { throw .malformed("no '\(name)' in it, which was asked for") }
                if let error = InfoMessage.error(in: value) {
                    throw error
                }
                return value
            }
        }

        func number(_ name: String) throws(AerospikeError) -> Int {
            let text = try self[name]
            guard let number = Int(text) else { throw .malformed("'\(text)' for '\(name)' where a number belongs") }
            return number
        }

        func checkIdentity(clusterName: String?) throws(AerospikeError) {
            let build = try self["build"]
            guard let version = ServerVersion(build) else { throw .malformed("'\(build)' where a version belongs") }
            guard version >= .oldest else {
                throw AerospikeError(
                    .unsupportedFeature,
                    "The node is of version \(version); this client needs \(ServerVersion.oldest) or newer."
                )
            }
            guard let clusterName else { return }
            let actual = try self["cluster-name"]
            guard actual == clusterName else {
                throw AerospikeError(
                    .client,
                    "The node belongs to the cluster '\(actual)', not to '\(clusterName)' as the configuration says."
                )
            }
        }
    }
}
