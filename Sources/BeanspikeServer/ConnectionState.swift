import BeanspikeCore
import BeanstalkProtocol
import NIOCore

/// What one connection is in the middle of: a value with no I/O.
///
/// It keeps input that cannot be parsed yet, keeps local outcomes in their places among the store's replies, and
/// says when to parse, to read and to close. ``ConnectionHandler`` carries that out.
struct ConnectionState {
    private struct Place {
        /// How many of the connection's commands are answered before the outcome is due.
        var position: UInt64
        var outcome: LocalOutcome
    }

    private var parser: BeanstalkParser
    private let longRepliesMax: Int
    private let bodyBytesInFlightMax: Int

    /// What arrived and is not parsed.
    private(set) var input = ByteBuffer()
    /// Whether nothing in ``input`` can be parsed before more arrives.
    private var needsMoreInput = true

    /// Commands given to the store, and answered by it, since the connection began.
    private var submitted: UInt64 = 0
    private var answered: UInt64 = 0
    // Since the store last owed nothing:
    private var bodyBytesInFlight = 0
    private var longRepliesInFlight = 0

    private var places: [Place] = []
    private var placesDone = 0

    /// Whether the session waits in a `reserve`.
    var isBlocked = false
    /// Whether the peer takes what is written.
    var isWritable = true
    /// Whether the peer will send nothing more.
    var isInputClosed = false
    /// Whether the server will parse nothing more.
    var isStopping = false
    /// Whether a `put` came.
    private(set) var isProducer = false
    /// Whether a `reserve` came.
    private(set) var isWorker = false

    /// How many commands the store has answered.
    var answeredCount: UInt64 { answered }

    /// The state of a new connection.
    init(bodyBytesMax: Int, answersHealth: Bool) {
        parser = BeanstalkParser(bodyBytesMax: bodyBytesMax, answersHealth: answersHealth)
        longRepliesMax = ConnectionLimits.longRepliesMax(bodyBytesMax: bodyBytesMax)
        bodyBytesInFlightMax = max(ConnectionLimits.bodyBytesInFlightMax, bodyBytesMax)
    }

    /// Whether the store owes replies.
    var isOwed: Bool { submitted != answered }

    /// Whether there is something to parse and nothing against it.
    var mayParse: Bool { !needsMoreInput && isOpenForCommands }

    /// Whether to read from the peer.
    ///
    /// Where nothing may be parsed, a little is read all the same, so that the usual waiting consumer, who sends
    /// nothing, costs no change of what the event loop polls for.
    var wantsRead: Bool {
        !isInputClosed && !isStopping && !parser.hasEnded
            && (isOpenForCommands || input.readableBytes < ConnectionLimits.waitingInputBytesMax)
    }

    /// Whether everything that will ever be answered is.
    var isFinished: Bool {
        guard !isOwed, placesDone == places.count else { return false }
        return parser.hasEnded || isStopping || (isInputClosed && needsMoreInput)
    }

    private var isOpenForCommands: Bool {
        !isBlocked && isWritable && !isStopping && !parser.hasEnded
            && submitted &- answered < ConnectionLimits.commandsInFlightMax
            && bodyBytesInFlight < bodyBytesInFlightMax && longRepliesInFlight < longRepliesMax
    }

    /// Takes what arrived, without a copy where nothing waits.
    mutating func receive(_ buffer: inout ByteBuffer) {
        if input.readableBytes == 0 {
            swap(&input, &buffer)
        } else {
            input.writeBuffer(&buffer)
        }
        needsMoreInput = false
    }

    /// Parses what there is and may be parsed.
    ///
    /// - Parameters:
    ///   - isDraining: Whether jobs are turned away.
    ///   - batch: Where what was found goes; it is emptied before.
    ///   - submit: Called with the commands and the bytes they point to, if there are any.
    /// - Returns: Whether anything was found.
    mutating func parse(
        isDraining: Bool,
        into batch: inout ParsedCommands,
        submit: ([Command], UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        batch.removeAll()
        let longRepliesLeft = longRepliesMax - longRepliesInFlight
        let available = input.readableBytes
        // Taken out of self, so that the parser and the input are not both behind one access.
        var parser = self.parser
        let consumed = input.withUnsafeReadableBytes { bytes in
            let consumed = parser.parse(
                bytes,
                isDraining: isDraining,
                longRepliesMax: longRepliesLeft,
                into: &batch
            )
            if !batch.commands.isEmpty { submit(batch.commands, bytes) }
            return consumed
        }
        self.parser = parser
        input.moveReaderIndex(forwardBy: consumed)
        needsMoreInput = consumed == available || batch.longReplies < longRepliesLeft
        keepRest(consumed: consumed)
        if !batch.locals.isEmpty { keepPlaces(batch.locals) }
        submitted &+= UInt64(batch.commands.count)
        bodyBytesInFlight &+= batch.bodyBytes
        longRepliesInFlight &+= batch.longReplies
        return consumed > 0
    }

    /// The outcome that is due before the store's next reply, if there is one.
    @inline(__always)
    mutating func nextLocal() -> LocalOutcome? {
        placesDone == places.count ? nil : nextPlace()
    }

    /// Counts one reply of the store.
    ///
    /// - Returns: Whether it answers a `flush-tube`.
    @inline(__always)
    mutating func answer() -> Bool {
        var isFlush = false
        if placesDone < places.count { isFlush = takeFlush() }
        answered &+= 1
        if submitted == answered {
            bodyBytesInFlight = 0
            longRepliesInFlight = 0
        }
        return isFlush
    }

    /// Writes replies of the store, each with what is due behind it.
    ///
    /// - Parameters:
    ///   - batch: What the store handed out.
    ///   - range: Which of its entries; all are this connection's.
    ///   - output: Where to.
    ///   - encoder: What writes them.
    ///   - server: What `stats` shows beside the store's part.
    /// - Returns: Whether a job was reserved.
    mutating func write(
        _ batch: borrowing ReplyBatch,
        _ range: Range<Int>,
        to output: inout ByteBuffer,
        with encoder: inout BeanstalkReplyEncoder,
        server: () -> ServerStatistics
    ) -> Bool {
        var gotJob = false
        for index in range {
            let reply = batch.entries[index].reply
            if case .reserved = reply { gotJob = true }
            if answer(), case .truncated(let count) = reply {
                BeanstalkReplyEncoder.encodeFlushed(count, into: &output)
            } else if let job = reply.compressedJob {
                let (whole, body) = StoredBodies.decompress(reply, job, batch.bytes)
                encoder.encode(whole, bodies: body, into: &output, server: server)
            } else {
                encoder.encode(reply, bodies: batch.bytes, into: &output, server: server)
            }
            while let outcome = nextLocal() { BeanstalkReplyEncoder.encode(outcome, into: &output) }
        }
        return gotJob
    }

    /// Notes what the connection did; true where it is the first `put`.
    mutating func becomeProducer() -> Bool {
        defer { isProducer = true }
        return !isProducer
    }

    /// Notes what the connection did; true where it is the first `reserve`.
    mutating func becomeWorker() -> Bool {
        defer { isWorker = true }
        return !isWorker
    }

    /// Gives up the input: the connection is gone or going.
    mutating func dropInput() {
        input = ByteBuffer()
        needsMoreInput = true
    }

    // MARK: - Input

    /// Copies what is left of a read into a buffer of our own, so that the event loop gets its own back.
    ///
    /// What is left of a buffer that something was consumed of came with the last read, so all copies together cost
    /// no more than the reading did. A body that is not complete stays where it is and is appended to, unless it is
    /// the small beginning of a large buffer.
    private mutating func keepRest(consumed: Int) {
        let left = input.readableBytes
        if left == 0 {
            input = ByteBuffer()
        } else if consumed > 0 || input.readerIndex > 0 || input.capacity > 4 * max(left, 512) {
            var rest = ByteBuffer()
            rest.reserveCapacity(max(left, 512))
            rest.writeBuffer(&input)
            input = rest
        }
    }

    // MARK: - Places

    private mutating func keepPlaces(_ locals: [ParsedCommands.Local]) {
        for local in locals {
            places.append(Place(position: submitted &+ UInt64(local.position), outcome: local.outcome))
        }
    }

    private mutating func nextPlace() -> LocalOutcome? {
        let place = places[placesDone]
        guard place.position == answered, place.outcome != .flushTubeNext else { return nil }
        takePlace()
        return place.outcome
    }

    private mutating func takeFlush() -> Bool {
        let place = places[placesDone]
        guard place.position == answered, place.outcome == .flushTubeNext else { return false }
        takePlace()
        return true
    }

    private mutating func takePlace() {
        placesDone += 1
        if placesDone == places.count {
            places.removeAll(keepingCapacity: places.capacity <= 1_024)
            placesDone = 0
        }
    }
}
