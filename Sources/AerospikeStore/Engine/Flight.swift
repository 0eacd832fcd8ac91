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

    init(_ hand: consuming WorkInHand, sequence: Int64 = 0, generation: UInt32? = nil) {
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
