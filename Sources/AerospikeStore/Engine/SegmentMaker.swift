import Aerospike
import BeanspikeCore
import Logging

/// Makes segments that a tube can have for its next tails; several take as many calls as one, as a rule.
struct SegmentMaker: Sendable {
    let records: SegmentRecords
    let registry: ProcessRegistry
    let logger: Logger

    /// How often it is begun anew because others were first.
    private static let turnsMax = 100

    /// Takes places and numbers, makes the records, and has the directory list them.
    ///
    /// Five round trips if the places are in one leaf and nobody was there before: places, numbers, records, the leaf, the
    /// tube's record.
    ///
    /// - Parameters:
    ///   - count: how many are wanted.
    ///   - directory: the directory of their tube.
    /// - Returns: those that were made: one at the least, and as many as are wanted unless others were in the way.
    /// - Throws: `AerospikeError` or `JobStoreError`; what was made by then is not used.
    func make(_ count: Int, in directory: TubeDirectory) async throws -> [SpareSegments.Spare] {
        for turn in 0..<Self.turnsMax {
            let positions = try await directory.takePlaces(count, looks: turn > 0)
            let first = try await takeNumbers(positions.count)
            let segments = zip(first..., positions).map { number, position in
                NewSegment(number, at: position, key: ReadyKey.least(of: number).directoryKey)
            }
            // A number that is given up is never tried anywhere else, so that its record says where it is if it is anywhere.
            let made = try await records.create(segments, tube: directory.tube)
            let added = try await directory.add(made)
            if !added.isEmpty { return added.map { SpareSegments.Spare(number: $0.segment, position: $0.position) } }
        }
        throw JobStoreError(.writeFailed, "Others took every place in the tube '\(directory.tube)'; try again.")
    }

    /// Takes the next numbers, which follow each other.
    ///
    /// A lost answer loses numbers, which is no harm.
    ///
    /// - Returns: the first.
    private func takeNumbers(_ count: Int) async throws -> SegmentNumber {
        let taking: [Operation] = [.add("seg", count), .get("seg")]
        while true {
            // What was met before the numbers are taken is less.
            let met = registry.lastSegment
            let record = try await records.persistently { (_) throws(AerospikeError) in
                try await records.client.operate(records.layout.queueKey, taking, policy: Self.updating)
            }
            guard let last = record.bins.last?.value.integer, last >= count,
                last < Int64(Limits.jobIDBound) / Int64(StoreLimits.segmentSlots) - 1
            else { throw JobStoreError(.limitReached, "There are no job ids left.") }
            let first = SegmentNumber(last) - count + 1
            if first > met {
                registry.note(segment: SegmentNumber(last))
                return first
            }
            // The cluster has lost the last of what it had acknowledged, and would give numbers twice.
            logger.error("the cluster has lost numbers that it had given", metadata: ["number": "\(first)"])
            try await skipNumbers(to: met + ProcessRegistry.numbersSkipped)
        }
    }

    private func skipNumbers(to floor: SegmentNumber) async throws {
        var policy = Self.updating
        policy.filter = .int(bin: "seg") < Exp<Int>(floor)
        try await records.persistently { (_) throws(AerospikeError) in
            do throws(AerospikeError) {
                let putting = Operation.put("seg", .integer(Int64(floor)))
                _ = try await records.client.operate(records.layout.queueKey, [putting], policy: policy)
            } catch  where error.code == .filteredOut {
                // Another process did.
            }
        }
    }

    private static var updating: WritePolicy {
        var policy = WritePolicy()
        policy.exists = .updateOnly
        return policy
    }
}
