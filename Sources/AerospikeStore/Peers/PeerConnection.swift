import NIOCore

/// One connection to a peer: carries out what its session says.
///
/// All on one event loop.
final class PeerConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The peer, once it has shown that it knows the secret.
    private(set) var peer: Int?
    /// Who was dialled; nil if the other end dialled.
    let dialled: Int?

    /// The number under which this process takes part in it.
    let number: Int

    private let core: PeerCore
    private var session: PeerSession
    private var channel: (any Channel)?
    private var timeout: Scheduled<Void>?
    /// Whether it was cut off: what still comes is not looked at.
    private var isCutOff = false

    init(_ core: PeerCore, identity: PeerSession.Identity, dialled: Int?) {
        self.core = core
        self.dialled = dialled
        number = identity.number
        session = PeerSession(identity, role: dialled == nil ? .acceptor : .dialler)
    }

    /// Whether there is room for more.
    var isWritable: Bool { channel?.isWritable ?? false }

    func send(_ payloads: [ByteBuffer]) {
        guard let channel else { return }
        for payload in payloads {
            channel.write(session.frame(payload), promise: nil)
        }
        channel.flush()
    }

    func close() {
        channel?.close(promise: nil)
    }

    // MARK: The channel

    func channelActive(context: ChannelHandlerContext) {
        channel = context.channel
        guard core.opened(self) else {
            context.close(promise: nil)
            return
        }
        context.writeAndFlush(wrapOutboundOut(session.hello), promise: nil)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(in: PeerLimits.handshakeTimeout) { bound.value.close() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isCutOff else { return }
        var bytes = unwrapInboundIn(data)
        session.receive(&bytes)
        do throws(PeerViolation) {
            while let event = try session.next() {
                switch event {
                case .hello:
                    context.writeAndFlush(wrapOutboundOut(session.frame(ByteBuffer())), promise: nil)
                case .authenticated(let peer):
                    try authenticated(peer)
                case .payload(var payload):
                    guard let peer else { break }
                    while let message = try payload.readMessage() {
                        core.received(message, from: peer)
                    }
                }
                // A message may have been the reason to close.
                guard context.channel.isActive else { return }
            }
        } catch {
            isCutOff = true
            core.violated(self, error)
            context.close(promise: nil)
        }
    }

    private func authenticated(_ peer: Int) throws(PeerViolation) {
        // An address may have been given to another process meanwhile.
        guard dialled == nil || dialled == peer else { throw PeerViolation("another process than was dialled") }
        timeout?.cancel()
        self.peer = peer
        core.authenticated(self, peer)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, let peer { core.flushSoon(peer) }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        core.closed(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
