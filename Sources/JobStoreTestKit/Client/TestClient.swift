public import BeanspikeCore
import Synchronization

/// A port with its sessions, as one event loop of a server would own it, for use from tasks.
///
/// All calls of the port are made one at a time. Replies are collected when somebody asks for one; that a port
/// never wakes its owner shows as a reply that does not come.
public final class TestClient: Sendable {
    /// Real time after which a reply counts as missing.
    public let limit: Duration

    private struct State {
        var inboxes: [SessionID: [TestReply]] = [:]
        var strays: [String] = []
        var batch = ReplyBatch()
    }

    private let port: any JobStorePort
    private let signal: WakeSignal
    private let state = Mutex(State())

    /// A client of the store.
    ///
    /// - Parameters:
    ///   - store: Where the port is made.
    ///   - limit: Real time after which a reply counts as missing.
    public init(_ store: any JobStore, limit: Duration = .seconds(20)) {
        let signal = WakeSignal()
        self.signal = signal
        self.limit = limit
        port = store.makePort(wake: { signal.wake() })
    }

    /// Opens a session.
    public func openSession() -> TestSession {
        let id = state.withLock { state in
            let id = port.openSession()
            state.inboxes[id] = []
            return id
        }
        return TestSession(id: id, client: self)
    }

    func close(_ id: SessionID) {
        state.withLock { state in
            port.closeSession(id)
            state.inboxes[id] = nil
        }
    }

    func submit(_ requests: [Request], session: SessionID) {
        var bytes: [UInt8] = []
        let commands = requests.map { $0.laidOut(in: &bytes) }
        state.withLock { _ in
            bytes.withUnsafeBytes { port.submit(commands, bytes: $0, session: session) }
            port.flush()
        }
        // "Nothing of it is kept after the call": a store that does keep it hands out these bytes.
        bytes.withUnsafeMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0xDB) }
    }

    func isBlocked(_ id: SessionID) -> Bool { state.withLock { _ in port.isBlocked(id) } }

    func endWait(_ id: SessionID) { state.withLock { _ in port.endWait(id) } }

    /// The next reply if it is there.
    func poll(_ id: SessionID) throws -> TestReply? {
        try state.withLock { state in
            if state.inboxes[id]?.isEmpty ?? true { try collect(&state) }
            guard let first = state.inboxes[id]?.first else { return nil }
            state.inboxes[id]?.removeFirst()
            return first
        }
    }

    /// The next reply, when it comes.
    func next(_ id: SessionID, file: StaticString, line: UInt) async throws -> TestReply {
        let deadline = ContinuousClock.now + limit
        while true {
            let seen = signal.wakes
            if let reply = try poll(id) { return reply }
            guard ContinuousClock.now < deadline else {
                let blocked = isBlocked(id) ? "blocked" : "not blocked"
                throw ConformanceFailure(
                    "no reply within \(limit) (session \(id), \(blocked), \(seen) wakes)",
                    file: file,
                    line: line
                )
            }
            await signal.wait(seen: seen, limit: limit)
        }
    }

    private func collect(_ state: inout State) throws {
        state.batch.removeAll()
        port.collect(into: &state.batch)
        for entry in state.batch.entries {
            guard state.inboxes[entry.session] != nil else {
                throw ConformanceFailure("a reply came for session \(entry.session), which is closed: \(entry.reply)")
            }
            state.inboxes[entry.session]?.append(try TestReply(entry.reply, bytes: state.batch.bytes))
        }
    }
}
