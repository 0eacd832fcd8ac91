import Aerospike
import NIOCore
import Testing

/// The pipeline alone: receivers are numbers, and time is what a test says.
struct PipelineTests {
    typealias Machine = Pipeline<Int>

    let machine: PipelineUnderTest
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    init() {
        machine = PipelineTests.machine()
    }

    static func machine(requests: Int = 100, bytes: Int = 1000, waiting: Int = 100) -> PipelineUnderTest {
        var limits = Machine.Limits()
        limits.requestsMax = requests
        limits.bytesMax = bytes
        limits.waitingMax = waiting
        limits.stall = .seconds(5)
        return PipelineUnderTest(Machine(limits: limits))
    }

    /// Submits request `number`, of as many bytes as are given, and tells whether a flush has to be arranged.
    @discardableResult
    static func submit(
        _ number: Int,
        to machine: PipelineUnderTest,
        expecting shape: Pipeline<Int>.ReplyShape = .message,
        until deadline: NIODeadline = .distantFuture,
        bytes: Int = 10
    ) throws -> Bool {
        try machine.machine.submit(
            id: UInt64(number),
            expecting: shape,
            deadline: deadline,
            receiver: number
        ) { buffer in
            buffer.writeRepeatingByte(UInt8(truncatingIfNeeded: number), count: bytes)
        }
    }

    static let message = ReplyDecoder.Frame.message(
        ReplyMessage(header: MessageHeader(), body: ByteBuffer()),
        endsBody: true
    )

    static func last() -> ReplyDecoder.Frame {
        var header = MessageHeader()
        header.info = .last
        return .message(ReplyMessage(header: header, body: ByteBuffer()), endsBody: true)
    }

    @Test func requestsThatMeetLeaveTogether() throws {
        #expect(try PipelineTests.submit(1, to: machine))
        #expect(try !PipelineTests.submit(2, to: machine))
        #expect(machine.load == 2)
        let sent = machine.flush(now: start)
        #expect(sent?.readableBytes == 20)
        #expect(machine.flush(now: start) == nil)
        #expect(try PipelineTests.submit(3, to: machine))
    }

    @Test func repliesGoToThoseWhoAskedInOrder() throws {
        for number in 1...3 { try PipelineTests.submit(number, to: machine) }
        _ = machine.flush(now: start)
        for number in 1...3 {
            #expect(try machine.received(PipelineTests.message, now: start).receiver == number)
        }
        #expect(machine.load == 0)
    }

    @Test func aRequestWhoseTimeIsUpKeepsItsPlace() throws {
        try PipelineTests.submit(1, to: machine, until: start + .seconds(1))
        try PipelineTests.submit(2, to: machine, until: start + .seconds(9))
        _ = machine.flush(now: start)
        #expect(machine.nextCheck == start + .seconds(1))
        let failed = machine.expire(now: start + .seconds(1))
        #expect(failed.map(\.receiver) == [1])
        #expect(failed.map(\.wasSent) == [true])
        #expect(machine.expire(now: start + .seconds(1)).isEmpty)
        #expect(try machine.received(PipelineTests.message, now: start).receiver == nil)
        #expect(try machine.received(PipelineTests.message, now: start).receiver == 2)
    }

    @Test func aCancelledRequestKeepsItsPlace() throws {
        for number in 1...3 { try PipelineTests.submit(number, to: machine) }
        _ = machine.flush(now: start)
        #expect(machine.cancel(id: 2)?.receiver == 2)
        #expect(machine.cancel(id: 2) == nil)
        #expect(machine.cancel(id: 7) == nil)
        #expect(try machine.received(PipelineTests.message, now: start).receiver == 1)
        #expect(try machine.received(PipelineTests.message, now: start).receiver == nil)
        #expect(try machine.received(PipelineTests.message, now: start).receiver == 3)
        #expect(machine.cancel(id: 3) == nil)
    }

    @Test func aReplyOfManyMessagesGoesOnToTheLast() throws {
        try PipelineTests.submit(1, to: machine, expecting: .batch(partsMax: 10))
        try PipelineTests.submit(2, to: machine)
        _ = machine.flush(now: start)
        guard case .part(1, _) = try machine.received(PipelineTests.message, now: start) else { throw Unexpected() }
        #expect(machine.cancel(id: 1)?.receiver == 1)
        guard case .discard = try machine.received(PipelineTests.message, now: start) else { throw Unexpected() }
        guard case .discard = try machine.received(PipelineTests.last(), now: start) else { throw Unexpected() }
        #expect(try machine.received(PipelineTests.message, now: start).receiver == 2)
    }

    @Test func aQueryThatIsRefusedHasOneMessage() throws {
        try PipelineTests.submit(1, to: machine, expecting: .query)
        try PipelineTests.submit(2, to: machine)
        _ = machine.flush(now: start)
        guard case .part(1, _) = try machine.received(PipelineTests.message, now: start) else { throw Unexpected() }
        var header = MessageHeader()
        header.resultCode = 11
        header.info = .partitionDone
        let unavailable = ReplyMessage(header: header, body: ByteBuffer())
        guard case .part(1, _) = try machine.received(.message(unavailable, endsBody: true), now: start) else {
            throw Unexpected()
        }
        header.info = []
        let refusal = ReplyMessage(header: header, body: ByteBuffer())
        #expect(try machine.received(.message(refusal, endsBody: true), now: start).receiver == 1)
        #expect(try machine.received(PipelineTests.message, now: start).receiver == 2)
    }

    @Test func whatFindsNoRoomWaitsItsTurn() throws {
        let machine = PipelineTests.machine(requests: 2, waiting: 2)
        for number in 1...4 { try PipelineTests.submit(number, to: machine) }
        let refused = #expect(throws: AerospikeError.self) { try PipelineTests.submit(5, to: machine) }
        #expect(refused?.code == .queueFull)
        #expect(machine.load == 4)
        #expect(machine.flush(now: start)?.readableBytes == 20)
        _ = try machine.received(PipelineTests.message, now: start)
        #expect(machine.admitWaiting())
        #expect(machine.flush(now: start)?.getInteger(at: 0, as: UInt8.self) == 3)
        #expect(machine.cancel(id: 4)?.wasSent == false)
        _ = try machine.received(PipelineTests.message, now: start)
        #expect(!machine.admitWaiting())
        #expect(try machine.received(PipelineTests.message, now: start).receiver == 3)
        #expect(machine.load == 0)
    }

    @Test func bytesInFlightAreBounded() throws {
        let machine = PipelineTests.machine(bytes: 25)
        try PipelineTests.submit(1, to: machine, bytes: 500)
        try PipelineTests.submit(2, to: machine)
        #expect(machine.flush(now: start)?.readableBytes == 500)
        #expect(!machine.admitWaiting())
        _ = try machine.received(PipelineTests.message, now: start)
        #expect(machine.admitWaiting())
    }

    @Test func timeRunsForThoseWhoWaitForRoom() throws {
        let machine = PipelineTests.machine(requests: 1)
        try PipelineTests.submit(1, to: machine, until: start + .seconds(60))
        _ = machine.flush(now: start)
        // Nothing is to be sent, but the time to look has to be told.
        #expect(try PipelineTests.submit(2, to: machine, until: start + .seconds(1)))
        #expect(machine.flush(now: start) == nil)
        #expect(machine.nextCheck == start + .seconds(1))
        let failed = machine.expire(now: start + .seconds(2))
        #expect(failed.map(\.receiver) == [2])
        #expect(failed.map(\.wasSent) == [false])
    }

    @Test func closingTellsEveryoneWhetherTheyWereSent() throws {
        let machine = PipelineTests.machine(requests: 3)
        try PipelineTests.submit(1, to: machine)
        try PipelineTests.submit(2, to: machine)
        _ = machine.flush(now: start)
        try PipelineTests.submit(3, to: machine)
        try PipelineTests.submit(4, to: machine)
        #expect(machine.cancel(id: 1) != nil)
        let failed = machine.close(AerospikeError(.connection))
        #expect(failed.map(\.receiver) == [2, 3, 4])
        #expect(failed.map(\.wasSent) == [true, false, false])
        #expect(machine.close(AerospikeError(.connection)).isEmpty)
        #expect(machine.isClosed)
        let refused = #expect(throws: AerospikeError.self) { try PipelineTests.submit(5, to: machine) }
        #expect(refused?.code == .connection)
    }

    @Test func aNodeThatAnswersNothingIsStalled() throws {
        #expect(!machine.isStalled(now: start + .hours(1)))
        try PipelineTests.submit(1, to: machine)
        #expect(!machine.isStalled(now: start + .hours(1)))
        _ = machine.flush(now: start)
        #expect(machine.nextCheck == start + .seconds(5))
        #expect(!machine.isStalled(now: start + .seconds(4)))
        #expect(machine.isStalled(now: start + .seconds(5)))
        try PipelineTests.submit(2, to: machine)
        _ = machine.flush(now: start + .seconds(4))
        _ = try machine.received(PipelineTests.message, now: start + .seconds(4))
        #expect(!machine.isStalled(now: start + .seconds(8)))
        #expect(machine.isStalled(now: start + .seconds(9)))
        _ = try machine.received(PipelineTests.message, now: start + .seconds(9))
        #expect(!machine.isStalled(now: start + .hours(1)))
    }

    @Test func repliesThatNobodyAskedForAreRefused() throws {
        #expect(throws: AerospikeError.self) { try machine.received(PipelineTests.message, now: start) }
        // One that is not sent yet cannot have been answered.
        try PipelineTests.submit(1, to: machine)
        #expect(throws: AerospikeError.self) { try machine.received(PipelineTests.message, now: start) }
        _ = machine.flush(now: start)
        #expect(throws: AerospikeError.self) { try machine.received(.info(ByteBuffer()), now: start) }
        let unfinished = ReplyDecoder.Frame.message(
            ReplyMessage(header: MessageHeader(), body: ByteBuffer()),
            endsBody: false
        )
        #expect(throws: AerospikeError.self) { try machine.received(unfinished, now: start) }
    }

    @Test func aRequestThatCannotBeWrittenLeavesNothing() throws {
        #expect(throws: AerospikeError.self) {
            try machine.machine.submit(id: 1, expecting: .message, deadline: .distantFuture, receiver: 1) {
                (_) throws(AerospikeError) in throw AerospikeError(.invalidArgument)
            }
        }
        #expect(machine.load == 0)
        #expect(machine.flush(now: start) == nil)
    }

    /// Random events against a plain list of who waits: each request ends exactly once, and no reply reaches another.
    @Test(arguments: 0..<50) func eachRequestEndsOnceAndWithItsOwnReply(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let machine = PipelineTests.machine(requests: 8, bytes: 200, waiting: 8)
        var now = start
        // What the node got and has not answered: request's numbers.
        var atNode: [UInt8] = []
        var ended: [Int: Int] = [:]
        var accepted: Set<Int> = []
        for number in 1...400 {
            now = now + .milliseconds(Int64.random(in: 0...20, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let deadline = now + .milliseconds(Int64.random(in: 1...200, using: &random))
                if (try? PipelineTests.submit(number % 256, to: machine, until: deadline, bytes: 1)) != nil,
                    accepted.insert(number % 256).inserted
                {
                    ended[number % 256] = 0
                }
            case 2:
                if var sent = machine.flush(now: now) { atNode += sent.readBytes(length: sent.readableBytes) ?? [] }
            case 3, 4:
                guard !atNode.isEmpty else { continue }
                let answered = Int(atNode.removeFirst())
                if let receiver = try machine.received(PipelineTests.message, now: now).receiver {
                    #expect(receiver == answered)
                    ended[receiver, default: 0] += 1
                }
                _ = machine.admitWaiting()
            default:
                for failed in machine.expire(now: now) { ended[failed.receiver, default: 0] += 1 }
            }
            // Numbers may be used anew once they ended and the node has forgotten them.
            for (receiver, count) in ended where count > 0 {
                #expect(count == 1)
                accepted.remove(receiver)
                ended[receiver] = nil
            }
        }
        let failed = machine.close(AerospikeError(.connection))
        #expect(Set(failed.map(\.receiver)) == accepted)
        #expect(failed.count == accepted.count)
    }
}

/// A pipeline in a place where `#expect` can change it.
final class PipelineUnderTest {
    var machine: Pipeline<Int>

    init(_ machine: Pipeline<Int>) {
        self.machine = machine
    }

    var load: Int { machine.load }
    var isClosed: Bool { machine.isClosed }
    var nextCheck: NIODeadline { machine.nextCheck }
    func flush(now: NIODeadline) -> ByteBuffer? { machine.flush(now: now)?.bytes }
    func received(_ frame: ReplyDecoder.Frame, now: NIODeadline) throws -> Pipeline<Int>.Delivery {
        try machine.received(frame, now: now)
    }
    func admitWaiting() -> Bool { machine.admitWaiting() }
    func expire(now: NIODeadline) -> [Pipeline<Int>.Failed] { machine.expire(now: now) }
    func cancel(id: UInt64) -> Pipeline<Int>.Failed? { machine.cancel(id: id) }
    func close(_ reason: AerospikeError) -> [Pipeline<Int>.Failed] { machine.close(reason) }
    func isStalled(now: NIODeadline) -> Bool { machine.isStalled(now: now) }
}

extension Pipeline.Delivery {
    /// Who gets a whole reply.
    var receiver: Receiver? {
        if case .whole(let receiver, _) = self { receiver } else { nil }
    }
}

/// What a peer must not do to others than the one it answers.
struct PipelineBoundsTests {
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test func aBatchHasNoMoreAnswersThanCalls() throws {
        let machine = PipelineTests.machine()
        try PipelineTests.submit(1, to: machine, expecting: .batch(partsMax: 2))
        _ = machine.flush(now: start)
        for _ in 0..<2 {
            guard case .part(1, _) = try machine.received(PipelineTests.message, now: start) else { throw Unexpected() }
        }
        // Also when nobody waits any more.
        _ = machine.cancel(id: 1)
        #expect(throws: AerospikeError.self) { try machine.received(PipelineTests.message, now: start) }
        guard case .discard = try machine.received(PipelineTests.last(), now: start) else { throw Unexpected() }
    }

    @Test func closingTellsWhoseReplyWasToCome() throws {
        let machine = PipelineTests.machine()
        for number in 1...2 { try PipelineTests.submit(number, to: machine) }
        _ = machine.flush(now: start)
        #expect(machine.close(AerospikeError(.connection)).map(\.isInTurn) == [true, false])
    }

    @Test func nobodyIsInTurnIfTheFirstHasGivenUp() throws {
        let machine = PipelineTests.machine()
        for number in 1...2 { try PipelineTests.submit(number, to: machine) }
        _ = machine.flush(now: start)
        _ = machine.cancel(id: 1)
        #expect(machine.close(AerospikeError(.connection)).map(\.isInTurn) == [false])
    }

    @Test func silenceIsWhatNothingArrivesIn() throws {
        let machine = PipelineTests.machine()
        #expect(machine.machine.hasBeenSilent(since: start))
        try PipelineTests.submit(1, to: machine)
        _ = machine.flush(now: start)
        _ = try machine.received(PipelineTests.message, now: start + .seconds(1))
        #expect(!machine.machine.hasBeenSilent(since: start))
        #expect(machine.machine.hasBeenSilent(since: start + .seconds(2)))
    }

    @Test(arguments: [false, true])
    func whatWasGivenUpForItsBytesHasNotServed(sendsNonsense: Bool) throws {
        let machine = PipelineTests.machine()
        try PipelineTests.submit(1, to: machine)
        _ = machine.flush(now: start)
        #expect(!machine.machine.hasServed(since: start))
        _ = try machine.received(PipelineTests.message, now: start + .seconds(1))
        #expect(machine.machine.hasServed(since: start))
        let cause = sendsNonsense ? AerospikeError.malformed("nonsense") : AerospikeError(.connection)
        _ = machine.close(AerospikeError(.connection, "The connection has ended.", cause: cause))
        #expect(machine.machine.hasServed(since: start) == !sendsNonsense)
    }
}
