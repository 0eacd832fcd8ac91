import Synchronization

/// What a client has sent, over all its connections; counted per write, not per request.
package final class TrafficCounters: Sendable {
    private let requestCount = Atomic<Int>(0)
    private let requestByteCount = Atomic<Int>(0)
    private let connectionCount = Atomic<Int>(0)

    package init() {}

    func sent(requests: Int, bytes: Int) {
        requestCount.add(requests, ordering: .relaxed)
        requestByteCount.add(bytes, ordering: .relaxed)
    }

    func connected() {
        connectionCount.add(1, ordering: .relaxed)
    }

    package var statistics: ClientStatistics {
        ClientStatistics(
            requestCount: requestCount.load(ordering: .relaxed),
            requestBytes: requestByteCount.load(ordering: .relaxed),
            connectionsOpened: connectionCount.load(ordering: .relaxed)
        )
    }
}

/// What a client has done since it was made.
public struct ClientStatistics: Sendable, Hashable {
    /// How many messages for records were sent: one for each try of a call, and one for each node of a batch.
    ///
    /// What the client asks about the cluster itself is not counted.
    public var requestCount: Int

    /// How many bytes those messages had.
    public var requestBytes: Int

    /// How many connections were opened.
    public var connectionsOpened: Int
}
