package import NIOCore
import Synchronization

/// One pipelined connection to a node, to be used from any thread.
///
/// Callers write their requests into one buffer, which the event loop sends as often as it comes around: calls that meet
/// leave together. While nothing is on its way, a caller's own thread sends instead, which saves waking the event loop's.
/// ``Pipeline`` decides; this class carries out what it says.
package final class NodeConnection: Sendable {
    /// Where the connection's I/O happens.
    package let eventLoop: any EventLoop

    let channel: any Channel
    let state: Mutex<State>
    let traffic: TrafficCounters
    private let nextID = Atomic<UInt64>(0)
    /// A copy of the pipeline's load, to be read without its lock.
    let currentLoad = Atomic<Int>(0)
    /// A copy of whether the pipeline is closed, for the same reason.
    let isClosed = Atomic<Bool>(false)
    /// What only the event loop touches.
    let onLoop: NIOLoopBound<OnLoop>

    struct State {
        var pipeline: Pipeline<ReplyReceiver>
        /// The channel's socket, if it can be written to without the channel and the connection is not closed.
        var socket: DirectSocket?
    }

    final class OnLoop {
        /// When it looks after expired requests next, in the clock of `NIODeadline`.
        var nextCheck = NIODeadline.distantFuture
        var scheduledCheck: Scheduled<Void>?
        /// Empty; kept for its room.
        var deliveries: [Pipeline<ReplyReceiver>.Delivery] = []
    }

    /// A connection over a channel that is open, and on whose event loop this is called.
    ///
    /// - Parameters:
    ///   - channel: the channel.
    ///   - socket: its socket, if what is sent need not go through the channel.
    ///   - limits: what bounds the connection.
    ///   - traffic: where what it sends is counted.
    init(
        channel: any Channel,
        socket: DirectSocket?,
        limits: Pipeline<ReplyReceiver>.Limits,
        traffic: TrafficCounters
    ) {
        self.channel = channel
        self.traffic = traffic
        eventLoop = channel.eventLoop
        state = Mutex(State(pipeline: Pipeline(limits: limits), socket: socket))
        onLoop = NIOLoopBound(OnLoop(), eventLoop: channel.eventLoop)
    }

    /// How many requests are in flight or wait for room.
    package var load: Int { currentLoad.load(ordering: .relaxed) }

    /// Whether the connection can be used.
    package var isOpen: Bool { !isClosed.load(ordering: .relaxed) }

    /// Whether nothing has arrived from a time on.
    package func hasBeenSilent(since start: NIODeadline) -> Bool {
        state.withLock { $0.pipeline.hasBeenSilent(since: start) }
    }

    /// Whether it was of use from a time on: replies came, and it was not given up for what came.
    package func hasServed(since start: NIODeadline) -> Bool {
        state.withLock { $0.pipeline.hasServed(since: start) }
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
        // Calls that are made on the event loop leave together, once all that it has to do now is done.
        let canWrite = !eventLoop.inEventLoop
        var taken: (batch: Pipeline<ReplyReceiver>.Batch, socket: DirectSocket)?
        let outcome: Result<Bool, AerospikeError> = state.withLock { state in
            do throws(AerospikeError) {
                let flushes = try state.pipeline.submit(
                    id: id,
                    expecting: shape,
                    deadline: deadline,
                    receiver: receiver,
                    write: write
                )
                currentLoad.store(state.pipeline.load, ordering: .relaxed)
                guard flushes, canWrite, let socket = state.socket, let batch = state.pipeline.takeOver(now: .now())
                else { return .success(flushes) }
                taken = (batch, socket)
                return .success(false)
            } catch {
                return .failure(error)
            }
        }
        switch outcome {
        case .success(false):
            if let socket = taken?.socket, var batch = taken.take()?.batch {
                send(&batch, to: socket)
            }
        case .success(true): eventLoop.execute { self.flush() }
        case .failure(let error): receiver.fail(CallFailure(error, wasSent: false))
        }
    }

    /// Writes to the socket, on any thread, what the pipeline gave out for it.
    ///
    /// - Parameters:
    ///   - batch: what to write; if nobody else has its buffer, the next requests are written into it.
    ///   - socket: the socket, which stays open as long as this has it.
    func send(_ batch: inout Pipeline<ReplyReceiver>.Batch, to socket: DirectSocket) {
        var goesOn = true
        while true {
            traffic.sent(requests: batch.requestCount, bytes: batch.requestBytes)
            if case .broken(let code) = socket.send(&batch.bytes) {
                let cause = IOError(errnoCode: code, reason: "send")
                fail(AerospikeError(.connection, "The connection broke.", cause: cause))
                return
            }
            let next = state.withLock {
                $0.pipeline.wrote(&batch.bytes, goesOn: goesOn, now: .now())
            }
            switch next {
            case .nothing: return
            case .write(let more):
                batch = more
                // This thread is a caller's, which has something of its own to do.
                goesOn = false
            case .flush:
                eventLoop.execute { self.flush() }
                return
            case .handOver(let bytes):
                let written = eventLoop.makePromise(of: Void.self)
                written.futureResult.whenComplete { _ in
                    if self.state.withLock({ $0.pipeline.channelHasWritten() }) {
                        self.flush()
                    }
                }
                channel.writeAndFlush(bytes, promise: written)
                return
            }
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
                    receiver: ReplyReceiver(waiter: .caller(continuation), part: part),
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

    /// Sends a request for a record, and tells a function what came of it.
    ///
    /// - Parameters:
    ///   - deadline: when to stop waiting.
    ///   - write: writes the request.
    ///   - completion: is told the reply, once, on the connection's event loop; if this is called there, perhaps before it
    ///     returns.
    package func message(
        deadline: NIODeadline,
        write: (inout ByteBuffer) throws(AerospikeError) -> Void,
        completion: @escaping @Sendable (Result<ReplyMessage, CallFailure>) -> Void
    ) {
        let receiver = ReplyReceiver(
            waiter: .function { [eventLoop] result in
                let result = result.flatMap { frame -> Result<ReplyMessage, CallFailure> in
                    guard case .message(let message, _) = frame else { return .failure(Self.otherKind) }
                    return .success(message)
                }
                // Anybody may close the connection.
                if eventLoop.inEventLoop { completion(result) } else { eventLoop.execute { completion(result) } }
            },
            part: nil
        )
        submit(
            id: nextID.add(1, ordering: .relaxed).newValue,
            expecting: .message,
            deadline: deadline,
            receiver: receiver,
            write: write
        )
    }

    private static let otherKind = CallFailure(
        .malformed("a reply of another kind than was asked for"),
        wasSent: true
    )

    /// Sends a request for records and waits for its reply; see ``request(expecting:deadline:part:write:)``.
    package func message(
        expecting shape: Pipeline<ReplyReceiver>.ReplyShape = .message,
        deadline: NIODeadline,
        part: (@Sendable (ReplyMessage) -> Void)? = nil,
        write: (inout ByteBuffer) throws(AerospikeError) -> Void
    ) async throws(CallFailure) -> ReplyMessage {
        let frame = try await request(expecting: shape, deadline: deadline, part: part, write: write)
        guard case .message(let message, _) = frame else {
            throw Self.otherKind
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
        let failed = state.withLock { $0.pipeline.cancel(id: id) }
        failed?.receiver.fail(CallFailure(AerospikeError(.cancelled), wasSent: failed?.wasSent ?? false))
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
