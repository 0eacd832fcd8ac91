import NIOCore
import Synchronization

/// How a node's connections are kept open.
extension Node {
    /// What it takes to open connections.
    struct Supply: Sendable {
        var connector: Connector
        /// Where the connections' I/O happens, one for each connection.
        var eventLoops: [any EventLoop]
    }

    /// Keeps connections open until the node is closed or the task is cancelled; then they are closed.
    ///
    /// - Parameters:
    ///   - supply: what it takes to open them.
    ///   - onFirst: called once, when the first connection is open, or none can be opened for now.
    func keepConnections(_ supply: Supply, onFirst: @escaping @Sendable () -> Void) async {
        let first = Once(onFirst)
        await withTaskGroup(of: Void.self) { group in
            for (slot, eventLoop) in supply.eventLoops.enumerated() {
                group.addTask {
                    await self.keepConnection(slot: slot, supply.connector, on: eventLoop, first: first)
                }
            }
            for await _ in closing {}
            group.cancelAll()
        }
        close(AerospikeError(.connection, "The client is being closed."))
        first.run()
    }

    private func keepConnection(slot: Int, _ connector: Connector, on eventLoop: any EventLoop, first: Once) async {
        var backoff = Backoff()
        while !Task.isCancelled {
            do throws(AerospikeError) {
                let connection = try await connector.connect(to: host, on: eventLoop)
                let openedAt = NIODeadline.now()
                guard enter(connection, slot: slot) else { return }
                first.run()
                await withTaskCancellationHandler {
                    try? await connection.closed.get()
                } onCancel: {
                    connection.close()
                }
                backoff.ended(after: .now() - openedAt, hasServed: connection.hasServed(since: openedAt))
            } catch {
                first.run()
                backoff.ended(after: .zero)
            }
            guard backoff.delay > .zero else { continue }
            try? await Task.sleep(for: .nanoseconds(backoff.delay.nanoseconds))
        }
    }

    /// Offers a connection to callers until it is closed; false if the node itself is closed.
    private func enter(_ connection: NodeConnection, slot: Int) -> Bool {
        let closedBy = connections.withLock { connections in
            if connections.closedBy == nil {
                let place = connections.open.firstIndex { $0.slot > slot } ?? connections.open.endIndex
                connections.open.insert((slot, connection), at: place)
            }
            return connections.closedBy
        }
        if let closedBy {
            connection.close(closedBy)
            return false
        }
        connection.closed.whenComplete { _ in
            self.connections.withLock { connections in
                connections.open.removeAll { $0.connection === connection }
            }
        }
        return true
    }

    /// Lets no more calls go by a connection, and closes it when those under way have been answered.
    ///
    /// To be called for each call that was answered so that the connection is of no more use: whoever is the last closes
    /// it. Another takes its place then.
    func retire(_ connection: NodeConnection) {
        let isFirst = connections.withLock { connections in
            let count = connections.open.count
            connections.open.removeAll { $0.connection === connection }
            return connections.open.count < count
        }
        let reason = AerospikeError(.connection, "The session of the connection is over.", node: description)
        if connection.load == 0 {
            connection.close(reason)
        } else if isFirst {
            // Should the last be answered otherwise, or nobody wait for its answer.
            connection.eventLoop.scheduleTask(in: Node.retirementMax) { connection.close(reason) }
        }
    }

    /// How long a connection of no more use is kept for the calls that are under way by it.
    private static let retirementMax = TimeAmount.seconds(1)

    /// Asks the node about the cluster, by a connection of its own.
    ///
    /// - Parameters:
    ///   - names: the names whose values are wanted.
    ///   - timeout: how long the answer may take, apart from the connection.
    ///   - connector: opens the connection, if there is none.
    ///   - eventLoop: where the connection's I/O is to happen.
    /// - Returns: the values by their names.
    /// - Throws: ``AerospikeError``; the connection is closed then.
    func ask(
        _ names: [String],
        timeout: TimeAmount,
        _ connector: Connector,
        on eventLoop: any EventLoop
    ) async throws(AerospikeError) -> [String: String] {
        var connection = tendConnection.withLock { $0 }
        if connection?.isOpen != true {
            let opened = try await connector.connect(to: host, on: eventLoop)
            connection = opened
            tendConnection.withLock { $0 = opened }
            if let closedBy = connections.withLock(\.closedBy) {
                opened.close(closedBy)
            }
        }
        guard let connection else { throw AerospikeError(.connection) }
        do throws(AerospikeError) {
            return try await connection.info(names, deadline: .now() + timeout)
        } catch {
            connection.close()
            throw error.adding(node: description)
        }
    }
}

extension Connector {
    /// Whether nodes are spoken to by TLS, and so by the addresses that they keep for it.
    var speaksTLS: Bool { usesTLS }

    /// Opens a connection to a host: the one place where the cluster's connections come from.
    func connect(
        to host: AerospikeClientConfiguration.Host,
        on eventLoop: any EventLoop
    ) async throws(AerospikeError) -> NodeConnection {
        try await connect(host: host.name, port: host.port, tlsName: host.tlsName, on: eventLoop)
    }
}
