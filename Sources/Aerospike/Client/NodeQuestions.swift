import NIOCore
import Synchronization

/// Questions to nodes on connections of their own: one that takes long must not hold up the calls of others.
final class NodeQuestions: Sendable {
    private let cluster: Cluster
    private let timeout: TimeAmount
    private let connections = SideConnections()
    private let versions = Mutex<[Node.ID: ServerVersion]>([:])

    init(cluster: Cluster, timeout: TimeAmount) {
        self.cluster = cluster
        self.timeout = timeout
    }

    /// The nodes of the moment, each with its version.
    func nodes() async throws(AerospikeError) -> [Administration<ContinuousClock>.Node] {
        var nodes: [Administration<ContinuousClock>.Node] = []
        for node in cluster.map.nodes {
            nodes.append(
                .init(name: node.name, version: try await version(of: node)) { names throws(AerospikeError) in
                    try await self.ask(names, node)
                }
            )
        }
        return nodes
    }

    func ask(_ names: [String], _ node: Node) async throws(AerospikeError) -> [String: String] {
        do throws(AerospikeError) {
            return try await askOnce(names, node)
        } catch {
            guard error.code.tellsOfEndedSession else { throw error }
            // The connection was from before; the next logs in.
            return try await askOnce(names, node)
        }
    }

    private func askOnce(_ names: [String], _ node: Node) async throws(AerospikeError) -> [String: String] {
        let connection = try await connections.take(node, cluster, stall: timeout)
        do throws(AerospikeError) {
            let values = try await connection.info(names, deadline: .now() + timeout)
            connections.giveBack(connection, of: node)
            return values
        } catch {
            connection.close()
            throw error.adding(node: node.description)
        }
    }

    /// Has a node begin a query in the background, and tells what it answered.
    func start(_ query: BackgroundQuery, _ node: Node) async throws(CallFailure) -> ReplyMessage {
        let connection: NodeConnection
        do throws(AerospikeError) {
            connection = try await connections.take(node, cluster, stall: timeout)
        } catch {
            throw CallFailure(error, wasSent: false)
        }
        do throws(CallFailure) {
            let milliseconds = UInt32(clamping: timeout.nanoseconds / 1_000_000)
            // One message either way: the last of an empty reply, or an error, which is not marked as the last.
            let last = try await connection.message(deadline: .now() + timeout) { buffer throws(AerospikeError) in
                try query.write(into: &buffer, timeoutMilliseconds: milliseconds)
            }
            if last.resultCode.tellsOfEndedSession {
                connection.close()
            } else {
                connections.giveBack(connection, of: node)
            }
            return last
        } catch {
            connection.close()
            throw error
        }
    }

    private func version(of node: Node) async throws(AerospikeError) -> ServerVersion {
        if let version = versions.withLock({ $0[node.id] }) {
            return version
        }
        let build = try await ask(["build"], node)["build"] ?? ""
        guard let version = ServerVersion(build) else { throw .malformed("'\(build)' where a version belongs") }
        versions.withLock { $0[node.id] = version }
        return version
    }
}
