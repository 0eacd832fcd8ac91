import BeanspikeCore

/// All changes that one commit makes durable: it happens whole or not at all.
///
/// Made by ``EmbeddedStore`` of everything that changed since the last commit, each job once, in its newest state.
struct JournalBatch: Sendable {
    /// A job that the journal does not have yet.
    struct Put: Sendable {
        var id: JobID
        /// Its encoded ``JournalRecord``, in ``bytes``.
        var record: ByteRange
        /// Its body, in ``bytes``.
        var body: ByteRange
    }

    /// A job that the journal has and whose record changed.
    struct Update: Sendable {
        var id: JobID
        /// Its encoded ``JournalRecord``, in ``bytes``.
        var record: ByteRange
        /// Its new body, in ``bytes``; nil where that did not change.
        var body: ByteRange?
    }

    /// A job that the journal has and that is gone.
    struct Delete: Sendable {
        var id: JobID
        /// Whether the job was ever the subject of an ``Update``.
        var wasUpdated: Bool
    }

    /// New jobs, ids rising.
    var puts: [Put] = []
    /// Changed jobs, each at most once.
    var updates: [Update] = []
    /// Deleted jobs, each at most once.
    var deletes: [Delete] = []
    /// When set: ids below this may be in use from now on, and none of them is ever given out again after a restart.
    var idsReservedBelow: JobID?
    /// Jobs whose bodies are wanted back in memory; read after the commit.
    var loads: [JobID] = []
    /// What the ranges point into.
    var bytes: [UInt8] = []

    /// Copies a body to the batch and says where it lies.
    mutating func append(body: UnsafeRawBufferPointer) -> ByteRange {
        let range = ByteRange(offset: bytes.count, count: body.count)
        bytes.append(contentsOf: body)
        return range
    }

    /// Whether it has new bodies of jobs that the journal has.
    var hasNewBodies: Bool { updates.contains { $0.body != nil } }
    /// Whether a commit would write anything.
    var hasChanges: Bool { !(puts.isEmpty && updates.isEmpty && deletes.isEmpty && idsReservedBelow == nil) }
    /// Whether there is anything at all to do.
    var isEmpty: Bool { !hasChanges && loads.isEmpty }
}
