package import NIOCore

/// The way of a connection's requests: one after the other, each when the one before is answered.
///
/// It says what is to be done and does nothing itself.
package struct ConnectionMachine: Sendable {
    /// What the connection is about.
    private enum State: Sendable {
        /// It serves. Can transition to every other.
        case serving
        /// A request waits for other nodes. Can transition to `serving`, `holding`, `stalled` and `closed`.
        case waiting(PendingCall)
        /// A reply is held back. Can transition to `serving`, `stalled` and `closed`.
        case holding(SimulatedCluster.Reply)
        /// It says no more, and reads no more. Can transition to `closed`.
        case stalled
        /// It is over.
        case closed
    }

    /// What is to be done next.
    package enum Step: Sendable {
        /// Nothing, until more arrives or the connection is woken.
        case rest
        /// The request is to be carried out, and ``answered(_:)`` told what came of it.
        case serve(RequestFramer.Frame)
        /// The request is to be looked at again, and ``answered(_:)`` told what came of it.
        case resume(PendingCall)
        /// The bytes are to be written.
        case write(ByteBuffer)
        /// The connection is to be closed, for this reason if the client's bytes are one.
        case close(RequestFramer.Violation?)
    }

    private var state = State.serving
    private var framer: RequestFramer
    /// A request that the node could not take, for it stands still.
    private var returned: RequestFramer.Frame?
    /// What is to be done before the next request.
    private var steps: [Step] = []
    /// How many requests may still be carried out; as many as come while the client is there.
    private var servesLeft: Int?

    /// A connection at its beginning.
    ///
    /// - Parameter requestBytesMax: the longest request to read, in bytes.
    package init(requestBytesMax: Int) {
        framer = RequestFramer(bodyBytesMax: requestBytesMax)
    }

    /// When it is to be woken at the latest, in nanoseconds since 1970; nil if only by what happens.
    package var wakeAtNanoseconds: Int64? {
        switch state {
        case .waiting(let call): call.deadlineNanoseconds
        case .holding(let reply): reply.heldUntilNanoseconds
        case .serving, .stalled, .closed: nil
        }
    }

    /// Whether more is to be read: not while a request is there that is not answered yet.
    package var wantsBytes: Bool {
        if case .serving = state { returned == nil && !framer.hasFrame } else { false }
    }

    /// Whether a request waits for other nodes, or a reply for its time.
    package var isWaiting: Bool {
        switch state {
        case .waiting, .holding: true
        case .serving, .stalled, .closed: false
        }
    }

    /// Whether nothing can come of it any more.
    package var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    /// Takes in what arrived.
    package mutating func received(_ bytes: ByteBuffer) {
        switch state {
        case .stalled, .closed: break
        case .serving, .waiting, .holding: framer.feed(bytes)
        }
    }

    /// What is to be done now.
    ///
    /// - Parameters:
    ///   - nowNanoseconds: the time, in nanoseconds since 1970.
    ///   - isWoken: whether something happened that a waiting request may wait for.
    /// - Returns: the next step; it is to be asked again until that is ``Step/rest``.
    package mutating func next(nowNanoseconds: Int64, isWoken: Bool) -> Step {
        if !steps.isEmpty {
            return steps.removeFirst()
        }
        switch state {
        case .stalled, .closed: return .rest
        case .waiting(let call):
            guard isWoken || call.deadlineNanoseconds <= nowNanoseconds else { return .rest }
            return .resume(call)
        case .holding(let reply):
            guard reply.heldUntilNanoseconds ?? 0 <= nowNanoseconds else { return .rest }
            state = .serving
            finish(reply)
            return next(nowNanoseconds: nowNanoseconds, isWoken: isWoken)
        case .serving: break
        }
        if let servesLeft {
            guard servesLeft > 0 else {
                state = .closed
                return .rest
            }
            self.servesLeft = servesLeft - 1
        }
        if let frame = returned {
            returned = nil
            return .serve(frame)
        }
        do {
            guard let frame = try framer.next() else {
                if servesLeft != nil {
                    state = .closed
                }
                return .rest
            }
            return .serve(frame)
        } catch {
            state = .closed
            return .close(error)
        }
    }

    /// Takes in what came of the request that was to be carried out or looked at again.
    ///
    /// - Returns: whether the connection can go on; if not, the node stands still.
    package mutating func answered(_ outcome: SimulatedCluster.Outcome, _ frame: RequestFramer.Frame?) -> Bool {
        switch outcome {
        case .notRunning:
            if let frame {
                returned = frame
                servesLeft = servesLeft.map { $0 + 1 }
            }
            return false
        case .waiting(let call): state = .waiting(call)
        case .answered(let reply):
            state = .serving
            if reply.heldUntilNanoseconds != nil {
                state = .holding(reply)
            } else {
                finish(reply)
            }
        }
        return true
    }

    private mutating func finish(_ reply: SimulatedCluster.Reply) {
        if reply.bytes.readableBytes > 0 {
            steps.append(.write(reply.bytes))
        }
        switch reply.aftermath {
        case .goOn: break
        case .stall: state = .stalled
        case .close:
            state = .closed
            steps.append(.close(nil))
        }
    }

    /// Takes in that the node has closed the connection: nothing is carried out any more.
    package mutating func cut() {
        state = .closed
        steps = []
        returned = nil
    }

    /// Takes in that the client has closed the connection: no more than some requests are carried out now.
    package mutating func clientClosed(servesLeft: Int) {
        switch state {
        case .stalled, .holding, .closed: state = .closed
        case .serving, .waiting: self.servesLeft = servesLeft
        }
    }
}
