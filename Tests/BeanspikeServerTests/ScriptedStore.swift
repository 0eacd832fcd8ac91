import BeanspikeCore
import Synchronization

/// A store a round trip away, as a test plays it: commands pile up, and replies come when the test says, by `wake`
/// and `collect`.
final class ScriptedStore: JobStore {
    let port: ScriptedPort

    init() { port = ScriptedPort() }

    func makePort(wake: @escaping @Sendable () -> Void) -> any JobStorePort {
        port.setWake(wake)
        return port
    }

    func close() async throws {}
}

final class ScriptedPort: JobStorePort {
    private struct State {
        var wake: @Sendable () -> Void = {}
        var nextSession: SessionID = 0
        var commands: [(session: SessionID, text: String)] = []
        var replies = ReplyBatch()
        var blocked: Set<SessionID> = []
        var closed: [SessionID] = []
        var endedWaits: [SessionID] = []
        /// Replies given as soon as a command comes, while there are any.
        var immediate: [Reply] = []
        /// Whether a `reserve` blocks its session.
        var reserveBlocks = false
    }

    private let state = Mutex(State())

    // MARK: - What a test plays

    /// What was submitted since the last call: the command's name, and the body of a put.
    func takeCommands() -> [String] {
        state.withLock { state in
            defer { state.commands = [] }
            return state.commands.map(\.text)
        }
    }

    var closedSessions: [SessionID] { state.withLock { $0.closed } }
    var endedWaits: [SessionID] { state.withLock { $0.endedWaits } }

    func flush() {}

    func setWake(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }
    func reserveBlocks(_ value: Bool) { state.withLock { $0.reserveBlocks = value } }
    func unblock(_ session: SessionID) { state.withLock { _ = $0.blocked.remove(session) } }
    func answerAtOnce(_ replies: [Reply]) { state.withLock { $0.immediate = replies } }

    /// Lets replies arrive.
    func answer(_ replies: [Reply], session: SessionID = 0, body: [UInt8] = []) {
        let wake = state.withLock { state in
            body.withUnsafeBytes { _ = state.replies.append(body: $0) }
            for reply in replies { state.replies.append(reply, session: session) }
            return state.wake
        }
        wake()
    }

    // MARK: - JobStorePort

    func openSession() -> SessionID {
        state.withLock { state in
            defer { state.nextSession += 1 }
            return state.nextSession
        }
    }

    func closeSession(_ session: SessionID) { state.withLock { $0.closed.append(session) } }

    func submit(_ commands: [Command], bytes: UnsafeRawBufferPointer, session: SessionID) {
        state.withLock { state in
            for command in commands {
                var text = "\(command)".prefix { $0 != "(" }
                if case .put(_, _, _, let body, _) = command {
                    let bytes = bytes[body.offset..<(body.offset + body.count)]
                    text = "put \(String(decoding: bytes, as: UTF8.self))"
                }
                state.commands.append((session, String(text)))
                if case .reserve = command, state.reserveBlocks { state.blocked.insert(session) }
                if !state.immediate.isEmpty { state.replies.append(state.immediate.removeFirst(), session: session) }
            }
        }
    }

    func isBlocked(_ session: SessionID) -> Bool { state.withLock { $0.blocked.contains(session) } }

    func endWait(_ session: SessionID) {
        state.withLock {
            $0.endedWaits.append(session)
            if $0.blocked.remove(session) != nil { $0.replies.append(.timedOut, session: session) }
        }
    }

    func collect(into batch: inout ReplyBatch) {
        state.withLock {
            let base = batch.bytes.count
            precondition(base == 0 && batch.entries.isEmpty, "a server collects into an empty batch")
            swap(&batch, &$0.replies)
        }
    }
}
