import BeanspikeCore
import Logging

// Which jobs of a segment are ready is learned with the first of them that is reserved, or by a read before many are: then the
// others are reserved by plain writes.
extension StoreEngine {
    /// Ready jobs of so many segments at the most are kept in memory.
    private static let mirroredMax = 32
    /// Where so many jobs of a segment are asked for, a read before costs less than an expression for each.
    private static let manyPops = 16

    /// Notes that the ready jobs of a segment are kept.
    func noteMirrored(_ segment: Segment) {
        mirrored.removeAll { $0 === segment || $0.record.ready == nil }
        mirrored.append(segment)
        while mirrored.count > Self.mirroredMax { mirrored.removeFirst().record.ready = nil }
    }

    /// Reads which jobs of a segment are ready, where many are asked for and that is not known.
    ///
    /// - Returns: whether that is under way; nothing is sent meanwhile.
    func learnsFirst(_ segment: Segment) -> Bool {
        guard segment.pops.count >= Self.manyPops, segment.record.ready == nil, segment.record.isCalm,
            !segment.isLearned, !segment.isBusy
        else { return false }
        segment.isLearned = true
        segment.isCarried = true
        begin { engine in
            // What fails here is learned when its jobs are reserved, which they are at once.
            do {
                try await engine.enterFootprint(segment)
                if let slice = try await engine.records.read(segment.number, SegmentRecords.ready) {
                    segment.record.noteRead(slice.generation, slice.entries)
                    engine.noteMirrored(segment)
                }
            } catch {
                engine.logger.debug("ready jobs were not read", metadata: ["error": "\(error)"])
            }
            segment.isCarried = false
            engine.end(segment)
        }
        return true
    }
}
