import BeanspikeCore

/// What one process has to do to one segment, gathered to leave as one `operate`.
///
/// It is a value: it makes the operations and reads the answers; who sends them is ``SegmentRecords``. All of it happens or
/// nothing does. A repeat of it, or a late duplicate, does nothing, because each carries the process's next sequence.
struct SegmentWork: Sendable {
    /// Jobs to put, in order, into the slots from `firstSlot` on: refused where another has put there meanwhile.
    var appends: [JobEntry] = []
    var firstSlot = 0
    /// Nothing is to be put here afterwards.
    var closes = false
    /// Jobs that the process holds, as they are to be from now on.
    ///
    /// One that is gone stays gone.
    var updates = SlotTable<JobEntry>()
    /// Jobs that the process holds and that are to be deleted, with their details.
    var removals = SlotTable<JobDetails>()
    /// Among the updates, jobs that get another body, with the details that they had.
    var replaced: [Int: JobDetails] = [:]
    /// Entries among the updates and removals that the process does not hold: all of the work is refused unless they are
    /// still as they were seen.
    var expected: [Int: JobEntry] = [:]
    /// How many of the best ready jobs are to be reserved, if there are so many.
    var pops = 0
    /// No job of a greater priority value is reserved: another segment has a better one.
    var popPriorityMax = UInt32.max
    /// Ready jobs to reserve, best first, as the record is known to have them; it must still have the generation.
    var picks: [ReadyMirror.Job] = []
    /// The only generation of the record that the work may meet; nil where any will do.
    var generation: UInt32?
    /// The work of the same process right before, which is still under way: this is refused unless that one was done.
    var predecessor: Int64?
    /// When they are reserved, by the cluster's clock.
    var popMilliseconds: Int64 = 0
    /// Reservations that ran out of time among the updates.
    var timeouts = 0
    /// What is to be listed for what becomes of the jobs.
    var listings: [DirectoryKind: Listing] = [:]
    /// Whether it is asked how many jobs are left, whatever their state.
    var countsJobs = false
    /// Whether it is asked how many jobs are left ready, beside the pops.
    var countsReady = false
    /// Whether it is asked for all jobs that are ready, beside the pops.
    var listsReady = false

    var isEmpty: Bool {
        appends.isEmpty && updates.isEmpty && removals.isEmpty && pops == 0 && picks.isEmpty && !closes
    }

    /// Whether all it does is to reserve what is best: then it does nothing at all where nothing is ready.
    var onlyPops: Bool {
        pops > 0 && appends.isEmpty && updates.isEmpty && removals.isEmpty && picks.isEmpty && !closes
    }

    /// Whether it may reserve jobs for the process.
    var reserves: Bool {
        pops > 0 || !picks.isEmpty || updates.values.contains { $0.state.kind == .reserved }
    }

    /// From now on it relies on nothing that was known before it is done: neither on works before it, nor on what is ready.
    mutating func standsAlone(pops count: Int) {
        predecessor = nil
        generation = nil
        picks = []
        pops = count
        listsReady = false
        countsReady = count > 0
    }

    /// The least key of a kind that the work makes.
    struct Listing: Sendable, Equatable {
        var key: DirectoryKey
        /// The mark covered the key in this epoch, or the directory was told in it.
        var epoch: Int
        /// Whether the directory was told, and the mark is to follow.
        var setsMark = false
    }

    /// What it came to.
    struct Outcome: Sendable {
        /// Of the updates and removals, those whose job was still there.
        var present = SlotSet()
        /// The jobs reserved, best first, as they were before.
        var popped: [(slot: Int, entry: JobEntry)] = []
        /// The best job left ready; nil where none is, or nobody asked.
        var nextReady: ReadyKey?
        /// How many jobs are left ready; nil where nobody asked.
        var readyCount: Int?
        /// How many jobs are left in the segment, whatever their state; nil where nobody asked.
        var jobCount: Int?
        /// All jobs that are left ready; nil where nobody asked.
        var ready: [ReadyMirror.Job]?
        /// The record's generation afterwards.
        var generation: UInt32 = 0
    }

    /// Whether a job that the process has reserved now may have been reserved by this work.
    ///
    /// Of the slots that the process held before, those that the work gives up it may reserve again.
    func mayHavePopped(_ slot: Int, held: SlotSet) -> Bool {
        guard let update = updates[slot] else { return !held.contains(slot) }
        return update.state.kind != .reserved
    }
}

// MARK: - What it makes

extension SegmentWork {
    /// The least key of each kind that the work makes; ready jobs that are put need none (see ``SegmentRecords/raiseMark``).
    func keysMade(in segment: SegmentNumber) -> [DirectoryKind: DirectoryKey] {
        var keys: [DirectoryKind: DirectoryKey] = [:]
        func note(_ kind: DirectoryKind, _ key: DirectoryKey) { keys[kind] = min(keys[kind] ?? key, key) }
        for (slot, entry) in updates {
            switch entry.state {
            case .ready(let priority):
                note(.ready, .ready(priority: priority, job: JobPlace(segment: segment, slot: slot).id))
            case .delayed(let due): note(.wake, .time(due))
            case .buried(let at): note(.buried, .time(at))
            case .reserved: break
            }
        }
        for entry in appends {
            if case .delayed(let due) = entry.state { note(.wake, .time(due)) }
        }
        return keys
    }
}
