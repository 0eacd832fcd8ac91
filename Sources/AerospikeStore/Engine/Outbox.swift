import BeanspikeCore
import NIOCore
import Synchronization

/// Replies on their way from the engine to one port, which another thread empties.
final class Outbox: Sendable {
    private struct State {
        var batch = ReplyBatch()
        /// How many reserves that may wait each open session has asked for that are not answered.
        var waits: [SessionID: Int] = [:]
        var isWakeSent = false
    }

    private let state = Mutex(State())
    private let wake: @Sendable () -> Void

    init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
    }

    /// Adds a reply; the owner is woken at the next ``notify()``.
    func append(_ finished: FinishedReply, session: SessionID) {
        state.withLock { state in
            guard state.waits[session] != nil else { return }
            var reply = finished.reply
            if let body = finished.body {
                reply.body = body.withUnsafeReadableBytes { state.batch.append(body: $0) }
            }
            state.batch.append(reply, session: session)
        }
    }

    /// Wakes the owner, if there is something that it was not woken for.
    func notify() {
        let isDue = state.withLock { state in
            guard !state.batch.entries.isEmpty, !state.isWakeSent else { return false }
            state.isWakeSent = true
            return true
        }
        if isDue { wake() }
    }

    /// Moves the replies to the end of a batch.
    func collect(into batch: inout ReplyBatch) {
        state.withLock { state in
            state.isWakeSent = false
            guard !state.batch.entries.isEmpty else { return }
            if batch.entries.isEmpty {
                batch.removeAll()
                swap(&batch, &state.batch)
                return
            }
            batch.append(contentsOf: state.batch)
            state.batch.removeAll()
        }
    }

    // MARK: - What the port's owner knows of its sessions

    func open(_ session: SessionID) { state.withLock { $0.waits[session] = 0 } }

    /// Forgets a session, and what is there for it.
    ///
    /// - Returns: whether it was open.
    func close(_ session: SessionID) -> Bool {
        state.withLock { state in
            guard state.waits.removeValue(forKey: session) != nil else { return false }
            state.batch.entries.removeAll { $0.session == session }
            return true
        }
    }

    func isOpen(_ session: SessionID) -> Bool { state.withLock { $0.waits[session] != nil } }

    /// Notes reserves that may wait, or (with a negative count) that were answered.
    func countWaits(_ count: Int, of session: SessionID) {
        state.withLock { state in
            guard let waits = state.waits[session] else { return }
            state.waits[session] = waits + count
        }
    }

    func isWaiting(_ session: SessionID) -> Bool { state.withLock { $0.waits[session, default: 0] > 0 } }
}
