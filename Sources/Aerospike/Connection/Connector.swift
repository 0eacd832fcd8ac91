package import NIOCore
import NIOPosix

/// Opens connections to nodes.
package struct Connector: Sendable {
    /// How long a connection may take to be made.
    package var connectTimeout = TimeAmount.seconds(1)
    package var limits = Pipeline<ReplyReceiver>.Limits()
    /// The longest reply to accept, in bytes.
    package var replyBytesMax = AerospikeLimits.messageBytesMax
    /// Where what the connections send is counted.
    package var traffic = TrafficCounters()

    package init() {}

    /// A connector as a client is configured.
    package init(_ configuration: AerospikeClientConfiguration) {
        connectTimeout = configuration.connectTimeout.timeAmount
        limits.requestsMax = configuration.requestsInFlightMax
        limits.bytesMax = configuration.bytesInFlightMax
        limits.waitingMax = configuration.callsWaitingMax
        limits.stall = configuration.stallTimeout.timeAmount
    }

    /// Opens a connection; nothing is said on it yet.
    ///
    /// - Parameters:
    ///   - host: the host's name or address.
    ///   - port: its port.
    ///   - eventLoop: where the connection's I/O is to happen.
    /// - Returns: the connection.
    /// - Throws: ``AerospikeError`` with ``ResultCode/connection`` or ``ResultCode/invalidHost``.
    package func connect(
        host: String,
        port: Int,
        on eventLoop: any EventLoop
    ) async throws(AerospikeError) -> NodeConnection {
        let ready = eventLoop.makePromise(of: NodeConnection.self)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 16384, maximum: 1 << 20)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        ConnectionHandler(limits: limits, replyBytesMax: replyBytesMax, traffic: traffic) {
                            ready.succeed($0)
                        }
                    )
                }
            }
        let connecting = bootstrap.connect(host: host, port: port)
        connecting.whenFailure { ready.fail($0) }
        do {
            return try await ready.futureResult.get()
        } catch {
            let code: ResultCode = error is SocketAddressError ? .invalidHost : .connection
            throw AerospikeError(
                code,
                "\(host):\(port) could not be connected to.",
                node: "\(host):\(port)",
                cause: error
            )
        }
    }
}
