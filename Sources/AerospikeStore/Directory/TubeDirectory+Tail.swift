import Aerospike
import BeanspikeCore

/// That nothing of a tube is reserved for a while.
package struct TubePause: Sendable, Equatable {
    /// When it ends, by the cluster's clock.
    package var untilMilliseconds: Int64
    /// How long it was asked to last.
    package var seconds: Int
    /// How often the tube was paused.
    package var count: Int
}

/// What is in a tube's record beside the directory.
package struct TubeState: Sendable, Equatable {
    /// The segment that takes puts; nil if there never was one.
    package var tail: Int?
    /// The last pause; nil if there was none.
    package var pause: TubePause?
    /// Whether the tube is in the list of tubes.
    package var isListed: Bool

    static let read: [Operation] = ["tail", "pu", "ps", "pc"].map { .get($0) } + Registration.read

    init(_ record: Record) {
        tail = record.int("tail")
        pause = record["pu"]?.integer.map {
            TubePause(untilMilliseconds: $0, seconds: record.int("ps") ?? 0, count: record.int("pc") ?? 0)
        }
        isListed = Registration(record).isListed
    }
}

extension TubeDirectory {
    /// What is in the tube's record beside the directory.
    package func state() async throws -> TubeState { TubeState(try await readRoot(TubeState.read)) }

    /// Makes another segment the one that takes puts, unless somebody did.
    ///
    /// - Parameters:
    ///   - old: the one that does now; nil if there is none yet.
    ///   - new: another, with a greater number, that ``add(_:)`` returned for.
    /// - Returns: which one does now: the new one, or another's.
    /// - Throws: `AerospikeError`.
    package func moveTail(from old: Int?, to new: Int) async throws -> Int {
        let isOld: Exp<Bool> = old.map { Exp<Int>.int(bin: "tail") == Exp($0) } ?? !.exists(bin: "tail")
        if let old, new <= old { return old }
        if try await changeRoot([.put("tail", .integer(Int64(new)))], if: isOld) != nil { return new }
        guard let tail = try await readRoot([.get("tail")]).int("tail") else { throw isGone }
        return tail
    }

    /// Pauses the tube, or ends its pause.
    ///
    /// Whichever of two pauses comes last holds; a late duplicate does nothing. Two round trips.
    ///
    /// - Parameters:
    ///   - untilMilliseconds: when it ends, by the cluster's clock.
    ///   - seconds: how long it was asked to last.
    /// - Throws: `AerospikeError`.
    package func pause(untilMilliseconds: Int64, seconds: Int) async throws {
        let stamp = Int64.random(in: 1 ... .max)
        for _ in 0..<Self.turnsMax {
            let record = try await readRoot([.get("pn"), .get("px")])
            // Of an earlier turn whose reply was lost.
            if record["px"]?.integer == stamp { return }
            let number = record.int("pn")
            let isSame: Exp<Bool> = number.map { Exp<Int>.int(bin: "pn") == Exp($0) } ?? !.exists(bin: "pn")
            let operations: [Operation] = [
                .put("pu", .integer(untilMilliseconds)), .put("ps", .integer(Int64(seconds))), .add("pc", 1),
                .put("px", .integer(stamp)), .add("pn", 1),
            ]
            if try await changeRoot(operations, if: isSame) != nil { return }
        }
        throw JobStoreError(.writeFailed, "The tube '\(tube)' is paused by too many at once; try again.")
    }
}
