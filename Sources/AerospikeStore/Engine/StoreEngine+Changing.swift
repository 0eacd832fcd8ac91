import BeanspikeCore

// Jobs that this process does not hold may be changed by anybody: a change says how it saw them, and is refused if they are
// another way by then.
extension StoreEngine {
    /// Changes a job that this process does not hold, if it is still as it was seen.
    ///
    /// - Returns: whether it was; nil where the change could not be made.
    func change(
        _ slot: Int,
        of segment: Segment,
        from seen: JobEntry,
        to entry: JobEntry?,
        for holder: Session? = nil
    ) async -> Bool? {
        await change([slot: (seen, entry)], of: segment, for: holder)
    }

    /// Changes jobs that this process does not hold, if all are still as they were seen.
    ///
    /// - Parameters:
    ///   - changes: what was seen in a slot, and what is to be there; nil to delete it.
    ///   - segment: where they are.
    ///   - holder: who holds them from then on, where they are reserved.
    /// - Returns: whether they were; nil where the change could not be made.
    func change(
        _ changes: [Int: (seen: JobEntry, entry: JobEntry?)],
        of segment: Segment,
        for holder: Session? = nil
    ) async -> Bool? {
        if changes.isEmpty { return true }
        return await withCheckedContinuation { continuation in
            // Nothing is sent any more.
            guard !isAbandoned else { return continuation.resume(returning: nil) }
            let segment = current(segment)
            var updates = SlotTable<PendingUpdate>()
            for (slot, change) in changes {
                updates[slot] = PendingUpdate(
                    entry: change.entry,
                    before: change.seen.details,
                    expected: change.seen,
                    holder: holder,
                    completion: .nothing
                )
            }
            segment.guarded.append(GuardedChange(updates: updates, continuation: continuation))
            touch(segment)
            endTurnSoon()
        }
    }
}
