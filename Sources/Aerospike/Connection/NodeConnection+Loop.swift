import NIOCore
import Synchronization

/// What happens on the event loop.
extension NodeConnection {
    /// Sends what has gathered, unless the socket takes nothing now.
    func flush() {
        guard channel.isActive else { return }
        // Time runs for those too whose requests the socket does not take.
        let isWritable = channel.isWritable
        var taken: Pipeline<ReplyReceiver>.Batch?
        let (socket, expiry) = state.withLock { state in
            let socket = state.socket
            if socket != nil || isWritable {
                taken = state.pipeline.flush(now: .now(), directly: socket != nil)
            }
            return (socket, state.pipeline.nextCheck)
        }
        if var batch = taken.take() {
            if let socket {
                send(&batch, to: socket)
            } else {
                traffic.sent(requests: batch.requestCount, bytes: batch.requestBytes)
                channel.writeAndFlush(batch.bytes, promise: nil)
            }
        }
        if expiry < onLoop.value.nextCheck {
            check(at: expiry)
        }
    }

    /// The most deliveries for which room is kept.
    private static let deliveriesKeptMax = 128

    /// Hands out what arrived.
    func received(_ frames: [ReplyDecoder.Frame]) {
        let now = NIODeadline.now()
        var deliveries: [Pipeline<ReplyReceiver>.Delivery] = []
        swap(&deliveries, &onLoop.value.deliveries)
        let (error, flushes) = state.withLock { state -> (AerospikeError?, Bool) in
            do throws(AerospikeError) {
                for frame in frames {
                    deliveries.append(try state.pipeline.received(frame, now: now))
                }
            } catch {
                return (error, false)
            }
            let flushes = state.pipeline.admitWaiting()
            currentLoad.store(state.pipeline.load, ordering: .relaxed)
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
        if deliveries.count <= NodeConnection.deliveriesKeptMax {
            deliveries.removeAll(keepingCapacity: true)
            onLoop.value.deliveries = deliveries
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
        if reason.isOfBadBytes {
            common = AerospikeError(.connection, "The connection was given up for what the node sent.", cause: reason)
        }
        let failed = state.withLock { state in
            currentLoad.store(0, ordering: .relaxed)
            isClosed.store(true, ordering: .relaxed)
            state.socket = nil
            return state.pipeline.close(common)
        }
        for failure in failed {
            let error = failure.isInTurn ? reason : common
            failure.receiver.fail(CallFailure(error, wasSent: failure.wasSent))
        }
        channel.close(promise: nil)
    }

    private func check(at deadline: NIODeadline) {
        let onLoop = onLoop.value
        onLoop.scheduledCheck?.cancel()
        onLoop.nextCheck = deadline
        onLoop.scheduledCheck = eventLoop.scheduleTask(deadline: deadline) { self.expire() }
    }

    private func expire() {
        onLoop.value.nextCheck = .distantFuture
        onLoop.value.scheduledCheck = nil
        let now = NIODeadline.now()
        let (failed, next, isStalled) = state.withLock { state in
            let failed = state.pipeline.expire(now: now)
            return (failed, state.pipeline.nextCheck, state.pipeline.isStalled(now: now))
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
