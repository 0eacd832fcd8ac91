import BeanspikeCore
import NIOCore
import Synchronization

/// One thread's way into an ``AerospikeStore``.
final class AerospikeStorePort: JobStorePort {
    private let engine: StoreEngine
    private let outbox: Outbox
    private let sessionIDs: SessionIDs
    /// What was asked for and is not with the engine yet.
    private let inbox = Mutex<[PortEvent]>([])

    init(engine: StoreEngine, outbox: Outbox, sessionIDs: SessionIDs) {
        self.engine = engine
        self.outbox = outbox
        self.sessionIDs = sessionIDs
    }

    func openSession() -> SessionID {
        let id = sessionIDs.take()
        outbox.open(id)
        send(.open(id, outbox))
        return id
    }

    func closeSession(_ session: SessionID) {
        guard outbox.close(session) else { return }
        send(.close(session))
    }

    func submit(_ commands: [Command], bytes: UnsafeRawBufferPointer, session: SessionID) {
        guard outbox.isOpen(session) else { return }
        var waits = 0
        let pending = commands.map { command in
            switch command {
            case .put(_, _, _, let body, _), .update(_, let body, _):
                let slice = UnsafeRawBufferPointer(rebasing: bytes[body.offset..<body.offset + body.count])
                return PendingCommand(command: command, body: ByteBuffer(bytes: slice))
            case .reserve(let wait) where wait != .none:
                waits += 1
                return PendingCommand(command: command, body: ByteBuffer())
            default:
                return PendingCommand(command: command, body: ByteBuffer())
            }
        }
        if waits > 0 { outbox.countWaits(waits, of: session) }
        inbox.withLock { $0.append(.submit(session, pending)) }
    }

    var wantsFlush: Bool { inbox.withLock { !$0.isEmpty } }

    func flush() {
        let events = inbox.withLock { inbox in
            let events = inbox
            inbox = []
            return events
        }
        guard !events.isEmpty else { return }
        let engine = engine
        if engine.eventLoop.inEventLoop {
            engine.assumeIsolated { $0.receive(events) }
        } else {
            engine.eventLoop.execute { engine.assumeIsolated { $0.receive(events) } }
        }
    }

    /// What is not a command goes at once.
    private func send(_ event: PortEvent) {
        inbox.withLock { $0.append(event) }
        flush()
    }

    func isBlocked(_ session: SessionID) -> Bool { outbox.isWaiting(session) }

    func endWait(_ session: SessionID) { send(.endWait(session)) }

    func collect(into batch: inout ReplyBatch) { outbox.collect(into: &batch) }
}

/// Numbers for sessions: small ones, used again after they were given back.
final class SessionIDs: Sendable {
    private let state = Mutex<(free: [SessionID], next: SessionID)>(([], 0))

    func take() -> SessionID {
        state.withLock { state in
            if let id = state.free.popLast() { return id }
            state.next += 1
            return state.next - 1
        }
    }

    func giveBack(_ id: SessionID) { state.withLock { $0.free.append(id) } }
}
