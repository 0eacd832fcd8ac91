import BeanspikeCore

/// Where the embedded store keeps what it has acknowledged.
///
/// Used by one thread at a time.
protocol Journal: AnyObject, Sendable {
    /// Calls `visit` for every job kept, ids rising, and returns the smallest id that was never given out.
    ///
    /// - Parameter visit: id, whether the job was ever updated, encoded ``JournalRecord``, body. What it throws ends the
    ///   replay: a ``JobStoreError`` as it is, anything else as damage of that job.
    /// - Returns: The smallest id that was never given out.
    /// - Throws: ``JobStoreError/Code/notAStore`` or ``JobStoreError/Code/readFailed``.
    func replay(
        _ visit: (JobID, Bool, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws(JobStoreError) -> JobID

    /// Makes the batch durable, as far as the journal was told to (`-f`, `-F`), before it returns.
    ///
    /// - Throws: ``JobStoreError/Code/outOfSpace`` or ``JobStoreError/Code/writeFailed``: then nothing of the batch
    ///   is kept and the journal can be used on. Where the error is ``JobStoreError/inDoubt``, the batch may show all
    ///   the same after a restart. A batch without puts has room kept for it and goes through when the disk is full.
    ///   ``JobStoreError/Code/limitReached`` where a job is larger than can be kept.
    func commit(_ batch: borrowing JournalBatch) throws(JobStoreError)

    /// Reads jobs as they were last committed. Ids that the journal does not have are left out.
    ///
    /// - Parameters:
    ///   - ids: Which jobs.
    ///   - visit: id, whether the job was ever updated, encoded ``JournalRecord``, body.
    /// - Throws: ``JobStoreError/Code/readFailed``.
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
