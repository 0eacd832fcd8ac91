import Aerospike
import NIOCore
import NIOPosix
import Synchronization

/// A peer that answers what a client asks of a cluster as a node would, and calls on records as it likes.
final class HostileServer: Sendable {
    /// How calls on records are answered.
    enum Manner: String, Sendable, CaseIterable {
        /// As a node answers a write.
        case honest
        case randomBytes
        /// A message that ends before its end, and so does the connection.
        case truncated
        /// A header that announces more than any message may have.
        case announcesTooMuch
        /// A header that announces as much as a message may have, and bytes that never stop.
        case endlessMessage
        /// Messages that never stop, of a batch or of nobody.
        case endlessReply
        /// Two replies to each request.
        case repliesTwice
        /// Text where a message belongs.
        case anotherKind
        /// Lengths that are right around contents that are not.
        case garbageInside
    }

    private struct State {
        var manner = Manner.honest
        var random = SeededGenerator(seed: 1)
        /// The most bytes that one connection took in reply to calls.
        var bytesTakenMax = 0
    }

    private let state = Mutex(State())
    private let channel: any Channel

    private init(_ channel: any Channel) {
        self.channel = channel
    }

    /// Starts a server and ends it when a function has run.
    static func withServer(_ body: (HostileServer) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let promise = group.next().makePromise(of: HostileServer.self)
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                promise.futureResult.hop(to: channel.eventLoop).flatMapThrowing { server in
                    try channel.pipeline.syncOperations.addHandler(HostileHandler(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = HostileServer(channel)
        promise.succeed(server)
        do {
            try await body(server)
            try await channel.close()
        } catch {
            try? await channel.close()
            throw error
        }
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    var seed: AerospikeClientConfiguration.Host { .init("127.0.0.1", port: port) }
    var bytesTakenMax: Int { state.withLock(\.bytesTakenMax) }

    func answer(_ manner: Manner, seed: UInt64) {
        state.withLock { state in
            state.manner = manner
            state.random = SeededGenerator(seed: seed)
            state.bytesTakenMax = 0
        }
    }

    fileprivate var manner: Manner { state.withLock(\.manner) }

    fileprivate func took(_ count: Int) {
        state.withLock { $0.bytesTakenMax = max($0.bytesTakenMax, count) }
    }

    fileprivate func randomBytes(_ most: Int) -> [UInt8] {
        state.withLock { state in
            let count = Int.random(in: 1...most, using: &state.random)
            return state.random.bytes(count)
        }
    }

    /// What a node says that is alone and holds everything.
    fileprivate func value(_ name: Substring) -> String {
        switch name {
        case "node": return "A1"
        case "build": return "8.1.0.3"
        case "peers-generation", "partition-generation": return "1"
        case "replicas":
            // 512 bytes of ones in Base64.
            let bitmap = String(repeating: "////", count: 170) + "//8="
            return "test:0,1,\(bitmap)"
        case let name where name.hasPrefix("peers-"): return "1,\(port),[]"
        default: return ""
        }
    }
}

private final class HostileHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: HostileServer
    private var received = ByteBuffer()
    private var bytesTaken = 0
    private var isEndless = false

    init(_ server: HostileServer) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        while let word = received.getInteger(at: received.readerIndex, as: UInt64.self) {
            let length = Int(word & 0xffff_ffff_ffff)
            guard received.readableBytes >= 8 + length else { return }
            received.moveReaderIndex(forwardBy: 8)
            guard let body = received.readSlice(length: length) else { return }
            if word >> 48 & 0xff == 1 {
                answerInfo(String(buffer: body), context)
            } else {
                answerCall(context)
            }
        }
    }

    private func answerInfo(_ names: String, _ context: ChannelHandlerContext) {
        let text = names.split(separator: "\n").map { "\($0)\t\(server.value($0))\n" }.joined()
        var reply = ByteBuffer()
        reply.writeInteger(ProtoHeader(kind: .info, bodyByteCount: text.utf8.count).word)
        reply.writeString(text)
        context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
    }

    private func answerCall(_ context: ChannelHandlerContext) {
        switch server.manner {
        case .honest: send(HostileHandler.message(), context)
        case .randomBytes: send(ByteBuffer(bytes: server.randomBytes(500)), context)
        case .truncated:
            var reply = HostileHandler.message(announcing: 500)
            reply.writeBytes([1, 2, 3])
            send(reply, context)
            context.close(promise: nil)
        case .announcesTooMuch: send(HostileHandler.message(announcing: 1 << 40), context)
        case .endlessMessage:
            var reply = HostileHandler.message(announcing: AerospikeLimits.messageBytesMax, operations: 1)
            // The one operation has all the rest.
            reply.writeInteger(UInt32(AerospikeLimits.messageBytesMax - 22 - 4))
            send(reply, context)
            isEndless = true
            goOn(context)
        case .endlessReply:
            isEndless = true
            goOn(context)
        case .repliesTwice:
            send(HostileHandler.message(), context)
            send(HostileHandler.message(), context)
        case .anotherKind:
            var reply = ByteBuffer()
            reply.writeInteger(ProtoHeader(kind: .info, bodyByteCount: 5).word)
            reply.writeString("a\tb\nc")
            send(reply, context)
        case .garbageInside:
            let bytes = server.randomBytes(60)
            var reply = HostileHandler.message(announcing: 22 + 4 + 4 + bytes.count, operations: 1)
            reply.writeInteger(UInt32(4 + bytes.count))
            reply.writeBytes(server.randomBytes(1) + [bytes[0], 0, UInt8(min(bytes.count, 3))] + bytes)
            send(reply, context)
        }
    }

    /// A message without a part, whatever it announces.
    private static func message(announcing count: Int = 22, operations: UInt16 = 0) -> ByteBuffer {
        var reply = ByteBuffer()
        reply.writeInteger(UInt64(2) << 56 | UInt64(3) << 48 | UInt64(count))
        reply.writeBytes([22, 0, 0, 0, 0, 0])
        reply.writeInteger(UInt32(1))
        reply.writeInteger(UInt32(0))
        reply.writeInteger(UInt32(0))
        reply.writeInteger(UInt16(0))
        reply.writeInteger(operations)
        return reply
    }

    private func goOn(_ context: ChannelHandlerContext) {
        var chunk = ByteBuffer()
        if server.manner == .endlessReply {
            for _ in 0..<1000 {
                var message = HostileHandler.message()
                chunk.writeBuffer(&message)
            }
        } else {
            chunk.writeRepeatingByte(7, count: 65536)
        }
        while isEndless, context.channel.isActive, context.channel.isWritable {
            send(chunk, context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isEndless, context.channel.isWritable {
            goOn(context)
        }
    }

    private func send(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        bytesTaken += bytes.readableBytes
        server.took(bytesTaken)
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isEndless = false
    }
}
