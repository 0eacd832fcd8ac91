import BeanspikeCore
import BeanstalkProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import BeanspikeServer

@Suite("What one connection may cost")
struct ConnectionBoundsTests {
    /// Counts how often the channel is asked to read.
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var reads = 0

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }

    private func bench(_ options: ServerOptions = ServerOptions()) throws -> (Bench, ReadCounter) {
        let bench = try Bench(options)
        let counter = ReadCounter()
        try bench.channel.pipeline.syncOperations.addHandler(counter, position: .first)
        return (bench, counter)
    }

    @Test("A client that does not take its replies is not parsed and not read, until it does")
    func slowReader() throws {
        let (bench, counter) = try bench()
        bench.setWritable(false)
        try bench.send("delete 1\r\n")
        #expect(bench.port.takeCommands() == [])
        bench.channel.read()
        #expect(counter.reads == 1)
        try bench.send(String(repeating: "delete 1\r\n", count: 7_000))
        bench.channel.read()
        #expect(counter.reads == 1)
        bench.setWritable(true)
        #expect(bench.port.takeCommands().count == 7_001)
        #expect(counter.reads == 2)
    }

    @Test("A client that waits in a reserve is read a little further, and then no more")
    func waiting() throws {
        let (bench, counter) = try bench()
        bench.port.reserveBlocks(true)
        try bench.send("reserve\r\n")
        bench.channel.read()
        #expect(counter.reads == 1)
        try bench.send(String(repeating: "x", count: ConnectionLimits.waitingInputBytesMax))
        bench.channel.read()
        #expect(counter.reads == 1)
    }

    @Test("Commands in flight are bounded")
    func commandsInFlight() throws {
        let (bench, counter) = try bench()
        let max = ConnectionLimits.commandsInFlightMax
        try bench.send(String(repeating: "delete 1\r\n", count: max))
        try bench.send("delete 2\r\n")
        #expect(bench.port.takeCommands().count == max)
        bench.answer(.deleted)
        #expect(bench.port.takeCommands().count == 1)
        bench.channel.read()
        #expect(counter.reads == 1)
    }

    @Test("Bytes of bodies in flight are bounded")
    func bodiesInFlight() throws {
        let (bench, _) = try bench(ServerOptions(bodyBytesMax: 1 << 20))
        let put = "put 0 0 1 1048576\r\n" + String(repeating: "x", count: 1 << 20) + "\r\n"
        for _ in 0..<6 { try bench.send(put) }
        #expect(bench.port.takeCommands().count == 4)
        bench.answer(.inserted(1), .inserted(2), .inserted(3), .inserted(4))
        #expect(bench.port.takeCommands().count == 2)
    }

    @Test("Commands that ask for much are submitted a few at a time")
    func longReplies() throws {
        let (bench, _) = try bench(ServerOptions(bodyBytesMax: 8 << 20))
        try bench.send(String(repeating: "peek 1\r\n", count: 5))
        #expect(bench.port.takeCommands().count == 2)
        bench.answer(.notFound)
        #expect(bench.port.takeCommands().count == 0)
        bench.answer(.notFound)
        #expect(bench.port.takeCommands().count == 2)
        // A store that answers at once lets it go on at once.
        bench.port.answerAtOnce([.notFound])
        bench.answer(.notFound, .notFound)
        #expect(try bench.writes().joined() == String(repeating: "NOT_FOUND\r\n", count: 5))
    }

    @Test("Input that waits is as long as what was not parsed, and no longer")
    func inputIsBounded() {
        var state = ConnectionState(bodyBytesMax: 1_000, answersHealth: false)
        var batch = ParsedCommands()
        let seed = UInt64.random(in: 0 ... .max)
        print("connection input: seed \(seed)")
        var capacityMax = 0
        for index in 0..<20_000 {
            let text =
                index % 50 == 0 ? "put 0 0 1 1000\r\n" : String(UnicodeScalar(UInt8((seed &+ UInt64(index)) & 63)))
            var piece = ByteBuffer(string: text)
            state.receive(&piece)
            while state.mayParse {
                _ = state.parse(isDraining: false, into: &batch) { _, _ in }
                while state.nextLocal() != nil {}
                for _ in batch.commands { _ = state.answer() }
                while state.nextLocal() != nil {}
            }
            capacityMax = max(capacityMax, state.input.capacity)
        }
        #expect(capacityMax <= 4_096, "seed \(seed)")
    }

    @Test("The beginning of a line does not keep the event loop's whole buffer")
    func smallInput() {
        var state = ConnectionState(bodyBytesMax: 1_000, answersHealth: false)
        var batch = ParsedCommands()
        var piece = ByteBufferAllocator().buffer(capacity: 65_536)
        piece.writeString("dele")
        state.receive(&piece)
        #expect(!state.parse(isDraining: false, into: &batch) { _, _ in })
        #expect(state.input.readableBytes == 4)
        #expect(state.input.capacity <= 1_024)
    }

    @Test("An idle connection is closed, on time")
    func idle() throws {
        let (bench, _) = try bench(ServerOptions(idleTimeout: .seconds(10)))
        bench.eventLoop.advanceTime(by: .seconds(9))
        try bench.send("x\r\n")
        bench.eventLoop.advanceTime(by: .seconds(9))
        #expect(bench.channel.isActive)
        bench.eventLoop.advanceTime(by: .seconds(1))
        #expect(!bench.channel.isActive)
        #expect(bench.port.closedSessions == [0])
    }

    @Test("A client that waits for the store is not idle; its time begins with the reply")
    func waitingIsNotIdle() throws {
        let (bench, _) = try bench(ServerOptions(idleTimeout: .seconds(10)))
        bench.port.reserveBlocks(true)
        try bench.send("reserve\r\n")
        bench.eventLoop.advanceTime(by: .seconds(95))
        #expect(bench.channel.isActive)
        bench.port.unblock(0)
        bench.answer(.timedOut)
        bench.eventLoop.advanceTime(by: .seconds(9))
        #expect(bench.channel.isActive)
        bench.eventLoop.advanceTime(by: .seconds(1))
        #expect(!bench.channel.isActive)
    }

    @Test("A client that does not take its replies is idle")
    func stuckReaderIsIdle() throws {
        let (bench, _) = try bench(ServerOptions(idleTimeout: .seconds(10)))
        try bench.send("delete 1\r\n")
        bench.setWritable(false)
        bench.eventLoop.advanceTime(by: .seconds(10))
        #expect(!bench.channel.isActive)
    }

    @Test("Connections beyond the cap are not admitted, and room comes back")
    func cap() throws {
        let counters = ServerCounters(bodyBytesMax: 1, connectionsMax: 2)
        #expect(counters.admit() && counters.admit())
        #expect(!counters.admit())
        counters.leave(isProducer: false, isWorker: false)
        #expect(counters.admit())
        #expect(counters.statistics().connectionsTotal == 3)
    }

    @Test("A stop answers what was submitted, takes nothing more, and cuts off who waits")
    func stop() throws {
        let (bench, _) = try bench()
        try bench.send("put 0 0 1 1\r\na\r\n")
        let stopped = bench.loop.stop(grace: .seconds(5))
        try bench.send("delete 1\r\n")
        #expect(bench.channel.isActive)
        bench.answer(.inserted(1))
        #expect(try bench.writes() == ["INSERTED 1\r\n"])
        #expect(!bench.channel.isActive)
        #expect(bench.port.takeCommands() == ["put a"])
        try stopped.wait()

        let (waiting, _) = try self.bench()
        waiting.port.reserveBlocks(true)
        try waiting.send("reserve\r\n")
        try waiting.loop.stop(grace: .seconds(5)).wait()
        #expect(!waiting.channel.isActive)

        let (stuck, _) = try self.bench()
        try stuck.send("delete 1\r\n")
        let cut = stuck.loop.stop(grace: .seconds(5))
        stuck.eventLoop.advanceTime(by: .seconds(4))
        #expect(stuck.channel.isActive)
        stuck.eventLoop.advanceTime(by: .seconds(1))
        #expect(!stuck.channel.isActive)
        try cut.wait()
    }
}
