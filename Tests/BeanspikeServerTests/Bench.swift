import BeanspikeCore
import NIOCore
import NIOEmbedded
import Testing

@testable import BeanspikeServer

/// One connection on an event loop that the test drives, in front of a ``ScriptedStore``.
final class Bench {
    let store = ScriptedStore()
    let eventLoop = EmbeddedEventLoop()
    let counters: ServerCounters
    let loop: ServerLoop
    let channel: EmbeddedChannel
    let handler: ConnectionHandler

    init(_ options: ServerOptions = ServerOptions()) throws {
        counters = ServerCounters(bodyBytesMax: options.bodyBytesMax, connectionsMax: options.connectionsMax)
        loop = ServerLoop(eventLoop: eventLoop, store: store, counters: counters, options: options)
        handler = ConnectionHandler(loop: loop)
        _ = counters.admit()
        channel = EmbeddedChannel(handler: handler, loop: eventLoop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    var port: ScriptedPort { store.port }

    func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

    /// Lets replies arrive, as they do: on the event loop, later.
    func answer(_ replies: Reply..., body: String = "") {
        port.answer(replies, body: Array(body.utf8))
        eventLoop.run()
    }

    func closeInput() {
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        eventLoop.run()
    }

    /// Every write since the last call, as text.
    func writes() throws -> [String] {
        var result: [String] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
            // What a close waits for is an empty write.
            if buffer.readableBytes > 0 { result.append(String(buffer: buffer)) }
        }
        return result
    }

    func setWritable(_ value: Bool) {
        channel.isWritable = value
        channel.pipeline.fireChannelWritabilityChanged()
    }
}
