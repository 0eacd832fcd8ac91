package import Aerospike

/// A call, or a batch of them, on its way through the nodes that hold its records.
///
/// What waits for another node is looked at again when the cluster changes, until the request's time is over.
package struct PendingCall: Sendable {
    /// How far a call on one record has come.
    package enum Part: Sendable {
        /// It waits for the node that holds the record, which does not answer. Can transition to `replicating` and `done`.
        case asked(RequestMessage)
        /// It is written, and replicas are missing. Can transition to `done`.
        case replicating(Replication)
        /// It is answered.
        case done(RecordAnswer)
    }

    /// A write that waits for its replicas.
    package struct Replication: Sendable {
        package var answer: RecordAnswer
        package var namespace: String
        package var digest: Digest
        /// The node that wrote it, and under which cluster key.
        package var master: Int
        package var clusterKey: UInt64
        package var missing: [Int]
    }

    /// The node asked.
    package var node: Int
    /// The batch; nil for a call of its own.
    package var batch: BatchMessage?
    package var parts: [Part]
    /// When its time is over.
    package var deadlineNanoseconds: Int64
    /// What goes wrong with it.
    package var effect: Fault.Effect?

    /// The answers, if none is missing.
    package var answers: [RecordAnswer]? {
        var answers: [RecordAnswer] = []
        for part in parts {
            guard case .done(let answer) = part else { return nil }
            answers.append(answer)
        }
        return answers
    }

    /// Answers what is missing with 9, which says nothing about whether it was carried out.
    package mutating func giveUp() {
        for index in parts.indices {
            if case .done = parts[index] { continue }
            parts[index] = .done(RecordAnswer(.timeout))
        }
    }
}
