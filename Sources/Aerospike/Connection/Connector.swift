package import NIOCore
import NIOPosix
import NIOSSL

/// Opens connections to nodes.
///
/// Copies share what they know of sessions.
package struct Connector: Sendable {
    /// How long a connection may take to be made: the socket, the handshake of TLS and the login together.
    package var connectTimeout = TimeAmount.seconds(1)
    package var limits = Pipeline<ReplyReceiver>.Limits()
    /// The longest reply to accept, in bytes.
    package var replyBytesMax = AerospikeLimits.messageBytesMax
    /// Where what the connections send is counted.
    package var traffic = TrafficCounters()
    /// TLS and credentials, if there are any.
    package let security: ConnectionSecurity

    package init(security: ConnectionSecurity = ConnectionSecurity()) {
        self.security = security
    }

    /// A connector as a client's configuration says.
    package init(_ configuration: AerospikeClientConfiguration) {
        self.init(security: ConnectionSecurity(tls: configuration.tls, credentials: configuration.credentials))
        connectTimeout = configuration.connectTimeout.timeAmount
        limits.requestsMax = configuration.requestsInFlightMax
        limits.bytesMax = configuration.bytesInFlightMax
        limits.waitingMax = configuration.callsWaitingMax
        limits.stall = configuration.stallTimeout.timeAmount
    }

    /// Whether nodes are spoken to by TLS, and so by their TLS addresses.
    package var usesTLS: Bool { security.tls != nil }

    /// Opens a connection, on which calls can be made: its handshake and login are over.
    ///
    /// The first call of all with TLS or a password takes some tens of milliseconds more than ``connectTimeout`` allows,
    /// to get them ready.
    ///
    /// - Parameters:
    ///   - host: the host's name or address.
    ///   - port: its port.
    ///   - tlsName: the name that the node's certificate has to be for; nil if it is that of the host.
    ///   - eventLoop: where the connection's I/O is to happen.
    /// - Returns: the connection, which the caller closes.
    /// - Throws: ``AerospikeError`` with ``ResultCode/connection``, ``ResultCode/invalidHost``, ``ResultCode/tls``,
    ///   ``ResultCode/cancelled``, ``ResultCode/client`` for credentials that must not be sent, or what the node says to
    ///   them.
    package func connect(
        host: String,
        port: Int,
        tlsName: String? = nil,
        on eventLoop: any EventLoop
    ) async throws(AerospikeError) -> NodeConnection {
        let place = ConnectionSecurity.Place(host: host, port: port, tlsName: tlsName)
        do throws(AerospikeError) {
            let prepared = try await security.prepared()
            let deadline = NIODeadline.now() + connectTimeout
            if let connection = try await attempt(place, prepared, on: eventLoop, deadline: deadline) {
                return connection
            }
            // The node knows our token no more. It may have closed the connection for it, so the login has its own.
            if let connection = try await attempt(place, prepared, on: eventLoop, deadline: deadline) {
                return connection
            }
            throw AerospikeError(.expiredSession)
        } catch {
            throw error.adding(node: "\(host):\(port)")
        }
    }

    /// Connects, and joins or begins a session; nil if the node refused the session's token.
    private func attempt(
        _ place: ConnectionSecurity.Place,
        _ prepared: ConnectionSecurity.Prepared,
        on eventLoop: any EventLoop,
        deadline: NIODeadline
    ) async throws(AerospikeError) -> NodeConnection? {
        let connection = try await open(place, tls: prepared.tls, on: eventLoop, deadline: deadline)
        guard let request = security.request(at: place, prepared: prepared, now: .now()) else { return connection }
        do throws(AerospikeError) {
            let reply = try await connection.exchange(request, deadline: deadline)
            if try security.accepts(reply, to: request, at: place, now: .now()) {
                return connection
            }
            connection.close()
            return nil
        } catch {
            connection.close()
            guard error.code == .timeout else { throw error }
            throw AerospikeError(.connection, "\(place.host):\(place.port) did not answer the login in time.")
        }
    }

    /// Opens a connection on which nothing has been said, but for the handshake of TLS.
    private func open(
        _ place: ConnectionSecurity.Place,
        tls: NIOSSLContext?,
        on eventLoop: any EventLoop,
        deadline: NIODeadline
    ) async throws(AerospikeError) -> NodeConnection {
        let ready = eventLoop.makePromise(of: NodeConnection.self)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(max(deadline - .now(), .nanoseconds(1)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 16384, maximum: 1 << 20)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: place.certificateName)
                        )
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        ConnectionHandler(
                            limits: limits,
                            replyBytesMax: replyBytesMax,
                            usesTLS: tls != nil,
                            traffic: traffic
                        ) {
                            ready.completeWith($0.mapError { $0 })
                        }
                    )
                }
            }
        let tooLate = eventLoop.scheduleTask(deadline: deadline) {
            ready.fail(AerospikeError(.connection, "\(place.host):\(place.port) could not be connected to in time."))
        }
        let connecting = bootstrap.connect(host: place.host, port: place.port)
        connecting.whenFailure { ready.fail($0) }
        connecting.whenSuccess { channel in
            // Whoever has given up has no connection to close.
            ready.futureResult.whenFailure { _ in channel.close(promise: nil) }
        }
        ready.futureResult.whenComplete { _ in tooLate.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await ready.futureResult.get()
            } onCancel: {
                ready.fail(AerospikeError(.cancelled))
            }
        } catch let error as AerospikeError {
            throw error
        } catch {
            throw AerospikeError(
                Self.code(of: error),
                "\(place.host):\(place.port) could not be connected to.",
                cause: error
            )
        }
    }

    private static func code(of error: any Error) -> ResultCode {
        switch error {
        case is SocketAddressError: .invalidHost
        case is NIOSSLError, is NIOSSLExtraError: .tls
        case let error as NIOConnectionError where error.connectionErrors.isEmpty: .invalidHost
        default: .connection
        }
    }
}

extension ConnectionSecurity.Place {
    /// The name that the certificate has to be for; nil if it has to be for the address.
    fileprivate var certificateName: String? {
        if let tlsName, !tlsName.isEmpty {
            return tlsName
        }
        return (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil
    }
}

extension NodeConnection {
    /// Sends a message about users and waits for its answer.
    fileprivate func exchange(
        _ request: SecurityMessage,
        deadline: NIODeadline
    ) async throws(AerospikeError) -> SecurityMessage {
        let frame: ReplyDecoder.Frame
        do {
            frame = try await self.request(expecting: .security, deadline: deadline) { buffer throws(AerospikeError) in
                try request.write(into: &buffer)
            }
        } catch {
            throw error.error
        }
        guard case .security(let body) = frame else { throw .malformed("another reply than about users") }
        return try SecurityMessage(parsing: body)
    }
}
