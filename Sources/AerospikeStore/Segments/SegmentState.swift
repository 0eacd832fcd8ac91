import Aerospike
import BeanspikeCore

/// A segment record as it was read.
struct SegmentState: Sendable {
    var tube: TubeName
    /// Where its directory has it, if it does; nil in one of an earlier version whose maker died before that was written down.
    var position: Int?
    var nextSlot: Int
    var isClosed: Bool
    var entries: [Int: JobEntry]
    /// The last sequence of each process.
    var tokens: [ProcessNumber: Int64]
    var timeouts: Int

    /// Jobs that were put and are no more.
    var deleted: Int { nextSlot - entries.count }

    /// How much its jobs add to the record, in bytes.
    var bytes: Int { entries.values.reduce(0) { $0 + $1.approximateBytes } }

    init?(_ record: Record) {
        guard case .string(let name)? = record[SegmentBin.tube], let tube = TubeName(name),
            case .integer(let nextSlot)? = record[SegmentBin.nextSlot],
            case .map(let jobs)? = record[SegmentBin.jobs]
        else { return nil }
        self.tube = tube
        position = record[SegmentBin.position]?.integer.map { Int($0) }
        self.nextSlot = Int(nextSlot)
        isClosed = record[SegmentBin.closed] != nil
        entries = [:]
        for (key, value) in jobs {
            guard let slot = JobPlace.slot(key), let entry = JobEntry(value) else { return nil }
            entries[slot] = entry
        }
        tokens = [:]
        for bin in record.bins {
            guard let process = SegmentBin.process(ofToken: bin.name) else { continue }
            tokens[process] = bin.value.integer
        }
        timeouts = Int(record[SegmentBin.timeouts]?.integer ?? 0)
    }
}

/// Some entries of a segment.
struct SegmentSlice: Sendable {
    var tube: TubeName
    var position: Int
    /// In the order of their slots.
    var entries: [(slot: Int, entry: JobEntry)]
    /// The record's generation.
    var generation: UInt32

    init?(_ record: Record) {
        let answers = record.bins.map(\.value)
        guard answers.count == 3, case .string(let name) = answers[0], let tube = TubeName(name),
            case .integer(let position) = answers[1]
        else { return nil }
        self.tube = tube
        self.position = Int(position)
        generation = record.generation
        entries = []
        if case .map(let map) = answers[2] {
            for (key, value) in map {
                guard let slot = JobPlace.slot(key), let entry = JobEntry(value) else { return nil }
                entries.append((slot, entry))
            }
        }
    }
}
