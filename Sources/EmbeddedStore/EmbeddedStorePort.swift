import BeanspikeCore

/// One thread's way into an ``EmbeddedStore``.
final class EmbeddedStorePort: JobStorePort {
    private let store: EmbeddedStore
    private let outbox: Int

    init(store: EmbeddedStore, outbox: Int) {
        self.store = store
        self.outbox = outbox
    }

    func openSession() -> SessionID {
        store.peekScheduler { $0.openSession(outbox: outbox) }
    }

    func closeSession(_ session: SessionID) {
        store.withScheduler(of: outbox) { scheduler, now in scheduler.closeSession(session, now: now) }
    }

    func submit(_ commands: [Command], bytes: UnsafeRawBufferPointer, session: SessionID) {
        store.withScheduler(of: outbox, commits: false) { scheduler, now in
            guard scheduler.sessions.find(session) != nil else { return }
            if store.isClosing { return scheduler.refuse(commands.count, of: session) }
            scheduler.submit(commands, bytes: bytes, session: session, now: now)
        }
    }

    var wantsFlush: Bool { store.wantsFlush }

    func flush() { store.flush(of: outbox) }

    func isBlocked(_ session: SessionID) -> Bool {
        store.peekScheduler { $0.isBlocked(session) }
    }

    func endWait(_ session: SessionID) {
        store.withScheduler(of: outbox) { scheduler, now in
            guard scheduler.sessions.find(session) != nil else { return }
            scheduler.endWait(session, with: .timedOut)
            scheduler.resume(now: now)
        }
    }

    func collect(into batch: inout ReplyBatch) {
        store.peekScheduler { $0.outboxes[outbox].collect(into: &batch) }
    }
}
