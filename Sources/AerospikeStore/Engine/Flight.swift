import Aerospike
import BeanspikeCore

/// A work on its way.
///
/// Confined to the engine.
///
/// `@unchecked Sendable`: the engine alone uses it, on its event loop.
final class Flight: @unchecked Sendable {
    let hand: WorkInHand
    /// Its number; 0 if it is not sent yet.
    let sequence: Int64
    /// The record's generation after it, if nobody else writes meanwhile; nil where that is not known.
    var generation: UInt32?
    /// The connection by which it went.
    var connection: NodeConnection?
    /// What came of it; nil before that is known.
    var result: Result<SegmentWork.Outcome, AerospikeError>?

    init(_ hand: WorkInHand, sequence: Int64 = 0, generation: UInt32? = nil) {
        self.hand = hand
        self.sequence = sequence
        self.generation = generation
    }

    var hasFailed: Bool {
        if case .failure = result { true } else { false }
    }

    /// Whether it was refused, and nothing of it can happen any more.
    var wasRefused: Bool {
        guard case .failure(let error) = result, !error.inDoubt else { return false }
        return error.code == .filteredOut || error.code == .generationMismatch
    }
}

/// What a process knows of a segment's record because its own works were the last to write it.
struct RecordKnowledge: Sendable {
    /// The generation after all works under way; nil where it is not known.
    private(set) var generation: UInt32?
    /// The ready jobs that no work under way takes.
    var ready: ReadyMirror?
    /// How many writes in a row nobody else came between.
    private var undisturbed = 0
    /// How many there have to be before all ready jobs are read.
    private var calm = 0

    /// The most that is waited for.
    private static let calmMax = 64

    /// Whether it is worth it to learn all ready jobs: nobody else seems to change them.
    var isCalm: Bool { undisturbed >= calm }

    /// The ready jobs were read, and the record had this generation.
    mutating func noteRead(_ found: UInt32, _ jobs: [ReadyMirror.Job]) {
        generation = found
        ready = ReadyMirror(jobs)
    }

    /// A work is sent; returns the generation after it, where it is known.
    mutating func noteSent() -> UInt32? {
        generation = generation.map(Self.next)
        return generation
    }

    /// A work was answered.
    ///
    /// - Parameters:
    ///   - found: the generation after it.
    ///   - expected: what it would be if nobody else wrote; nil where that was not known.
    ///   - behind: how many works are under way behind it.
    /// - Returns: the generations after those.
    mutating func noteAnswered(_ found: UInt32, expected: UInt32?, behind: Int) -> [UInt32] {
        if expected == found {
            undisturbed += 1
            if undisturbed > 4 * calm { calm /= 2 }
        } else if expected != nil {
            noteDisturbed()
        }
        var generations: [UInt32] = []
        var last = found
        for _ in 0..<behind {
            last = Self.next(last)
            generations.append(last)
        }
        generation = last
        return generations
    }

    /// Somebody else wrote.
    mutating func noteDisturbed() {
        forget()
        calm = min(Self.calmMax, max(1, calm * 2))
    }

    /// Nothing is known any more.
    mutating func forget() {
        generation = nil
        ready = nil
        undisturbed = 0
    }

    /// 0 means that there is no record (aerospike-server 8.1, base/record_ce.c).
    private static func next(_ generation: UInt32) -> UInt32 { generation >= 0xffff ? 1 : generation + 1 }
}
