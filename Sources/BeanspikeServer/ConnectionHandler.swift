import BeanspikeCore
import BeanstalkProtocol
import NIOCore

/// One client's connection: bytes in, bytes out; ``ConnectionState`` decides, this carries out.
///
/// Everything that one read brought goes to the store in one call, and everything the store answers leaves in one
/// write with one flush: no promise, no task and no allocation for a command.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let loop: ServerLoop
    private var state: ConnectionState
    private var session: SessionID?
    private var context: ChannelHandlerContext?
    /// Replies that are not yet written.
    private var output = ByteBuffer()
    private var hasOutput = false
    /// Whether the loop has this connection on its list of those that got replies.
    private var isListed = false
    private var isWorking = false
    /// The generation of ``ReturnWatch`` that it was last answered in, or 0 when it has sent something since.
    private var answeredIn: UInt32 = 0
    private var isReadHeld = false
    private var isClosing = false
    private var hasLeft = false
    private var lastActivity = NIODeadline.uptimeNanoseconds(0)
    private var idleCheck: Scheduled<Void>?

    init(loop: ServerLoop) {
        self.loop = loop
        state = ConnectionState(bodyBytesMax: loop.options.bodyBytesMax, answersHealth: loop.options.answersHealth)
    }

    // MARK: - Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { open(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        leave()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) { open(context) }

    func channelInactive(context: ChannelHandlerContext) {
        idleCheck?.cancel()
        idleCheck = nil
        isClosing = true
        state.isStopping = true
        state.dropInput()
        output = ByteBuffer()
        hasOutput = false
        leave()
        guard let session else { return }
        self.session = nil
        loop.remove(session)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        guard !isClosing else { return }
        if loop.options.idleTimeout != nil { lastActivity = loop.eventLoop.now }
        if answeredIn != 0 {
            loop.heard(answeredIn)
            answeredIn = 0
        }
        state.receive(&buffer)
        work()
    }

    func read(context: ChannelHandlerContext) {
        if state.wantsRead {
            context.read()
        } else {
            // Reading is taken up when there is room again. A peer that closes its side is noticed all the same:
            // NIO then reads what the kernel holds and tells us.
            isReadHeld = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        state.isWritable = context.channel.isWritable
        if state.isWritable { work() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            state.isInputClosed = true
            work()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset by the peer, most often.
        context.close(promise: nil)
    }

    // MARK: - Replies

    /// Takes replies of the store, one after the other.
    ///
    /// A run of them at once, so that what they change is looked up, and checked for exclusive access, once.
    ///
    /// - Parameters:
    ///   - range: Which of the batch's entries; all are this connection's.
    ///   - batch: What the store handed out.
    /// - Returns: Whether they are the first since ``proceed()``, which has to follow.
    func take(_ range: Range<Int>, of batch: borrowing ReplyBatch) -> Bool {
        makeOutput()
        let counters = loop.counters
        let gotJob = state.write(batch, range, to: &output, with: &loop.encoder) { counters.statistics() }
        if gotJob, !state.isWorker { noteWorker() }
        if isListed { return false }
        isListed = true
        return true
    }

    /// Writes the replies that were taken and goes on with what waited for them.
    func proceed() {
        isListed = false
        work()
    }

    private func writeLocals() {
        while let outcome = state.nextLocal() {
            makeOutput()
            BeanstalkReplyEncoder.encode(outcome, into: &output)
        }
    }

    @inline(__always)
    private func makeOutput() {
        if hasOutput { return }
        output = loop.takeBuffer()
        hasOutput = true
    }

    // MARK: - Work

    /// Parses, submits, writes, until there is nothing to do before something happens.
    private func work() {
        // What happens inside, such as a change of writability, is seen by the loop below.
        guard !isWorking, !isClosing, let context, let session else { return }
        isWorking = true
        repeat {
            if state.isBlocked { lookWhetherBlocked(session) }
            while state.mayParse, parse(session) {
                loop.collect()
                if state.isBlocked { lookWhetherBlocked(session) }
            }
            flush(context)
        } while state.mayParse && !isClosing
        isWorking = false
        if isReadHeld, state.wantsRead {
            isReadHeld = false
            context.read()
        }
        if state.isFinished { closeWhenWritten(context) }
    }

    /// Asks the store whether the client still waits.
    ///
    /// One that will send nothing more waits no longer (prot.c, STATE_WAIT with a half-closed peer).
    private func lookWhetherBlocked(_ session: SessionID) {
        state.isBlocked = loop.port.isBlocked(session)
        while state.isBlocked, state.isInputClosed {
            let answered = state.answeredCount
            loop.port.endWait(session)
            loop.collect()
            state.isBlocked = loop.port.isBlocked(session)
            // The answer may be on its way: then it brings us here again.
            if state.answeredCount == answered { return }
        }
    }

    /// Gives the store what can be given; false where there was no whole command.
    private func parse(_ session: SessionID) -> Bool {
        let port = loop.port
        let found = state.parse(isDraining: loop.counters.isDraining, into: &loop.parsed) { commands, bytes in
            guard loop.options.compressesBodies else {
                return port.submit(commands, bytes: bytes, session: session)
            }
            StoredBodies.compress(commands, bytes) { port.submit($0, bytes: $1, session: session) }
        }
        if !found { return false }
        if port.wantsFlush { loop.flushSoon() }
        let isNewProducer = loop.parsed.isProducer && state.becomeProducer()
        let isNewWorker = loop.parsed.isWorker && state.becomeWorker()
        loop.counters.add(
            &loop.parsed.counts,
            newProducers: isNewProducer ? 1 : 0,
            newWorkers: isNewWorker ? 1 : 0
        )
        if loop.parsed.mayWait { state.isBlocked = port.isBlocked(session) }
        if !loop.parsed.locals.isEmpty { writeLocals() }
        return true
    }

    /// A `reserve-job` makes a worker when it gets its job.
    private func noteWorker() {
        guard state.becomeWorker() else { return }
        var none = CommandCounts()
        loop.counters.add(&none, newProducers: 0, newWorkers: 1)
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard hasOutput else { return }
        hasOutput = false
        if loop.options.idleTimeout != nil { lastActivity = loop.eventLoop.now }
        let buffer = output
        output = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        loop.giveBack(buffer)
        if answeredIn == 0 { answeredIn = loop.answered() }
    }

    // MARK: - Begin and end

    private func open(_ context: ChannelHandlerContext) {
        guard session == nil, !isClosing else { return }
        if loop.isStopping { return cutOff() }
        session = loop.add(self)
        guard let timeout = loop.options.idleTimeout else { return }
        lastActivity = loop.eventLoop.now
        checkIdle(in: timeout)
    }

    /// Takes the connection off the server's counts, once.
    private func leave() {
        if hasLeft { return }
        hasLeft = true
        loop.counters.leave(isProducer: state.isProducer, isWorker: state.isWorker)
    }

    private func checkIdle(in delay: TimeAmount) {
        idleCheck = loop.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            self?.closeIfIdle()
        }
    }

    /// Closes a connection on which nothing moved for too long.
    ///
    /// A client that waits for the store, in a `reserve` say, is not idle. One that does not take its replies is.
    private func closeIfIdle() {
        guard let context, let timeout = loop.options.idleTimeout, !isClosing else { return }
        let isWaiting = state.isOwed && state.isWritable
        let left = isWaiting ? timeout : lastActivity + timeout - loop.eventLoop.now
        if left > .nanoseconds(0) {
            checkIdle(in: left)
        } else {
            isClosing = true
            context.close(promise: nil)
        }
    }

    /// Takes no more commands; closes once what was submitted is answered.
    ///
    /// A `reserve` that waits is not.
    func stop() {
        guard let context, !isClosing else { return }
        state.isStopping = true
        if let session, state.isBlocked || loop.port.isBlocked(session) {
            cutOff()
        } else if state.isFinished {
            closeWhenWritten(context)
        }
    }

    /// Closes now.
    func cutOff() {
        guard let context else { return }
        isClosing = true
        context.close(promise: nil)
    }

    /// Closes behind everything that was written.
    private func closeWhenWritten(_ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        isClosing = true
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }
}
