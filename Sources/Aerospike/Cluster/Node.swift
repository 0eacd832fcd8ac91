package import NIOCore
import Synchronization

/// A node of the cluster, and the connections to it.
package final class Node: Sendable {
    package typealias ID = ClusterStateMachine.NodeID

    /// The connections that requests go by.
    struct Connections {
        /// Those that are open, by their slot.
        var open: [(slot: Int, connection: NodeConnection)] = []
        var closedBy: AerospikeError?
    }

    /// A number that no other node of the client has, not even the same one after it was away.
    package let id: ID
    /// The node's name, in hexadecimal as the server gives it.
    package let name: String
    package let host: AerospikeClientConfiguration.Host

    let connections = Mutex(Connections())
    /// The connection by which the node is asked about the cluster.
    let tendConnection = Mutex<NodeConnection?>(nil)
    /// How many calls met with silence since the window began.
    private let failureCount = Atomic<Int>(0)
    /// Ends when the node is closed.
    let closing: AsyncStream<Void>
    private let closingContinuation: AsyncStream<Void>.Continuation

    /// The most calls in a window that meet with silence; after more the node is left alone until the window ends.
    package static let failuresMax = 16
    /// How long a call must have waited for its time-out to say anything about the node.
    static let silenceMin = TimeAmount.milliseconds(250)
    /// How much busier a connection may be before the next is used.
    ///
    /// Few connections are preferred, so that calls that meet leave together, in one packet.
    private static let crowd = 2

    package init(id: ID, name: String, host: AerospikeClientConfiguration.Host) {
        self.id = id
        self.name = name
        self.host = host
        (closing, closingContinuation) = AsyncStream.makeStream(of: Void.self)
    }

    // MARK: Connections

    /// A connection for a request.
    ///
    /// - Parameter eventLoop: where the caller runs, if it is on an event loop: a connection there needs no other thread.
    /// - Returns: the least loaded, of those on the event loop if there are any; nil if none is open.
    package func connection(preferring eventLoop: (any EventLoop)? = nil) -> NodeConnection? {
        let best = connections.withLock { Node.choose(from: $0.open, preferring: eventLoop) }
        // It may have broken just now. The others are few, and then they all are looked at.
        if let best, !best.isOpen {
            return connections.withLock { connections in
                Node.choose(from: connections.open.filter { $0.connection.isOpen }, preferring: eventLoop)
            }
        }
        return best
    }

    /// Whether a connection is one of those for requests.
    package func has(_ connection: NodeConnection) -> Bool {
        connections.withLock { $0.open.contains { $0.connection === connection } }
    }

    private static func choose(
        from open: [(slot: Int, connection: NodeConnection)],
        preferring eventLoop: (any EventLoop)?
    ) -> NodeConnection? {
        var best: NodeConnection?
        var leastBurden = Int.max
        var isNear = false
        for (index, (_, connection)) in open.enumerated() {
            let burden = connection.load + index * crowd
            if let eventLoop, connection.eventLoop === eventLoop {
                if !isNear || burden < leastBurden {
                    (best, leastBurden, isNear) = (connection, burden, true)
                }
            } else if !isNear, burden < leastBurden {
                (best, leastBurden) = (connection, burden)
            }
        }
        return best
    }

    /// Whether there is a connection for requests.
    package var isConnected: Bool { connections.withLock { !$0.open.isEmpty } }

    /// How many connections for requests are open.
    package var connectionCount: Int { connections.withLock(\.open.count) }

    /// Closes all connections, now and when more are opened; those who wait for replies are told why.
    package func close(_ reason: AerospikeError) {
        let open = connections.withLock { connections in
            connections.closedBy = connections.closedBy ?? reason
            return connections.open
        }
        for (_, connection) in open {
            connection.close(reason.adding(node: description))
        }
        let tending = tendConnection.withLock { connection in
            defer { connection = nil }
            return connection
        }
        tending?.close(reason)
        // Last, for it ends the tasks that hold the connections, which would close them for no reason.
        closingContinuation.finish()
    }

    // MARK: Failures

    /// Counts a call whose time was up while nothing came from the node.
    package func noteFailure() {
        failureCount.add(1, ordering: .relaxed)
    }

    /// Whether the node failed so often that it had better be left alone until the window ends.
    package var isLeftAlone: Bool { failureCount.load(ordering: .relaxed) > Node.failuresMax }

    /// Begins a window anew.
    package func beginFailureWindow() {
        if failureCount.load(ordering: .relaxed) != 0 {
            failureCount.store(0, ordering: .relaxed)
        }
    }
}

extension Node: CustomStringConvertible {
    /// The name, host and port, as errors tell them.
    package var description: String { "\(name) \(host.name):\(host.port)" }
}
