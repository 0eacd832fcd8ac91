/// Names a session of one ``JobStorePort``; small, dense, and used again after the session is closed.
public typealias SessionID = UInt32

/// What keeps jobs: in this process, or a round trip away.
///
/// A store is shared by any number of threads, each with a ``JobStorePort`` of its own. Commands go in by batches,
/// replies come out by batches; no caller ever blocks, and waiting for work costs nothing until there is some.
public protocol JobStore: AnyObject, Sendable {
    /// A way into the store for one thread or event loop.
    ///
    /// - Parameter wake: Called on any thread, without locks held, when ``JobStorePort/collect(into:)`` has
    ///   something new that did not come of a call the port's owner is making just now. It is called once until
    ///   the next `collect`, and must only schedule that, or do it: anything else of the store has to wait until it
    ///   has returned.
    /// - Returns: The port.
    func makePort(wake: @escaping @Sendable () -> Void) -> any JobStorePort

    /// Where the store does its work; nil where that is on whatever thread calls it.
    ///
    /// A task that prefers this executor reaches the store, and gets its answers, without a change of threads.
    var executor: (any TaskExecutor)? { get }

    /// Ends the store: what is acknowledged stays, what is reserved is ready for others.
    ///
    /// - Throws: ``JobStoreError`` where the last changes could not be kept; none of those was acknowledged.
    func close() async throws
}

extension JobStore {
    /// Nil: calls run on their caller's thread.
    public var executor: (any TaskExecutor)? { nil }
}

/// One thread's way into a ``JobStore``.
///
/// Its methods are called by one thread at a time. Any of them may have made replies final: collect after it.
///
/// A session stands for one client: it holds reservations, uses a tube and watches tubes. Commands of one session
/// take effect in their order, and its replies come out in that order, each when it is final: an acknowledged
/// change is as durable as the store promises. Sessions do not wait for each other.
public protocol JobStorePort: AnyObject, Sendable {
    /// A new session that uses and watches ``TubeName/default``.
    func openSession() -> SessionID

    /// Ends the session: its reservations are given up at once, no further reply comes.
    ///
    /// Changes that it asked for before are carried out.
    func closeSession(_ session: SessionID)

    /// Runs the commands in order.
    ///
    /// When a `reserve` has to wait, the commands behind it are kept and run after it is answered; the caller
    /// should then send no more until ``isBlocked(_:)`` is false, since what is kept is memory.
    ///
    /// - Parameters:
    ///   - commands: What to do.
    ///   - bytes: What the commands' ranges point into. Nothing of it is kept after the call.
    ///   - session: Whose commands they are.
    func submit(_ commands: [Command], bytes: UnsafeRawBufferPointer, session: SessionID)

    /// Says that the caller has submitted all that arrived together. To be called after ``submit(_:bytes:session:)``.
    ///
    /// Until then a store may hold changes back, so that it writes, or sends, many at once.
    func flush()

    /// Whether ``flush()`` would have the store write, or send, something.
    var wantsFlush: Bool { get }

    /// Whether the session waits in a `reserve`: true from `submit` until the `reserve` is answered.
    func isBlocked(_ session: SessionID) -> Bool

    /// Answers a waiting `reserve` of this session with ``Reply/timedOut`` now.
    func endWait(_ session: SessionID)

    /// Moves all replies that are final, of all sessions of this port, to the end of `batch`.
    func collect(into batch: inout ReplyBatch)
}
