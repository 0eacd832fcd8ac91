package import NIOCore
import Synchronization

/// One pipelined connection to a node, to be used from any thread.
///
/// Callers write their requests into one buffer, which the event loop sends as often as it comes around: calls that meet
/// leave together. ``Pipeline`` decides; this class carries out what it says.
package final class NodeConnection: Sendable {
    /// Where the connection's I/O happens.
    package let eventLoop: any EventLoop

    private let channel: any Channel
    private let pipeline: Mutex<Pipeline<ReplyReceiver>>
    private let traffic: TrafficCounters
    private let nextID = Atomic<UInt64>(0)
    /// A copy of the pipeline's load, to be read without its lock.
    private let currentLoad = Atomic<Int>(0)
    /// A copy of whether the pipeline is closed, for the same reason.
    private let isClosed = Atomic<Bool>(false)
    /// When the event loop looks after expired requests next, in the clock of `NIODeadline`; only touched there.
    private let nextCheck: NIOLoopBound<NextCheck>

    private final class NextCheck {
        var deadline = NIODeadline.distantFuture
        var scheduled: Scheduled<Void>?
    }

    /// A connection over a channel that is open, and on whose event loop this is called.
    init(channel: any Channel, limits: Pipeline<ReplyReceiver>.Limits, traffic: TrafficCounters) {
        self.channel = channel
        self.traffic = traffic
        eventLoop = channel.eventLoop
        pipeline = Mutex(Pipeline(limits: limits))
        nextCheck = NIOLoopBound(NextCheck(), eventLoop: channel.eventLoop)
    }

    /// How many requests are in flight or wait for room.
    package var load: Int { currentLoad.load(ordering: .relaxed) }

    /// Whether the connection can be used.
    package var isOpen: Bool { !isClosed.load(ordering: .relaxed) }

    /// Whether nothing has arrived from a time on.
    package func hasBeenSilent(since start: NIODeadline) -> Bool {
        pipeline.withLock { $0.hasBeenSilent(since: start) }
    }

    /// Completes when the connection is closed, by whomever.
    package var closed: EventLoopFuture<Void> { channel.closeFuture }

    /// Closes the connection; those who wait for replies are told.
    package func close(_ reason: AerospikeError = AerospikeError(.connection, "The client closed the connection.")) {
        fail(reason)
    }

    // MARK: Requests

    /// Sends a request, or lets it wait for room.
    ///
    /// - Parameters:
    ///   - id: a number of its own, by which it can be cancelled.
    ///   - shape: what the reply is made of.
    ///   - deadline: when the caller stops waiting.
    ///   - receiver: who is told; always, also if the request is refused.
    ///   - write: writes the request.
    private func submit(
        id: UInt64,
        expecting shape: Pipeline<ReplyReceiver>.ReplyShape,
        deadline: NIODeadline,
        receiver: ReplyReceiver,
        write: (inout ByteBuffer) throws(AerospikeError) -> Void
    ) {
        let outcome: Result<Bool, AerospikeError> = pipeline.withLock { pipeline in
            do throws(AerospikeError) {
                let flushes = try pipeline.submit(
                    id: id,
                    expecting: shape,
                    deadline: deadline,
                    receiver: receiver,
                    write: write
                )
                currentLoad.store(pipeline.load, ordering: .relaxed)
                return .success(flushes)
            } catch {
                return .failure(error)
            }
        }
        switch outcome {
        case .success(false): break
        case .success(true): eventLoop.execute { self.flush() }
        case .failure(let error): receiver.fail(CallFailure(error, wasSent: false))
        }
    }

    /// Sends a request and waits for its reply.
    ///
    /// Cancelling the task ends the wait, not the connection.
    ///
    /// - Parameters:
    ///   - shape: what the reply is made of.
    ///   - deadline: when to stop waiting.
    ///   - part: takes what comes before the last message of a reply of several, on the connection's event loop.
    ///   - write: writes the request.
    /// - Returns: the reply, or the last message of it.
    /// - Throws: ``CallFailure``.
    package func request(
        expecting shape: Pipeline<ReplyReceiver>.ReplyShape,
        deadline: NIODeadline,
        part: (@Sendable (ReplyMessage) -> Void)? = nil,
        write: (inout ByteBuffer) throws(AerospikeError) -> Void
    ) async throws(CallFailure) -> ReplyDecoder.Frame {
        let id = nextID.add(1, ordering: .relaxed).newValue
        let result = await withTaskCancellationHandler {
            await withCallContinuation { continuation in
                submit(
                    id: id,
                    expecting: shape,
                    deadline: deadline,
                    receiver: ReplyReceiver(continuation: continuation, part: part),
                    write: write
                )
                // The handler may have run before there was anything to cancel.
                if Task.isCancelled {
                    cancel(id)
                }
            }
        } onCancel: {
            cancel(id)
        }
        return try result.get()
    }

    /// Sends a request for records and waits for its reply; see ``request(expecting:deadline:part:write:)``.
    package func message(
        expecting shape: Pipeline<ReplyReceiver>.ReplyShape = .message,
        deadline: NIODeadline,
        part: (@Sendable (ReplyMessage) -> Void)? = nil,
        write: (inout ByteBuffer) throws(AerospikeError) -> Void
    ) async throws(CallFailure) -> ReplyMessage {
        let frame = try await request(expecting: shape, deadline: deadline, part: part, write: write)
        guard case .message(let message, _) = frame else {
            throw CallFailure(.malformed("a reply of another kind than was asked for"), wasSent: true)
        }
        return message
    }

    /// Asks for the values of some names.
    ///
    /// - Throws: ``AerospikeError``.
    package func info(_ names: [String], deadline: NIODeadline) async throws(AerospikeError) -> [String: String] {
        let frame: ReplyDecoder.Frame
        do {
            frame = try await request(expecting: .info, deadline: deadline) { buffer throws(AerospikeError) in
                try InfoMessage.write(names, into: &buffer)
            }
        } catch {
            throw error.error
        }
        guard case .info(let body) = frame else { throw .malformed("another reply than to an info request") }
        return try InfoMessage.parse(body)
    }

    /// Ends a caller's wait; its request keeps its place in line.
    private func cancel(_ id: UInt64) {
        let failed = pipeline.withLock { $0.cancel(id: id) }
        failed?.receiver.fail(CallFailure(AerospikeError(.cancelled), wasSent: failed?.wasSent ?? false))
    }

    // MARK: On the event loop

    /// Sends what has gathered, unless the socket takes nothing now.
    func flush() {
        guard channel.isActive else { return }
        // Time runs for those too whose requests the socket does not take.
        let isWritable = channel.isWritable
        let (batch, expiry) = pipeline.withLock { pipeline in
            (isWritable ? pipeline.flush(now: .now()) : nil, pipeline.nextCheck)
        }
        if let batch {
            traffic.sent(requests: batch.requestCount, bytes: batch.requestBytes)
            channel.writeAndFlush(batch.bytes, promise: nil)
        }
        if expiry < nextCheck.value.deadline {
            check(at: expiry)
        }
    }

    /// Hands out what arrived.
    func received(_ frames: [ReplyDecoder.Frame]) {
        let now = NIODeadline.now()
        var deliveries: [Pipeline<ReplyReceiver>.Delivery] = []
        deliveries.reserveCapacity(frames.count)
        let (error, flushes) = pipeline.withLock { pipeline -> (AerospikeError?, Bool) in
            do throws(AerospikeError) {
                for frame in frames {
                    deliveries.append(try pipeline.received(frame, now: now))
                }
            } catch {
                return (error, false)
            }
            let flushes = pipeline.admitWaiting()
            currentLoad.store(pipeline.load, ordering: .relaxed)
            return (nil, flushes)
        }
        for delivery in deliveries {
            switch delivery {
            case .discard: break
            case .part(let receiver, let frame):
                if case .message(let message, _) = frame {
                    receiver.part?(message)
                }
            case .whole(let receiver, let frame): receiver.succeed(frame)
            }
        }
        if let error {
            fail(error)
        } else if flushes {
            flush()
        }
    }

    /// Closes the connection, and tells those who wait why.
    func fail(_ reason: AerospikeError) {
        // Bytes that are not the protocol concern the one whose reply they are in the place of. The others lost nothing but
        // their connection.
        var common = reason
        if reason.code == .malformedReply || reason.code == .unsupportedFeature {
            common = AerospikeError(.connection, "The connection was given up for what the node sent.", cause: reason)
        }
        let failed = pipeline.withLock { pipeline in
            currentLoad.store(0, ordering: .relaxed)
            isClosed.store(true, ordering: .relaxed)
            return pipeline.close(common)
        }
        for failure in failed {
            let error = failure.isInTurn ? reason : common
            failure.receiver.fail(CallFailure(error, wasSent: failure.wasSent))
        }
        channel.close(promise: nil)
    }

    private func check(at deadline: NIODeadline) {
        let check = nextCheck.value
        check.scheduled?.cancel()
        check.deadline = deadline
        check.scheduled = eventLoop.scheduleTask(deadline: deadline) { self.expire() }
    }

    private func expire() {
        nextCheck.value.deadline = .distantFuture
        nextCheck.value.scheduled = nil
        let now = NIODeadline.now()
        let (failed, next, isStalled) = pipeline.withLock { pipeline in
            let failed = pipeline.expire(now: now)
            return (failed, pipeline.nextCheck, pipeline.isStalled(now: now))
        }
        for failure in failed {
            let error = AerospikeError(.timeout, "No reply came in time.")
            failure.receiver.fail(CallFailure(error, wasSent: failure.wasSent))
        }
        if isStalled {
            fail(AerospikeError(.connection, "The node has not answered anything for a long time."))
        } else if next < .distantFuture {
            check(at: next)
        }
    }
}

/// Suspends the caller until its continuation is resumed.
@inline(__always)
private func withCallContinuation(
    _ body: (CallContinuation) -> Void
) async -> Result<ReplyDecoder.Frame, CallFailure> {
    #if DEBUG
        await withCheckedContinuation(body)
    #else
        await withUnsafeContinuation(body)
    #endif
}
