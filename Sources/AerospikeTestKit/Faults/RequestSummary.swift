public import Aerospike

/// What a fault's rule sees of a request.
public struct RequestSummary: Sendable, Hashable {
    /// What kind of request it is.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Names of values in text.
        case info
        /// A message about users.
        case security
        /// A read of one record.
        case read
        /// A write of one record, with or without reads.
        case write
        /// A delete of one record.
        case delete
        /// A program on the server.
        case program
        /// A batch.
        case batch
        /// A query by the primary index or a secondary one.
        case query
        /// Something that makes no sense to the node.
        case malformed
    }

    /// The kind.
    public var kind: Kind
    /// The node asked, by its place in the cluster.
    public var node: Int
    /// The namespace; empty if none is named, as in a batch.
    public var namespace = ""
    /// The set; empty if none is named.
    public var setName = ""
    /// The record; nil unless there is just one.
    public var digest: Digest?
    /// How many operations a call has, or parts a batch.
    public var operationCount = 0
    /// The names asked for by an info request.
    public var infoNames: [String] = []

    /// Whether it is about records, and not about the node or its users.
    public var isCall: Bool {
        switch kind {
        case .info, .security, .malformed: false
        case .read, .write, .delete, .program, .batch, .query: true
        }
    }
}
