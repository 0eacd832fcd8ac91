import Aerospike
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A node on a real port that only knows users, and by TLS if told so: what a test says is its answer.
final class SecurePeer: Sendable {
    /// What to answer to a message about users; nil for nothing at all.
    typealias Answer = @Sendable (SecurityMessage) -> SecurityMessage?

    /// What the peer has seen.
    private final class Log: Sendable {
        let messages = Mutex<[SecurityMessage]>([])
        let connections = Mutex(0)
    }

    private let channel: any Channel
    private let log = Log()

    init(tls: TLSConfiguration? = nil, answer: @escaping Answer) async throws {
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [log] channel in
                channel.eventLoop.makeCompletedFuture {
                    log.connections.withLock { $0 += 1 }
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(Handler(log: log, answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    deinit {
        channel.close(promise: nil)
    }

    var port: Int { channel.localAddress?.port ?? 0 }

    /// All messages about users so far.
    var received: [SecurityMessage] { log.messages.withLock { $0 } }

    /// How many connections were opened so far.
    var connectionCount: Int { log.connections.withLock { $0 } }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let log: Log
        private let answer: Answer
        private var decoder = ReplyDecoder()

        init(log: Log, answer: @escaping Answer) {
            self.log = log
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            decoder.feed(unwrapInboundIn(data))
            do {
                while let frame = try decoder.next() {
                    var reply = ByteBuffer()
                    switch frame {
                    case .security(let body):
                        let message = try SecurityMessage(parsing: body)
                        log.messages.withLock { $0.append(message) }
                        try answer(message)?.write(into: &reply)
                    case .info(let body):
                        // The request is a reply without values.
                        var body = body
                        reply.writeInteger(ProtoHeader(kind: .info, bodyByteCount: body.readableBytes).word)
                        reply.writeBuffer(&body)
                    case .message: throw Unexpected()
                    }
                    context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
                }
            } catch {
                context.close(promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
