import BeanspikeCore
import JobStoreTestKit
import Synchronization

/// A store to which every call takes a while, and whose calls of different ports overtake each other.
final class WeakStore: JobStore {
    private let model: ModelStore

    init(_ model: ModelStore) { self.model = model }

    func makePort(wake: @escaping @Sendable () -> Void) -> any JobStorePort {
        WeakPort(model.makePort(wake: wake))
    }

    func close() async throws { try await model.close() }
}

/// A port whose calls are carried out one after another, each some milliseconds late.
private final class WeakPort: JobStorePort {
    private struct State {
        /// For each command of a session that has no reply yet, whether it is a reserve.
        var unanswered: [SessionID: [Bool]] = [:]
        var closing: Set<SessionID> = []
    }

    private enum Call {
        case submit([Command], [UInt8], SessionID)
        case endWait(SessionID)
        case close(SessionID)
    }

    private let port: any JobStorePort
    private let calls: AsyncStream<Call>.Continuation
    private let state = Mutex(State())

    init(_ port: any JobStorePort) {
        self.port = port
        let (stream, continuation) = AsyncStream.makeStream(of: Call.self)
        calls = continuation
        Task { [weak self] in
            for await call in stream {
                try? await Task.sleep(for: .microseconds(Int.random(in: 500...4_000)))
                self?.carryOut(call)
            }
        }
    }

    deinit { calls.finish() }

    private func carryOut(_ call: Call) {
        switch call {
        case .submit(let commands, let bytes, let session):
            bytes.withUnsafeBytes { port.submit(commands, bytes: $0, session: session) }
            port.flush()
        case .endWait(let session): port.endWait(session)
        case .close(let session):
            state.withLock { state in
                port.closeSession(session)
                state.closing.remove(session)
            }
        }
    }

    func openSession() -> SessionID {
        state.withLock { state in
            let session = port.openSession()
            state.unanswered[session] = []
            return session
        }
    }

    func closeSession(_ session: SessionID) {
        state.withLock { state in
            state.closing.insert(session)
            state.unanswered[session] = nil
        }
        calls.yield(.close(session))
    }

    func submit(_ commands: [Command], bytes: UnsafeRawBufferPointer, session: SessionID) {
        let areReserves = commands.map { command in
            guard case .reserve = command else { return false }
            return true
        }
        state.withLock { $0.unanswered[session]? += areReserves }
        calls.yield(.submit(commands, [UInt8](bytes), session))
    }

    func flush() {}
    var wantsFlush: Bool { false }

    func isBlocked(_ session: SessionID) -> Bool {
        state.withLock { $0.unanswered[session]?.contains(true) ?? false }
    }

    func endWait(_ session: SessionID) { calls.yield(.endWait(session)) }

    func collect(into batch: inout ReplyBatch) {
        let first = batch.entries.count
        state.withLock { state in
            port.collect(into: &batch)
            for entry in batch.entries[first...] where !(state.unanswered[entry.session]?.isEmpty ?? true) {
                state.unanswered[entry.session]?.removeFirst()
            }
            batch.entries.removeAll { state.closing.contains($0.session) }
        }
    }
}
