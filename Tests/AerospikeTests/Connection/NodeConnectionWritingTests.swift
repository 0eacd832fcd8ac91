import Aerospike
import NIOCore
import NIOPosix
import Testing

/// Connections over real sockets, written to by many threads.
struct NodeConnectionWritingTests {
    /// Each caller sends names of its own length again and again, and gets the answer to just those.
    @Test func callersOnManyThreadsGetTheirOwnReplies() async throws {
        try await withPeer { peer in
            let connection = try await Connector().connect(host: "127.0.0.1", port: peer.port, on: peer.eventLoop)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<8 {
                    group.addTask {
                        for call in 0..<500 {
                            let name = "\(caller)-\(call)-" + String(repeating: "x", count: caller * 50)
                            let answer = try await connection.info([name], deadline: .now() + .seconds(60))
                            #expect(answer == [String(name.prefix(40)): "\(name.utf8.count)"])
                            // Now and then nothing is on its way, and then the caller's own thread writes.
                            if call % (caller + 2) == 0 { await Task.yield() }
                        }
                    }
                }
                try await group.waitForAll()
            }
            connection.close()
            try await connection.closed.get()
        }
    }

    /// The socket is full long before the peer begins to read: what it did not take goes by the channel, in order.
    @Test func whatTheSocketDoesNotTakeGoesByTheChannel() async throws {
        // More than the system keeps for a socket.
        let (count, bytesEach) = (40, 400_000)
        var connector = Connector()
        connector.limits.bytesMax = 1 << 26
        connector.limits.stall = .seconds(60)
        try await withPeer(readsAtOnce: false) { peer in
            let connection = try await connector.connect(host: "127.0.0.1", port: peer.port, on: peer.eventLoop)
            let (submitted, submission) = AsyncStream.makeStream(of: Void.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<count {
                    group.addTask {
                        do {
                            let deadline = NIODeadline.now() + .seconds(60)
                            let frame = try await connection.request(expecting: .info, deadline: deadline) { buffer in
                                buffer.writeInteger(ProtoHeader(kind: .info, bodyByteCount: bytesEach).word)
                                buffer.writeRepeatingByte(UInt8(ascii: "A") + UInt8(number), count: bytesEach - 1)
                                buffer.writeInteger(UInt8(ascii: "\n"))
                                submission.yield()
                            }
                            guard case .info(let body) = frame else { throw ChannelError.eof }
                            let name = String(repeating: Character(UnicodeScalar(65 + UInt8(number))), count: 40)
                            #expect(try InfoMessage.parse(body) == [name: "\(bytesEach - 1)"])
                        } catch {
                            submission.finish()
                            throw error
                        }
                    }
                }
                var submittedCount = 0
                for await _ in submitted {
                    submittedCount += 1
                    if submittedCount == count { break }
                }
                peer.read()
                try await group.waitForAll()
            }
            // Small ones go as before.
            #expect(try await connection.info(["z"], deadline: .now() + .seconds(60)) == ["z": "1"])
            connection.close()
        }
    }

    /// The peer sees the end at once, though the connection had a second descriptor for its socket.
    @Test func closingIsSeenByThePeer() async throws {
        try await withPeer { peer in
            let connection = try await Connector().connect(host: "127.0.0.1", port: peer.port, on: peer.eventLoop)
            #expect(try await connection.info(["a"], deadline: .now() + .seconds(60)) == ["a": "1"])
            connection.close()
            try await peer.sawTheEnd()
            let late = await #expect(throws: AerospikeError.self) {
                try await connection.info(["b"], deadline: .now() + .seconds(60))
            }
            #expect(late?.code == .connection)
        }
    }

    @Test func aPeerThatClosesEndsTheCalls() async throws {
        try await withPeer { peer in
            let connection = try await Connector().connect(host: "127.0.0.1", port: peer.port, on: peer.eventLoop)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<4 {
                    group.addTask {
                        let error = await #expect(throws: AerospikeError.self) {
                            for call in 0... {
                                // One of them has the peer close in the midst of the others' calls.
                                let name = caller == 0 && call == 50 ? "close" : "\(caller)-\(call)"
                                let answer = try await connection.info([name], deadline: .now() + .seconds(60))
                                #expect(answer == [name: "\(name.utf8.count)"])
                            }
                        }
                        #expect(error?.code == .connection)
                    }
                }
                try await group.waitForAll()
            }
            try await connection.closed.get()
            #expect(!connection.isOpen)
        }
    }

    private func withPeer(readsAtOnce: Bool = true, _ body: (Peer) async throws -> Void) async throws {
        let peer = try await Peer(readsAtOnce: readsAtOnce)
        do {
            try await body(peer)
            try await peer.close()
        } catch {
            try? await peer.close()
            throw error
        }
    }
}

/// Answers each name, of which it repeats the beginning, with its length, on one connection.
private struct Peer: Sendable {
    let eventLoop: any EventLoop
    private let listener: any Channel
    private let accepted: EventLoopPromise<any Channel>

    init(readsAtOnce: Bool) async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let accepted = eventLoop.makePromise(of: (any Channel).self)
        self.eventLoop = eventLoop
        self.accepted = accepted
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: readsAtOnce)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answerer())
                    accepted.succeed(channel)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    var port: Int { listener.localAddress?.port ?? 0 }

    func read() {
        accepted.futureResult.whenSuccess { channel in
            channel.setOption(.autoRead, value: true).whenSuccess { channel.read() }
        }
    }

    func sawTheEnd() async throws {
        try await accepted.futureResult.get().closeFuture.get()
    }

    func close() async throws {
        // If nobody connected; else this changes nothing.
        accepted.fail(ChannelError.eof)
        try await listener.close()
    }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var decoder = ReplyDecoder()

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            decoder.feed(unwrapInboundIn(data))
            do {
                while let frame = try decoder.next() {
                    guard case .info(var body) = frame, let text = body.readString(length: body.readableBytes) else {
                        throw ChannelError.inappropriateOperationForState
                    }
                    let name = String(text.dropLast())
                    guard name != "close" else { throw ChannelError.eof }
                    var reply = ByteBuffer()
                    let line = "\(name.prefix(40))\t\(name.utf8.count)\n"
                    reply.writeInteger(ProtoHeader(kind: .info, bodyByteCount: line.utf8.count).word)
                    reply.writeString(line)
                    context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
                }
            } catch {
                context.close(promise: nil)
            }
        }
    }
}
