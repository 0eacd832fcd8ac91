import NIOCore
import NIOSSL
import NIOTLS

/// Carries bytes between a channel and its ``NodeConnection``: it decides nothing.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var decoder: ReplyDecoder
    private var frames: [ReplyDecoder.Frame] = []
    private var connection: NodeConnection?
    private var cause: AerospikeError?
    private let limits: Pipeline<ReplyReceiver>.Limits
    private let usesTLS: Bool
    private let traffic: TrafficCounters
    /// Told once, when the channel can be used, or when it turns out that it never will.
    private var onReady: ((Result<NodeConnection, AerospikeError>) -> Void)?

    init(
        limits: Pipeline<ReplyReceiver>.Limits,
        replyBytesMax: Int,
        usesTLS: Bool,
        traffic: TrafficCounters,
        onReady: @escaping (Result<NodeConnection, AerospikeError>) -> Void
    ) {
        self.limits = limits
        self.usesTLS = usesTLS
        self.traffic = traffic
        self.onReady = onReady
        decoder = ReplyDecoder(bodyBytesMax: replyBytesMax)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive, !usesTLS {
            activate(context.channel)
        }
    }

    func channelActive(context: ChannelHandlerContext) {
        if !usesTLS {
            activate(context.channel)
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent {
            activate(context.channel)
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func activate(_ channel: any Channel) {
        guard connection == nil else { return }
        // What TLS is to encrypt has to go through the channel.
        let socket = usesTLS ? nil : DirectSocket(of: channel)
        let connection = NodeConnection(channel: channel, socket: socket, limits: limits, traffic: traffic)
        self.connection = connection
        traffic.connected()
        onReady?(.success(connection))
        onReady = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.feed(unwrapInboundIn(data))
        do throws(AerospikeError) {
            while let frame = try decoder.next() {
                frames.append(frame)
            }
        } catch {
            // What arrived whole before is good.
            deliver()
            connection?.fail(error)
        }
        // A long reply is handed on as it arrives: nothing is gained by gathering it.
        deliver()
    }

    private func deliver() {
        guard !frames.isEmpty else { return }
        connection?.received(frames)
        frames.removeAll(keepingCapacity: true)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        connection?.flush()
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let failure =
            Self.isOfTLS(error)
            ? AerospikeError(.tls, "The TLS handshake with the node failed.", cause: error)
            : AerospikeError(.connection, "The connection broke.", cause: error)
        cause = cause ?? failure
        fail(failure)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(cause ?? AerospikeError(.connection, "The node closed the connection."))
        connection = nil
        context.fireChannelInactive()
    }

    private func fail(_ reason: AerospikeError) {
        connection?.fail(reason)
        onReady?(.failure(reason))
        onReady = nil
    }

    /// Whether TLS failed, which it also can after the handshake: a peer that accepts no certificate of ours says so late.
    ///
    /// That a peer closes without taking leave is no failure of TLS.
    private static func isOfTLS(_ error: any Error) -> Bool {
        switch error {
        case NIOSSLError.uncleanShutdown: false
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: true
        default: false
        }
    }
}
