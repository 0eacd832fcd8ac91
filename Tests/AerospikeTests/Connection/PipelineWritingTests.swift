import Aerospike
import NIOCore
import Testing

/// Which thread writes what to the socket, as the pipeline says it.
struct PipelineWritingTests {
    typealias Machine = Pipeline<Int>

    let machine = PipelineTests.machine()
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    /// Has one request sent by the event loop and answered, after which the event loop knows when to look.
    private func warmUp() throws {
        #expect(try PipelineTests.submit(1, to: machine))
        var batch = try #require(machine.flushDirectly(now: start)).bytes
        batch.moveReaderIndex(to: batch.writerIndex)
        #expect(machine.wrote(batch, goesOn: true, now: start).words == "nothing")
        #expect(try machine.received(PipelineTests.message, now: start).receiver == 1)
    }

    /// The first byte of each request in a batch.
    private func numbers(_ batch: Machine.Batch?) -> [UInt8] {
        guard let bytes = batch?.bytes.readableBytesView else { return [] }
        return stride(from: 0, to: bytes.count, by: 10).map { bytes[bytes.startIndex + $0] }
    }

    @Test func aLoneCallerWritesItself() throws {
        try warmUp()
        #expect(try PipelineTests.submit(2, to: machine))
        let batch = machine.takeOver(now: start + .seconds(1))
        #expect(numbers(batch) == [2])
        #expect(batch?.requestCount == 1)
        // The event loop has nothing to do for it.
        #expect(machine.wrote(ByteBuffer(), goesOn: true, now: start).words == "nothing")
        #expect(try machine.received(PipelineTests.message, now: start).receiver == 2)
        #expect(try PipelineTests.submit(3, to: machine))
        #expect(numbers(machine.takeOver(now: start + .seconds(2))) == [3])
    }

    @Test func theEventLoopHasToKnowWhenToLook() throws {
        #expect(try PipelineTests.submit(1, to: machine))
        #expect(numbers(machine.takeOver(now: start)).isEmpty)
        #expect(numbers(machine.flushDirectly(now: start)) == [1])
        #expect(machine.wrote(ByteBuffer(), goesOn: false, now: start).words == "nothing")
        _ = try machine.received(PipelineTests.message, now: start)
        // It looks for a connection that is stalled in 5 s, which is too late for this one.
        #expect(try PipelineTests.submit(2, to: machine, until: start + .seconds(2)))
        #expect(numbers(machine.takeOver(now: start + .seconds(1))).isEmpty)
        #expect(numbers(machine.flushDirectly(now: start + .seconds(1))) == [2])
        #expect(machine.nextCheck == start + .seconds(2))
        // While a thread writes, too.
        #expect(try PipelineTests.submit(3, to: machine, until: start + .milliseconds(1500)))
        #expect(numbers(machine.flushDirectly(now: start + .seconds(1))).isEmpty)
        #expect(machine.nextCheck == start + .milliseconds(1500))
    }

    @Test func theEventLoopWritesWhileRepliesAreToCome() throws {
        try warmUp()
        #expect(try PipelineTests.submit(2, to: machine))
        #expect(numbers(machine.takeOver(now: start)) == [2])
        #expect(machine.wrote(ByteBuffer(), goesOn: true, now: start).words == "nothing")
        #expect(try PipelineTests.submit(3, to: machine))
        #expect(numbers(machine.takeOver(now: start)).isEmpty)
        #expect(try !PipelineTests.submit(4, to: machine))
        #expect(numbers(machine.flushDirectly(now: start)) == [3, 4])
    }

    @Test func whatComesWhileAThreadWritesFollowsInOrder() throws {
        try warmUp()
        try PipelineTests.submit(2, to: machine)
        #expect(numbers(machine.takeOver(now: start)) == [2])
        #expect(try !PipelineTests.submit(3, to: machine))
        #expect(try !PipelineTests.submit(4, to: machine))
        #expect(numbers(machine.flushDirectly(now: start)).isEmpty)
        #expect(machine.wrote(ByteBuffer(), goesOn: true, now: start).words == "write [3, 4]")
        #expect(try !PipelineTests.submit(5, to: machine))
        #expect(machine.wrote(ByteBuffer(), goesOn: false, now: start).words == "flush")
        #expect(try !PipelineTests.submit(6, to: machine))
        #expect(numbers(machine.flushDirectly(now: start)) == [5, 6])
    }

    @Test func whatTheSocketDoesNotTakeIsTheChannels() throws {
        try warmUp()
        try PipelineTests.submit(2, to: machine)
        var batch = try #require(machine.takeOver(now: start)).bytes
        batch.moveReaderIndex(forwardBy: 4)
        #expect(machine.wrote(batch, goesOn: true, now: start).words == "hand over 6 bytes")
        #expect(try !PipelineTests.submit(3, to: machine))
        #expect(numbers(machine.flushDirectly(now: start)).isEmpty)
        #expect(machine.channelHasWritten())
        #expect(numbers(machine.flushDirectly(now: start)) == [3])
    }

    @Test func nothingIsWrittenAfterTheEnd() throws {
        try warmUp()
        try PipelineTests.submit(2, to: machine)
        let batch = try #require(machine.takeOver(now: start)).bytes
        try PipelineTests.submit(3, to: machine)
        let failed = machine.close(AerospikeError(.connection))
        #expect(failed.map(\.wasSent) == [true, false])
        #expect(machine.wrote(batch, goesOn: true, now: start).words == "nothing")
        #expect(!machine.channelHasWritten())
        #expect(machine.flush(now: start) == nil)
    }

    /// Random steps of callers, a writing thread, the event loop and the channel: the node gets every byte once and in
    /// order, and what was submitted never waits for somebody who does not know.
    @Test(arguments: 0..<50) func bytesKeepTheirOrder(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let machine = PipelineTests.machine(requests: 20, bytes: 500, waiting: 20)
        var now = start
        var accepted: [UInt8] = []
        var atNode: [UInt8] = []
        var answeredCount = 0
        var writing: ByteBuffer?
        var atChannel: ByteBuffer?
        var flushIsArranged = false

        /// Moves some bytes to the node, or all.
        func move(_ bytes: inout ByteBuffer, _ count: Int) {
            atNode += bytes.readBytes(length: count) ?? []
        }
        func wrote(_ bytes: ByteBuffer) {
            switch machine.wrote(bytes, goesOn: Bool.random(using: &random), now: now) {
            case .nothing: break
            case .write(let batch): writing = batch.bytes
            case .flush:
                #expect(!flushIsArranged)
                flushIsArranged = true
            case .handOver(let bytes): atChannel = bytes
            }
        }
        func step(_ kind: Int) throws {
            now = now + .milliseconds(1)
            switch kind {
            case 0, 1:
                let number = UInt8(truncatingIfNeeded: accepted.count)
                guard let flushes = try? PipelineTests.submit(Int(number), to: machine, bytes: 3) else { return }
                accepted += [number, number, number]
                guard flushes else { return }
                #expect(!flushIsArranged)
                if Bool.random(using: &random), let batch = machine.takeOver(now: now) {
                    #expect(writing == nil && atChannel == nil)
                    writing = batch.bytes
                } else {
                    flushIsArranged = true
                }
            case 2:
                guard var bytes = writing else { return }
                writing = nil
                let all = bytes.readableBytes
                move(&bytes, Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 0...all, using: &random) : all)
                wrote(bytes)
            case 3:
                guard flushIsArranged else { return }
                flushIsArranged = false
                guard let batch = machine.flushDirectly(now: now) else { return }
                #expect(writing == nil && atChannel == nil)
                writing = batch.bytes
            case 4:
                guard var bytes = atChannel else { return }
                atChannel = nil
                move(&bytes, bytes.readableBytes)
                if machine.channelHasWritten() {
                    #expect(!flushIsArranged)
                    flushIsArranged = true
                }
            default:
                guard atNode.count >= 3 * (answeredCount + 1) else { return }
                let receiver = try machine.received(PipelineTests.message, now: now).receiver
                #expect(receiver == Int(atNode[3 * answeredCount]))
                answeredCount += 1
                if machine.admitWaiting() {
                    #expect(!flushIsArranged)
                    flushIsArranged = true
                }
            }
        }
        for _ in 0..<1000 {
            try step(Int.random(in: 0..<7, using: &random))
        }
        for _ in 0..<100 {
            for kind in 2...5 { try step(kind) }
        }
        #expect(atNode == accepted)
        #expect(answeredCount * 3 == accepted.count)
        #expect(machine.load == 0)
    }
}

extension PipelineUnderTest {
    fileprivate func takeOver(now: NIODeadline) -> Pipeline<Int>.Batch? { machine.takeOver(now: now) }
    fileprivate func flushDirectly(now: NIODeadline) -> Pipeline<Int>.Batch? {
        machine.flush(now: now, directly: true)
    }
    fileprivate func wrote(_ bytes: ByteBuffer, goesOn: Bool, now: NIODeadline) -> Pipeline<Int>.AfterWriting {
        var bytes = bytes
        return machine.wrote(&bytes, goesOn: goesOn, now: now)
    }
    fileprivate func channelHasWritten() -> Bool { machine.channelHasWritten() }
}

extension Pipeline.AfterWriting {
    /// What it is, with the first byte of each request of 10 bytes.
    fileprivate var words: String {
        switch self {
        case .nothing: return "nothing"
        case .flush: return "flush"
        case .handOver(let bytes): return "hand over \(bytes.readableBytes) bytes"
        case .write(let batch):
            let bytes = batch.bytes.readableBytesView
            return "write \(stride(from: bytes.startIndex, to: bytes.endIndex, by: 10).map { bytes[$0] })"
        }
    }
}
