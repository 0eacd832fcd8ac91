import BeanspikeCore

/// Where the embedded store keeps what it has acknowledged. Used by one thread at a time.
protocol Journal: AnyObject, Sendable {
    /// Calls `visit` for every job kept, ids rising, and returns the smallest id that was never given out.
    ///
    /// - Parameter visit: id, whether the job was ever updated, encoded ``JournalRecord``, body.
    func replay(
        _ visit: (JobID, Bool, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws(JobStoreError) -> JobID

    /// Makes the batch durable, as far as the journal was told to (`-f`, `-F`), before it returns.
    ///
    /// - Throws: ``JobStoreError/Code/outOfSpace`` or ``JobStoreError/Code/writeFailed``: then nothing of the batch
    ///   is kept and the journal can be used on.
    func commit(_ batch: borrowing JournalBatch) throws(JobStoreError)

    /// Reads jobs as they were last committed. Ids that the journal does not have are left out.
    ///
    /// - Parameter visit: id, whether the job was ever updated, encoded ``JournalRecord``, body.
    func read(
        _ ids: [JobID],
        _ visit: (JobID, Bool, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) throws(JobStoreError)

    /// Small work that need not be done before anybody is answered: checkpoints, giving room back. Called when
    /// nothing waits.
    ///
    /// - Returns: After how long it wants to be called again, if nothing is committed until then: ``Duration/zero``
    ///   when there is more to do now. nil: not before the next commit.
    func maintain() -> Duration?

    /// What `stats` shows.
    var statistics: JournalStatistics { get }

    /// Ends the journal cleanly, with `nextID` as the smallest id never given out.
    func close(nextID: JobID) throws(JobStoreError)
}
