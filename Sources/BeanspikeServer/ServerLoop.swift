import BeanspikeCore
import BeanstalkProtocol
import NIOCore

/// All connections of one event loop, and their way into the store.
///
/// It hands the store's replies to the connections they belong to; every connection that got some writes and
/// flushes once. Connections are found by their session's number, which is small and dense.
///
/// `@unchecked Sendable`: everything here is used on ``eventLoop`` alone. The reference crosses threads only to
/// get there: in the store's wake-up call and in `BeanspikeServer`.
final class ServerLoop: @unchecked Sendable {
    let eventLoop: any EventLoop
    let counters: ServerCounters
    let options: ServerOptions
    let port: any JobStorePort

    /// What the connection whose turn it is has sent.
    var parsed = ParsedCommands()
    var encoder = BeanstalkReplyEncoder()

    private var connections: [ConnectionHandler?] = []
    private var connectionCount = 0
    private var replies = ReplyBatch()
    private var withReplies: [ConnectionHandler] = []
    private var isCollecting = false
    private var isFlushScheduled = false
    private var collectsAgain = false
    private var spareBuffers: [ByteBuffer] = []
    private var whenEmpty: EventLoopPromise<Void>?

    init(eventLoop: any EventLoop, store: any JobStore, counters: ServerCounters, options: ServerOptions) {
        self.eventLoop = eventLoop
        self.counters = counters
        self.options = options
        let wake = WakeTarget(eventLoop: eventLoop)
        port = store.makePort(wake: { wake.wake() })
        wake.set(self)
    }

    /// Whether ``stop(grace:)`` was called.
    var isStopping: Bool { whenEmpty != nil }

    // MARK: - Connections

    /// Opens a session for a connection.
    func add(_ connection: ConnectionHandler) -> SessionID {
        let session = port.openSession()
        while connections.count <= Int(session) { connections.append(nil) }
        connections[Int(session)] = connection
        connectionCount += 1
        collect()
        return session
    }

    /// Closes a connection's session.
    func remove(_ session: SessionID) {
        connections[Int(session)] = nil
        connectionCount -= 1
        port.closeSession(session)
        // Its jobs may be what others on this loop waited for.
        collect()
        if connectionCount == 0 { whenEmpty?.succeed() }
    }

    /// Lets what was submitted be answered, then closes all connections.
    ///
    /// - Parameter grace: Whoever has not taken the replies after so long is cut off.
    /// - Returns: When all are closed.
    func stop(grace: TimeAmount) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        whenEmpty = promise
        if connectionCount == 0 {
            promise.succeed()
            return promise.futureResult
        }
        let deadline = eventLoop.assumeIsolated().scheduleTask(in: grace) { self.forEach { $0.cutOff() } }
        promise.futureResult.whenComplete { _ in deadline.cancel() }
        forEach { $0.stop() }
        return promise.futureResult
    }

    private func forEach(_ body: (ConnectionHandler) -> Void) {
        // Over a copy: connections go while this runs.
        for case let connection? in connections { body(connection) }
    }

    // MARK: - Replies

    /// Hands out all replies that the store has.
    ///
    /// Where this is called again from inside, by a connection that goes on with its next commands, the outer call
    /// does the work when it comes to it.
    func collect() {
        if isCollecting {
            collectsAgain = true
            return
        }
        isCollecting = true
        repeat {
            collectsAgain = false
            handOut()
        } while collectsAgain
        isCollecting = false
    }

    private func handOut() {
        // Out of self while it is used, so that connections may be called without exclusivity in the way.
        var batch = replies
        replies = ReplyBatch()
        port.collect(into: &batch)
        if batch.entries.isEmpty {
            replies = batch
            return
        }
        var touched = withReplies
        withReplies = []
        var start = 0
        while start < batch.entries.count {
            let session = batch.entries[start].session
            var end = start + 1
            while end < batch.entries.count, batch.entries[end].session == session { end += 1 }
            if Int(session) < connections.count, let connection = connections[Int(session)],
                connection.take(start..<end, of: batch)
            {
                touched.append(connection)
            }
            start = end
        }
        batch.removeAll()
        replies = batch
        for connection in touched { connection.proceed() }
        touched.removeAll(keepingCapacity: true)
        withReplies = touched
    }

    /// Lets the store know once this turn of the event loop is over that no more comes with what was submitted.
    func flushSoon() {
        if isFlushScheduled { return }
        isFlushScheduled = true
        eventLoop.execute {
            self.isFlushScheduled = false
            self.port.flush()
            self.collect()
        }
    }

    // MARK: - Buffers

    /// A buffer to write replies to.
    func takeBuffer() -> ByteBuffer {
        guard var buffer = spareBuffers.popLast() else { return ByteBufferAllocator().buffer(capacity: 4_096) }
        buffer.clear()
        return buffer
    }

    /// Takes a buffer back; where the channel still has bytes of it, it is copied when it is next used.
    func giveBack(_ buffer: consuming ByteBuffer) {
        if spareBuffers.count < 16, buffer.capacity <= ConnectionLimits.keptBufferBytesMax {
            spareBuffers.append(buffer)
        }
    }
}
