import Aerospike
import NIOCore

/// A process as one that changes segments, with what of its requests is always the same, packed once.
struct SegmentWorker: Sendable {
    let process: ProcessNumber
    /// The bin that its last sequence is in.
    let tokenBin: String
    /// Whether its last sequence in the segment is lower.
    let isNext: NumberCondition
    /// Whether its last sequence in the segment is just this one.
    let isBehind: NumberCondition
    private let pops: PopTemplates

    init(_ process: ProcessNumber) {
        self.process = process
        let bin = SegmentBin.token(process)
        tokenBin = bin
        isNext = NumberCondition { !Exp<Bool>.exists(bin: bin) || .int(bin: bin) < $0 }
        isBehind = NumberCondition { .int(bin: bin) == $0 }
        pops = PopTemplates(process)
    }

    /// Refuses a call if a work of this sequence, or a greater one, was done.
    func filter(_ sequence: Int64) -> Exp<Bool> {
        var conditions = WorkConditions()
        conditions.add(isNext, sequence)
        return conditions.filter()
    }

    /// Reserves the best job, if one is ready that is good enough; else it does nothing.
    ///
    /// - Parameters:
    ///   - milliseconds: the cluster's time.
    ///   - priorityMax: the greatest priority value that is good enough.
    /// - Returns: the operation.
    func pop(_ milliseconds: Int64, _ priorityMax: UInt32) -> Operation { pops.pop(milliseconds, priorityMax) }
}
