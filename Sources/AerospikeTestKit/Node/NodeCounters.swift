public import Aerospike

/// What a node has served, or several together.
public struct NodeCounters: Sendable, Hashable {
    /// The requests that arrived, by kind.
    public internal(set) var requests: [RequestSummary.Kind: Int] = [:]
    /// The names that info requests asked for, without what follows a colon, slash or semicolon.
    public internal(set) var infoNames: [String: Int] = [:]
    /// The codes that calls on records were answered with, each part of a batch for itself.
    public internal(set) var resultCodes: [ResultCode: Int] = [:]
    /// The faults that happened, by what went wrong.
    public internal(set) var faults: [String: Int] = [:]
    /// The bytes read from clients.
    public internal(set) var bytesReceived = 0
    /// The bytes written to clients.
    public internal(set) var bytesSent = 0
    /// The connections that clients made.
    public internal(set) var connectionsOpened = 0
    /// Those among them that were closed at once, for there were as many as may be.
    public internal(set) var connectionsRefused = 0
    /// The connections that a node closed because what arrived is not the protocol.
    public internal(set) var protocolViolations = 0
    /// The calls on single records that were carried out, each part of a batch for itself.
    public internal(set) var calls = 0
    /// The operations in them.
    public internal(set) var operations = 0
    /// The calls that went on to another node, which holds the partition.
    public internal(set) var proxied = 0
    /// The records that were written to replicas.
    public internal(set) var replicaWrites = 0
    /// What a node was asked that it does not do and a real server may, the first thousand such.
    ///
    /// A test that meets such a thing tests nothing: assert that this is empty.
    public internal(set) var unknownRequests: [String] = []

    /// How many descriptions of what is unknown are kept.
    static let unknownRequestsMax = 1000

    /// Nothing yet.
    public init() {}

    /// How many requests arrived in all.
    public var requestCount: Int { requests.values.reduce(0, +) }

    mutating func noteUnknown(_ description: String) {
        if unknownRequests.count < NodeCounters.unknownRequestsMax {
            unknownRequests.append(description)
        }
    }

    /// The sums of two.
    ///
    /// - Parameters:
    ///   - left: what one node served.
    ///   - right: what another did.
    /// - Returns: what both did.
    public static func + (left: NodeCounters, right: NodeCounters) -> NodeCounters {
        var sum = left
        sum.requests.merge(right.requests, uniquingKeysWith: +)
        sum.infoNames.merge(right.infoNames, uniquingKeysWith: +)
        sum.resultCodes.merge(right.resultCodes, uniquingKeysWith: +)
        sum.faults.merge(right.faults, uniquingKeysWith: +)
        sum.bytesReceived += right.bytesReceived
        sum.bytesSent += right.bytesSent
        sum.connectionsOpened += right.connectionsOpened
        sum.connectionsRefused += right.connectionsRefused
        sum.protocolViolations += right.protocolViolations
        sum.calls += right.calls
        sum.operations += right.operations
        sum.proxied += right.proxied
        sum.replicaWrites += right.replicaWrites
        for description in right.unknownRequests {
            sum.noteUnknown(description)
        }
        return sum
    }
}
