import NIOCore

/// Carries bytes between a channel and its ``NodeConnection``: it decides nothing.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var decoder: ReplyDecoder
    private var frames: [ReplyDecoder.Frame] = []
    private var connection: NodeConnection?
    private var cause: (any Error)?
    private let limits: Pipeline<ReplyReceiver>.Limits
    private let traffic: TrafficCounters
    /// Told once, when the channel can be used.
    private let onActive: (NodeConnection) -> Void

    init(
        limits: Pipeline<ReplyReceiver>.Limits,
        replyBytesMax: Int,
        traffic: TrafficCounters,
        onActive: @escaping (NodeConnection) -> Void
    ) {
        self.limits = limits
        self.traffic = traffic
        self.onActive = onActive
        decoder = ReplyDecoder(bodyBytesMax: replyBytesMax)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive {
            activate(context.channel)
        }
    }

    func channelActive(context: ChannelHandlerContext) {
        activate(context.channel)
        context.fireChannelActive()
    }

    private func activate(_ channel: any Channel) {
        guard connection == nil else { return }
        let connection = NodeConnection(channel: channel, limits: limits, traffic: traffic)
        self.connection = connection
        traffic.connected()
        onActive(connection)
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
        cause = error
        connection?.fail(AerospikeError(.connection, "The connection broke.", cause: error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection?.fail(AerospikeError(.connection, "The node closed the connection.", cause: cause))
        connection = nil
        context.fireChannelInactive()
    }
}
