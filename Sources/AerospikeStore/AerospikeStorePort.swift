import BeanspikeCore
import NIOCore
import Synchronization

/// One thread's way into an ``AerospikeStore``.
final class AerospikeStorePort: JobStorePort {
    private let engine: StoreEngine
    private let outbox: Outbox
    private let sessionIDs: SessionIDs
    /// What was asked for and is not with the engine yet.
    private let inbox = Mutex(PortBatch())

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
        inbox.withLock { inbox in
            inbox.begin(commands.count, session)
            for command in commands {
                if case .reserve(let wait) = command, wait != .none { waits += 1 }
                inbox.add(command, bytes)
            }
        }
        if waits > 0 { outbox.countWaits(waits, of: session) }
    }

    var wantsFlush: Bool { inbox.withLock { !$0.isEmpty } }

    func flush() {
        let engine = engine
        if engine.eventLoop.inEventLoop {
            var batch = inbox.withLock { $0.take() }
            guard !batch.isEmpty else { return }
            engine.assumeIsolated { $0.receive(&batch) }
            // Its room is used again.
            inbox.withLock { $0.giveBack(&batch) }
        } else {
            let batch = inbox.withLock { $0.take() }
            guard !batch.isEmpty else { return }
            engine.eventLoop.execute {
                var batch = batch
                engine.assumeIsolated { $0.receive(&batch) }
            }
        }
    }

    /// What is not a command goes at once.
    private func send(_ event: PortEvent) {
        inbox.withLock { $0.add(event) }
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
