import NIOCore
import NIOPosix

/// A client that says what a test tells it to, over a real socket.
final class TestClient: Sendable {
    private final class Receiver: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let continuation: AsyncStream<String>.Continuation

        init(_ continuation: AsyncStream<String>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            continuation.yield(String(buffer: unwrapInboundIn(data)))
        }

        func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let channel: any Channel
    private let received: AsyncStream<String>

    private init(channel: any Channel, received: AsyncStream<String>) {
        self.channel = channel
        self.received = received
    }

    static func connect(to address: SocketAddress, group: MultiThreadedEventLoopGroup) async throws -> TestClient {
        let (stream, continuation) = AsyncStream<String>.makeStream()
        let channel = try await ClientBootstrap(group: group)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Receiver(continuation))
                }
            }
            .connect(to: address).get()
        return TestClient(channel: channel, received: stream)
    }

    /// Sends without waiting for anything.
    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }

    /// Closes the side that sends.
    func closeOutput() async throws { try await channel.close(mode: .output) }

    func close() async throws { try await channel.close() }

    /// What arrives until it ends with `end`, or until the server closes.
    func read(until end: String) async -> String {
        var text = ""
        for await piece in received {
            text += piece
            if text.hasSuffix(end) { break }
        }
        return text
    }

    /// What arrives until the server closes.
    func readToEnd() async -> String {
        var text = ""
        for await piece in received { text += piece }
        return text
    }
}
