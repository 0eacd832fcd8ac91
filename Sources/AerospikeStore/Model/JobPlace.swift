import Aerospike
import BeanspikeCore

/// Numbers a segment record; 1 is the first one of a queue, and none is given twice.
typealias SegmentNumber = Int
/// Numbers a process that shares a queue; none is given twice.
typealias ProcessNumber = Int

/// Where a job's entry is: a segment record and a slot in it.
///
/// A job's id says it without a look-up.
struct JobPlace: Hashable, Sendable {
    /// The segment's number, from 1 up.
    var segment: SegmentNumber
    /// The slot, from 0 up to ``StoreLimits/segmentSlots``.
    var slot: Int

    init(segment: SegmentNumber, slot: Int) {
        self.segment = segment
        self.slot = slot
    }

    /// The place that an id names; nil where no job can have it.
    init?(_ id: JobID) {
        guard id >= 1, id < Limits.jobIDBound else { return nil }
        self.init(
            segment: Int(id - 1) / StoreLimits.segmentSlots + 1,
            slot: Int(id - 1) % StoreLimits.segmentSlots
        )
    }

    /// The job's id.
    var id: JobID { JobID((segment - 1) * StoreLimits.segmentSlots + slot + 1) }

    /// The slot that a key of a segment's map names; nil where no job can have it.
    static func slot(_ key: Value) -> Int? {
        guard case .integer(let slot) = key, slot >= 0, slot < StoreLimits.segmentSlots else { return nil }
        return Int(slot)
    }

    /// The id of the first job that a segment can have.
    static func firstID(of segment: SegmentNumber) -> JobID { JobPlace(segment: segment, slot: 0).id }
}
