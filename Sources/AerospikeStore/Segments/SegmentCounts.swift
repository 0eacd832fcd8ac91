import Aerospike
import BeanspikeCore

/// How many jobs of a segment are where, as its record counts them without reading one.
struct SegmentCounts: Sendable {
    var jobs = JobCounts()
    var timeouts: UInt64 = 0

    private static let selectors: [MapSelector] = [
        .values(from: [0], upTo: [0, .integer(Int64(Limits.urgentPriorityBelow))]), .values(from: [0], upTo: [1]),
        .values(from: [1], upTo: [2]), .values(from: [2], upTo: [3]), .values(from: [3], upTo: [4]),
    ]

    private static let bins = [
        SegmentBin.nextSlot, SegmentBin.usedBytes, SegmentBin.savedBytes, SegmentBin.skippedBytes, SegmentBin.timeouts,
    ]

    /// What is asked of a segment.
    static let reads: [Operation] =
        selectors.map { SegmentRecords.jobs.get($0, returning: .count) } + bins.map { .get($0) }

    /// From the answers to ``reads``.
    init?(_ record: Record) {
        let signed = record.bins.map { $0.value.integer ?? 0 }
        let numbers = signed.map { UInt64(clamping: $0) }
        guard numbers.count == Self.selectors.count + Self.bins.count else { return nil }
        jobs.urgent = numbers[0]
        jobs.ready = numbers[1]
        jobs.reserved = numbers[2]
        jobs.delayed = numbers[3]
        jobs.buried = numbers[4]
        jobs.total = numbers[5]
        let present = numbers[1] + numbers[2] + numbers[3] + numbers[4]
        jobs.deleted = jobs.total - min(jobs.total, present)
        jobs.usedBytes = numbers[6]
        jobs.bodyBytes = UInt64(clamping: signed[6] + signed[7])
        jobs.skippedBytes = numbers[8]
        timeouts = numbers[9]
    }

    init() {}

    static func += (left: inout SegmentCounts, right: SegmentCounts) {
        left.jobs.urgent += right.jobs.urgent
        left.jobs.ready += right.jobs.ready
        left.jobs.reserved += right.jobs.reserved
        left.jobs.delayed += right.jobs.delayed
        left.jobs.buried += right.jobs.buried
        left.jobs.total += right.jobs.total
        left.jobs.deleted += right.jobs.deleted
        left.jobs.usedBytes += right.jobs.usedBytes
        left.jobs.bodyBytes += right.jobs.bodyBytes
        left.jobs.skippedBytes += right.jobs.skippedBytes
        left.timeouts += right.timeouts
    }
}

extension SegmentRecords {
    /// The counts of some segments together; one that is over counts nothing.
    func counts(_ segments: [SegmentNumber]) async throws(AerospikeError) -> SegmentCounts {
        var sum = SegmentCounts()
        var rest = segments[...]
        while !rest.isEmpty {
            let some = rest.prefix(Self.countBatch)
            rest = rest.dropFirst(Self.countBatch)
            for answer in try await client.batch(some.map { .operate(key($0), SegmentCounts.reads) }) {
                switch answer {
                case .success(let record): if let counts = SegmentCounts(record) { sum += counts }
                case .failure(let error) where error.code == .notFound: continue
                case .failure(let error): throw error
                }
            }
        }
        return sum
    }

    /// So many records are asked at once.
    private static var countBatch: Int { 256 }

    /// Deletes all jobs of a segment, whoever holds them.
    ///
    /// - Returns: what was there; nil if there is no such segment.
    func clear(_ segment: SegmentNumber) async throws(AerospikeError) -> [Int: JobEntry]? {
        var policy = WritePolicy()
        policy.exists = .updateOnly
        var cleared: [Int: JobEntry] = [:]
        return try await persistently { (_) throws(AerospikeError) in
            guard let state = try await read(segment) else { return nil }
            if state.entries.isEmpty { return cleared }
            let slots = state.entries.keys.sorted().map { Value.integer(Int64($0)) }
            var counts = BodyCounts()
            for entry in state.entries.values { counts.subtract(entry.details) }
            // Exactly those that were read: what was put or deleted since makes another turn.
            policy.filter =
                Exp<Value.Map>.map(bin: SegmentBin.jobs)
                .get(.keys(in: Exp<Value.List>(Value.List(slots))), .count) == Exp<Int>(slots.count)
            // A lost answer is found out by reading again; what was cleared then is told with the rest.
            cleared.merge(state.entries) { old, _ in old }
            do throws(AerospikeError) {
                var operations = [Self.jobs.remove(.keys(in: slots))]
                counts.add(to: &operations)
                _ = try await client.operate(key(segment), operations, policy: policy)
                return cleared
            } catch  where error.code == .filteredOut {
                for slot in state.entries.keys { cleared[slot] = nil }
                throw AerospikeError(.keyBusy, "The segment changed meanwhile.")
            }
        }
    }
}
