package import NIOCore

/// The state of one pipelined connection: what is to be sent, who waits for which reply, and in which order.
///
/// A node answers in the order of the requests, so a request's place in line is all that ties a reply to it. A request
/// that nobody waits for any more (its time was up, or its caller was cancelled) keeps its place, and its reply is thrown
/// away when it comes.
///
/// It does no I/O and has no clock; ``NodeConnection`` carries out what it says.
package struct Pipeline<Receiver: Sendable>: Sendable {
    /// What bounds a connection's memory.
    package struct Limits: Sendable, Hashable {
        /// The most requests in flight.
        package var requestsMax = AerospikeLimits.requestsInFlightMax
        /// The most bytes of requests in flight; one request alone may be larger.
        package var bytesMax = AerospikeLimits.bytesInFlightMax
        /// The most callers that wait for room.
        package var waitingMax = AerospikeLimits.callsWaitingMax
        /// How long requests may be in flight without any reply before the connection is given up.
        package var stall = TimeAmount.seconds(5)

        package init() {}
    }

    /// What the reply to a request is made of.
    package enum ReplyShape: Sendable, Hashable {
        /// One message.
        case message
        /// Messages up to the one that is last, each with a code of its own; no more than so many besides the last.
        case batch(partsMax: Int)
        /// Messages up to the one that is last, or to one that says why there are no more.
        ///
        /// A query that is refused is answered as a call on one record is (aerospike-server 8.1, query/query.c and
        /// transaction/thr_tsvc.c).
        case query
        /// One body of text.
        case info
        /// One body about users.
        case security
    }

    /// A request that is in flight, or that waits for room.
    private struct Request: Sendable {
        var id: UInt64
        var shape: ReplyShape
        var deadline: NIODeadline
        /// Nil when nobody waits any more.
        var receiver: Receiver?
        var byteCount: Int
        /// How many messages of its reply have come.
        var partCount = 0
    }

    /// A request whose caller has to be told that it failed.
    package struct Failed: Sendable {
        package var receiver: Receiver
        /// Whether the request may have reached the node.
        package var wasSent: Bool
        /// Whether it was this request's reply that was to come next.
        package var isInTurn = false
    }

    /// What is to be sent at once.
    package struct Batch: Sendable {
        package var bytes: ByteBuffer
        /// How many requests for records there are in it.
        package var requestCount: Int
        /// How many bytes those are.
        package var requestBytes: Int
    }

    /// Who may write to the socket.
    private enum Writer: Sendable {
        /// Whoever comes first.
        case anybody
        /// A thread that was given a batch and has not said what became of it.
        case thread
        /// The channel, which has bytes that the socket did not take.
        case channel
    }

    /// What to do after a batch was written to the socket.
    package enum AfterWriting: Sendable {
        case nothing
        /// Write this too.
        case write(Batch)
        /// Have the event loop flush.
        case flush
        /// Have the channel write this, and say ``channelHasWritten()`` after it.
        case handOver(ByteBuffer)
    }

    /// What to do with something that arrived.
    package enum Delivery: Sendable {
        /// Nobody waits for it.
        case discard
        /// A part of a reply that goes on.
        case part(Receiver, ReplyDecoder.Frame)
        /// A reply, or the last part of one.
        case whole(Receiver, ReplyDecoder.Frame)
    }

    private let limits: Limits
    /// Sent, or about to be, in order.
    private var inFlight = CircularBuffer<Request>()
    /// How many of `inFlight`, at its end, are still in `outbound`.
    private var unsentCount = 0
    private var outbound = ByteBuffer()
    /// Room for the next `outbound`.
    private var spare = ByteBuffer()
    private var writer = Writer.anybody
    private var bytesInFlight = 0
    /// Those that found no room, with their requests.
    private var waiting = CircularBuffer<(request: Request, bytes: ByteBuffer)>()
    /// How many requests for records are in `outbound`, and of how many bytes.
    private var traffic = (requests: 0, bytes: 0)
    /// When something last happened that shows the node to be alive.
    private var lastProgress = NIODeadline.distantFuture
    /// When something last arrived.
    private var lastReply: NIODeadline?
    private var closedBy: AerospikeError?
    /// Whether a flush was asked for and has not come.
    private var flushIsDue = false
    /// No request's time is up before this.
    private var nextExpiry = NIODeadline.distantFuture
    /// When whoever calls ``expire(now:)`` will do so.
    private var knownCheck = NIODeadline.distantFuture

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Requests that are sent, about to be or waiting for room.
    package var load: Int { inFlight.count + waiting.count }

    package var isClosed: Bool { closedBy != nil }

    /// When ``expire(now:)`` and ``isStalled(now:)`` are to be asked next.
    package var nextCheck: NIODeadline {
        guard inFlight.count > unsentCount else { return nextExpiry }
        return min(nextExpiry, lastProgress + limits.stall)
    }

    // MARK: Sending

    /// Takes in a request.
    ///
    /// - Parameters:
    ///   - id: a number by which the request can be cancelled.
    ///   - shape: what its reply is made of.
    ///   - deadline: when its caller stops waiting.
    ///   - receiver: who is told.
    ///   - write: writes the request; if it throws, nothing has happened.
    /// - Returns: whether a flush has to be arranged.
    /// - Throws: what `write` threw, ``ResultCode/queueFull``, or why the connection is closed.
    package mutating func submit(
        id: UInt64,
        expecting shape: ReplyShape,
        deadline: NIODeadline,
        receiver: Receiver,
        write: (inout ByteBuffer) throws(AerospikeError) -> Void
    ) throws(AerospikeError) -> Bool {
        if let closedBy {
            throw closedBy
        }
        var request = Request(id: id, shape: shape, deadline: deadline, receiver: receiver, byteCount: 0)
        if hasRoom, waiting.isEmpty {
            let start = outbound.writerIndex
            try write(&outbound)
            request.byteCount = outbound.writerIndex - start
            enqueue(request)
        } else {
            guard waiting.count < limits.waitingMax else {
                throw AerospikeError(.queueFull, "\(waiting.count) calls wait for this connection already.")
            }
            var bytes = ByteBuffer()
            try write(&bytes)
            request.byteCount = bytes.readableBytes
            waiting.append((request, bytes))
        }
        nextExpiry = min(nextExpiry, deadline)
        return askForFlush()
    }

    /// Gives out what the channel, or the event loop's thread itself, is to send now.
    ///
    /// ``nextCheck`` is to be looked at afterwards.
    ///
    /// - Parameters:
    ///   - now: the time.
    ///   - directly: whether the thread writes to the socket, and will say ``wrote(_:goesOn:now:)``.
    /// - Returns: the batch; nil if there is nothing to send, or somebody else is sending.
    package mutating func flush(now: NIODeadline, directly: Bool = false) -> Batch? {
        flushIsDue = false
        let batch = writer == .anybody ? takeBatch(now: now, directly: directly) : nil
        knownCheck = min(knownCheck, nextCheck)
        return batch
    }

    /// What a caller's own thread is to write to the socket after it submitted something, in place of the flush that it was
    /// told to arrange; nil if it has to arrange that after all.
    ///
    /// It writes itself if nothing is on its way, because then nobody has to be waked for it. Else the event loop is at work
    /// anyway, and what gathers until it comes around leaves in one write.
    ///
    /// - Parameter now: the time.
    /// - Returns: the batch; ``wrote(_:goesOn:now:)`` has to be told what became of it.
    package mutating func takeOver(now: NIODeadline) -> Batch? {
        guard flushIsDue, writer == .anybody, inFlight.count == unsentCount else { return nil }
        // The event loop has to know when to look after what is sent.
        guard min(nextExpiry, now + limits.stall) >= knownCheck else { return nil }
        flushIsDue = false
        return takeBatch(now: now, directly: true)
    }

    /// Takes note that a thread has written its batch.
    ///
    /// - Parameters:
    ///   - bytes: the batch's, without what the socket took; nothing is left of them.
    ///   - goesOn: whether the thread can write what has gathered meanwhile.
    ///   - now: the time.
    /// - Returns: what the thread has to do next.
    package mutating func wrote(_ bytes: inout ByteBuffer, goesOn: Bool, now: NIODeadline) -> AfterWriting {
        guard closedBy == nil else { return .nothing }
        guard bytes.readableBytes == 0 else {
            writer = .channel
            defer { bytes = ByteBuffer() }
            return .handOver(bytes)
        }
        if bytes.capacity <= Pipeline.spareBytesMax {
            swap(&bytes, &spare)
            spare.clear()
        }
        writer = .anybody
        if goesOn, !flushIsDue, let batch = takeBatch(now: now, directly: true) {
            return .write(batch)
        }
        return askForFlush() ? .flush : .nothing
    }

    /// Takes note that the channel has written what was handed over to it; tells whether a flush has to be arranged.
    package mutating func channelHasWritten() -> Bool {
        guard closedBy == nil else { return false }
        writer = .anybody
        return askForFlush()
    }

    private mutating func takeBatch(now: NIODeadline, directly: Bool) -> Batch? {
        guard outbound.readableBytes > 0 else { return nil }
        if unsentCount == inFlight.count {
            lastProgress = now
        }
        unsentCount = 0
        let batch = Batch(bytes: outbound, requestCount: traffic.requests, requestBytes: traffic.bytes)
        outbound = spare
        spare = ByteBuffer()
        traffic = (0, 0)
        if directly {
            writer = .thread
        }
        return batch
    }

    /// The largest buffer that is kept for its room.
    private static var spareBytesMax: Int { 1 << 16 }

    private var hasRoom: Bool {
        inFlight.count < limits.requestsMax && (bytesInFlight < limits.bytesMax || inFlight.isEmpty)
    }

    private mutating func enqueue(_ request: Request) {
        inFlight.append(request)
        unsentCount += 1
        bytesInFlight += request.byteCount
        if request.shape != .info, request.shape != .security {
            traffic.requests += 1
            traffic.bytes += request.byteCount
        }
    }

    private mutating func askForFlush() -> Bool {
        // Whoever writes looks afterwards what has gathered.
        let canWrite = writer == .anybody && outbound.readableBytes > 0
        guard !flushIsDue, canWrite || nextExpiry < knownCheck else { return false }
        flushIsDue = true
        return true
    }

    // MARK: Receiving

    /// Finds whose reply something that arrived is.
    ///
    /// - Throws: ``ResultCode/malformedReply`` for a reply that nobody can have asked for; the connection is of no more
    ///   use then.
    package mutating func received(
        _ frame: ReplyDecoder.Frame,
        now: NIODeadline
    ) throws(AerospikeError) -> Delivery {
        guard let first = inFlight.first, inFlight.count > unsentCount else {
            throw .malformed("a reply that nobody asked for")
        }
        lastProgress = now
        lastReply = now
        let isLast: Bool
        switch (first.shape, frame) {
        case (.message, .message(_, let endsBody)):
            guard endsBody else { throw .malformed("more than one message in reply to a call on one record") }
            isLast = true
        case (.batch(let partsMax), .message(let message, _)):
            isLast = message.isLast
            // Also when nobody waits any more: a reply without an end would hold up the connection for ever.
            guard isLast || first.partCount < partsMax else { throw .malformed("more answers than a batch has calls") }
            inFlight[inFlight.startIndex].partCount += 1
        case (.query, .message(let message, _)):
            isLast = message.isLast || message.resultCode != .ok && message.donePartitionID == nil
        case (.info, .info), (.security, .security): isLast = true
        default: throw .malformed("a reply of another kind than was asked for")
        }
        guard isLast else {
            return first.receiver.map { .part($0, frame) } ?? .discard
        }
        inFlight.removeFirst()
        bytesInFlight -= first.byteCount
        return first.receiver.map { .whole($0, frame) } ?? .discard
    }

    /// Lets requests that wait in, as far as there is room, and tells whether a flush has to be arranged.
    package mutating func admitWaiting() -> Bool {
        while hasRoom, var (request, bytes) = waiting.popFirst() {
            request.byteCount = bytes.readableBytes
            outbound.writeBuffer(&bytes)
            enqueue(request)
        }
        return askForFlush()
    }

    // MARK: Giving up

    /// Those whose time is up.
    package mutating func expire(now: NIODeadline) -> [Failed] {
        var failed: [Failed] = []
        var next = NIODeadline.distantFuture
        for index in inFlight.indices where inFlight[index].receiver != nil {
            if inFlight[index].deadline <= now {
                failed.append(abandon(index))
            } else {
                next = min(next, inFlight[index].deadline)
            }
        }
        if !waiting.isEmpty {
            var staying = CircularBuffer<(request: Request, bytes: ByteBuffer)>()
            for (request, bytes) in waiting {
                if request.deadline <= now, let receiver = request.receiver {
                    failed.append(Failed(receiver: receiver, wasSent: false))
                } else {
                    next = min(next, request.deadline)
                    staying.append((request, bytes))
                }
            }
            waiting = staying
        }
        nextExpiry = next
        knownCheck = nextCheck
        return failed
    }

    /// Whether nothing has arrived from a time on.
    package func hasBeenSilent(since start: NIODeadline) -> Bool {
        lastReply.map { $0 < start } ?? true
    }

    /// Whether it was of use from a time on: replies came, and it was not given up for what came.
    package func hasServed(since start: NIODeadline) -> Bool {
        !hasBeenSilent(since: start) && (closedBy?.cause as? AerospikeError)?.isOfBadBytes != true
    }

    /// Whether requests have been in flight for too long without any reply.
    package func isStalled(now: NIODeadline) -> Bool {
        inFlight.count > unsentCount && lastProgress + limits.stall <= now
    }

    /// Ends a caller's wait; nil if its reply came before.
    package mutating func cancel(id: UInt64) -> Failed? {
        for index in inFlight.indices where inFlight[index].id == id {
            guard inFlight[index].receiver != nil else { return nil }
            return abandon(index)
        }
        for index in waiting.indices where waiting[index].request.id == id {
            guard let receiver = waiting.remove(at: index).request.receiver else { return nil }
            return Failed(receiver: receiver, wasSent: false)
        }
        return nil
    }

    /// Closes the pipeline: nothing is sent or received any more.
    ///
    /// - Returns: all who waited.
    package mutating func close(_ reason: AerospikeError) -> [Failed] {
        guard closedBy == nil else { return [] }
        closedBy = reason
        let sentCount = inFlight.count - unsentCount
        var failed: [Failed] = []
        for (request, offset) in zip(inFlight, 0...) {
            if let receiver = request.receiver {
                failed.append(
                    Failed(receiver: receiver, wasSent: offset < sentCount, isInTurn: offset == 0 && sentCount > 0)
                )
            }
        }
        for (request, _) in waiting {
            if let receiver = request.receiver {
                failed.append(Failed(receiver: receiver, wasSent: false))
            }
        }
        inFlight.removeAll()
        waiting.removeAll()
        outbound = ByteBuffer()
        spare = ByteBuffer()
        unsentCount = 0
        nextExpiry = .distantFuture
        return failed
    }

    /// Forgets who waits for a request, whose place in line stays.
    ///
    /// What is not sent yet will be: cutting it out of the buffer would cost more than it saves, and so it is told as sent.
    private mutating func abandon(_ index: CircularBuffer<Request>.Index) -> Failed {
        guard let receiver = inFlight[index].receiver else {
            preconditionFailure("Only a request that somebody waits for can be abandoned.")
        }
        inFlight[index].receiver = nil
        return Failed(receiver: receiver, wasSent: true)
    }
}
