import BeanspikeCore

// How changes get to the journal. Whoever finds it free and something to commit makes the commit: a caller in
// `flush` while commits are fast, otherwise the writer's thread, which also does the journal's chores.
extension EmbeddedStore {
    /// Whether a commit is wanted and the journal is free.
    var wantsFlush: Bool {
        guard journal != nil else { return false }
        return peekScheduler { !isJournalBusy && $0.commitDue != .never }
    }

    /// Begins the commit that is wanted, if the journal is free; replies may be ready when it returns.
    ///
    /// - Parameter outbox: Whose owner calls, and collects afterwards without being woken.
    func flush(of outbox: Int) {
        guard journal != nil else { return }
        monitor.lock()
        // Who is busy looks again afterwards.
        guard !isJournalBusy, !isClosing, scheduler.pointee.commitDue <= clock.now() else { return monitor.unlock() }
        guard pacing.isCallerToCommit, scheduler.pointee.log.newBodyBytes <= CommitPacing.callerBytesMax else {
            monitor.unlock()
            writerCondition.signal()
            return
        }
        _ = commit(everything: false, calledBy: outbox)
        maintenanceDue = min(maintenanceDue ?? .never, clock.now().advanced(byMicroseconds: choreMicroseconds))
        let isWriterNeeded = isClosing || writerDue < writerSleepsUntil
        monitor.unlock()
        if isWriterNeeded { writerCondition.signal() }
    }

    /// When the writer has something to do, if nobody does it before.
    private var writerDue: StoreInstant { min(scheduler.pointee.commitDue, maintenanceDue ?? .never) }

    /// The writer's thread.
    func runWriter() {
        guard let journal else { return }
        monitor.lock()
        maintenanceDue = clock.now()
        while true {
            let now = clock.now()
            if isJournalBusy {
                // A caller commits; it signals when there is more to do.
                sleep(until: .never, now)
            } else if isClosing {
                break
            } else if scheduler.pointee.commitDue <= now {
                _ = commit(everything: false, calledBy: nil)
                maintenanceDue = clock.now()
            } else if writerDue <= now {
                isJournalBusy = true
                monitor.unlock()
                let again = journal.maintain()
                monitor.lock()
                isJournalBusy = false
                maintenanceDue = again.map { clock.now().advanced(byMicroseconds: $0.microseconds) }
            } else {
                sleep(until: writerDue, now)
            }
        }
        if commit(everything: true, calledBy: nil) != nil {
            // A fault may have passed; after this there is no other chance.
            closeError = commit(everything: true, calledBy: nil)
        }
        monitor.unlock()
    }

    private func sleep(until due: StoreInstant, _ now: StoreInstant) {
        writerSleepsUntil = due
        writerCondition.wait(microseconds: due == .never ? nil : due.microseconds - now.microseconds)
        writerSleepsUntil = StoreInstant(microseconds: .min)
    }

    /// Makes one commit.
    ///
    /// The lock is held before and after, and given up while it writes.
    ///
    /// - Returns: Why something of it could not be kept.
    private func commit(everything: Bool, calledBy outbox: Int?) -> JobStoreError? {
        guard let journal else { return nil }
        isJournalBusy = true
        var batch = scheduler.pointee.beginCommit(
            now: clock.now(),
            wallMilliseconds: clock.wallMilliseconds(),
            everything: everything
        )
        monitor.unlock()
        let began = SystemClock().now()
        let outcome = Self.write(&batch, to: journal)
        let taken = SystemClock().now().microseconds - began.microseconds
        let statistics = journal.statistics
        monitor.lock()
        if batch.hasChanges { pacing.note(microseconds: taken) }
        scheduler.pointee.journalStatistics = statistics
        scheduler.pointee.endCommit(outcome, now: clock.now())
        // While a commit is wanted lazy changes have no alarm of their own: now they need it again.
        signalTimer()
        isJournalBusy = false
        let woken = takeWakes(except: outbox)
        monitor.unlock()
        for wake in woken { wake() }
        monitor.lock()
        return outcome.changesError ?? outcome.bodiesError ?? outcome.putsError
    }

    private static func write(_ batch: inout JournalBatch, to journal: any Journal) -> Scheduler.CommitOutcome {
        var outcome = Scheduler.CommitOutcome()
        if !batch.loads.isEmpty {
            // First, since the same batch may delete what is read.
            do {
                try journal.read(batch.loads) { id, _, _, body in outcome.bodies[id] = Array(body) }
            } catch {
                outcome.loadError = error
            }
        }
        guard batch.hasChanges else { return outcome }
        do {
            try journal.commit(batch)
        } catch {
            outcome.putsError = error
            if batch.hasNewBodies { outcome.bodiesError = error }
            // What makes no room or takes none must not fail with what has no room.
            batch.puts = []
            batch.updates.removeAll { $0.body != nil }
            guard batch.hasChanges else { return outcome }
            do { try journal.commit(batch) } catch { outcome.changesError = error }
        }
        return outcome
    }
}
