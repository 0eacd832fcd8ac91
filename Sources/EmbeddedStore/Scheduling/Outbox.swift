import BeanspikeCore

/// Counts commits; 0 is before all of them.
typealias CommitNumber = UInt64

/// Replies on their way to one port: those that are final, and those that wait for a commit.
struct Outbox {
    /// Replies that wait for the same commit.
    struct Gated {
        let commit: CommitNumber
        var batch = ReplyBatch()
        /// Replies whose bodies are to be read from disk with that commit.
        var loads: [(entry: Int, id: JobID)] = []
    }

    /// Final replies.
    var ready = ReplyBatch()
    /// In the order of commits, at most one for each.
    var gated: [Gated] = []
    /// There is something in `ready` that the port's owner does not know of.
    var needsWake = false
    /// The owner was woken for it.
    var isWakeSent = false

    /// Moves the replies of all commits up to `commit` to `ready`, those of closed sessions left out.
    mutating func open(upTo commit: CommitNumber, isOpen: (SessionID) -> Bool) {
        while let first = gated.first, first.commit <= commit {
            if ready.entries.isEmpty {
                ready = first.batch
                ready.entries.removeAll { !isOpen($0.session) }
            } else {
                ready.append(contentsOf: first.batch, where: isOpen)
            }
            gated.removeFirst()
            needsWake = needsWake || !ready.entries.isEmpty
        }
    }

    /// Forgets what waits in `ready` for a session that is gone.
    mutating func drop(_ session: SessionID) {
        guard !ready.entries.isEmpty else { return }
        ready.entries.removeAll { $0.session == session }
    }

    /// Hands over all final replies.
    mutating func collect(into batch: inout ReplyBatch) {
        needsWake = false
        isWakeSent = false
        guard !ready.entries.isEmpty else { return }
        if batch.entries.isEmpty {
            batch.removeAll()
            swap(&batch, &ready)
        } else {
            batch.append(contentsOf: ready) { _ in true }
            ready.removeAll()
        }
    }
}
