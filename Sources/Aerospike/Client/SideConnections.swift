import NIOCore
import Synchronization

/// Connections apart from those of calls, for what would hold up whatever comes after it: queries, and questions that
/// take long.
final class SideConnections: Sendable {
    private let idle = Mutex<[Node.ID: NodeConnection]>([:])

    func take(
        _ node: Node,
        _ cluster: Cluster,
        stall: TimeAmount
    ) async throws(AerospikeError) -> NodeConnection {
        if let connection = idle.withLock({ $0.removeValue(forKey: node.id) }), connection.isOpen {
            return connection
        }
        return try await cluster.openConnection(to: node, stall: stall)
    }

    func giveBack(_ connection: NodeConnection, of node: Node) {
        let surplus = idle.withLock { $0.updateValue(connection, forKey: node.id) }
        surplus?.close()
    }

    deinit {
        for connection in idle.withLock({ $0 }).values {
            connection.close()
        }
    }
}

extension Cluster {
    /// Opens a connection to a node, for one caller alone.
    fileprivate func openConnection(to node: Node, stall: TimeAmount) async throws(AerospikeError) -> NodeConnection {
        guard let eventLoop = eventLoops.randomElement() else {
            throw AerospikeError(.client, "The client has no event loops.")
        }
        var connector = connector
        connector.limits.stall = stall
        return try await connector.connect(to: node.host, on: eventLoop)
    }
}
