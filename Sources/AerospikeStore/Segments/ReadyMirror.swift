import BeanspikeCore

/// The ready jobs of a segment as its record has them, known because nobody else has changed it since they were read.
///
/// The record's generation tells whether that still is so: each write raises it by one. Jobs that are known are reserved by
/// plain writes of their entries, which cost the server a fifth of an expression that looks for the best.
struct ReadyMirror: Sendable {
    typealias Job = (slot: Int, entry: JobEntry)

    /// The worst first, so that the best are taken off the end.
    private var jobs: [Job]

    init(_ ready: [Job]) {
        jobs = ready.sorted { Self.isBefore($1, $0) }
        // What is kept must not keep the buffer that it arrived in.
        for index in jobs.indices { jobs[index].entry.details.body.copy() }
    }

    var count: Int { jobs.count }

    /// The best: its slot and its priority.
    var best: (slot: Int, priority: UInt32)? { job(0) }

    /// The slot and the priority of the job that so many are better than.
    func job(_ rank: Int) -> (slot: Int, priority: UInt32)? {
        guard rank < jobs.count else { return nil }
        let job = jobs[jobs.count - 1 - rank]
        return (job.slot, job.entry.details.priority)
    }

    /// Takes the best out, the best of all first.
    ///
    /// - Parameters:
    ///   - max: how many at the most.
    ///   - priorityMax: the greatest priority value that is good enough.
    /// - Returns: the jobs.
    mutating func takeBest(_ max: Int, priorityMax: UInt32) -> [Job] {
        var taken: [Job] = []
        while taken.count < max, let job = jobs.last, job.entry.details.priority <= priorityMax {
            jobs.removeLast()
            taken.append(job)
        }
        return taken
    }

    /// A job became ready.
    mutating func insert(_ job: Job) {
        var low = 0
        var high = jobs.count
        while low < high {
            let middle = (low + high) / 2
            if Self.isBefore(job, jobs[middle]) { low = middle + 1 } else { high = middle }
        }
        var job = job
        job.entry.details.body.copy()
        jobs.insert(job, at: low)
    }

    /// A job is ready no more.
    mutating func remove(_ slot: Int) {
        if let index = jobs.lastIndex(where: { $0.slot == slot }) { jobs.remove(at: index) }
    }

    private static func isBefore(_ a: Job, _ b: Job) -> Bool {
        (a.entry.details.priority, a.slot) < (b.entry.details.priority, b.slot)
    }
}
