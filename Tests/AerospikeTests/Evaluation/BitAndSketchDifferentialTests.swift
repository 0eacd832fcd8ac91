import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore
import Testing

/// The in-process node does to bits and sketches what a real server does: random operations give the same answers,
/// codes and bins.
@Suite(
    .enabled(if: RealServer.isNamed, "AEROSPIKE_HOST names the server to compare with"),
    .serialized,
    .onThreads
)
struct BitAndSketchDifferentialTests {
    let server: RawConnection
    let key = Key(namespace: "test", set: "evaluation", "bits and sketches")

    init() throws {
        server = try LiveServer.connect()
        _ = try? server.call(.delete(key, policy: WritePolicy()))
        _ = try server.call(.put(key, bins: [("a", 1)], policy: WritePolicy()))
    }

    typealias Apply = (ByteBuffer, Value?, Bool) throws(Refusal) -> CollectionEvaluator.Outcome

    /// Applies an operation here and there; answers the bin as it is then, or nil where the node does not know.
    func compare(
        _ operation: Operation,
        _ bin: Value?,
        seed: UInt64,
        by apply: Apply
    ) throws -> CollectionEvaluator.Outcome? {
        guard case .packed(let packed) = operation.argument else { throw Unexpected() }
        var ours = CollectionEvaluator.Outcome(answer: nil, bin: bin)
        var refusal: ResultCode?
        do throws(Refusal) {
            ours = try apply(packed, bin, operation.isWrite)
        } catch {
            guard !error.isUnknown else { return nil }
            refusal = error.code
        }
        var answer: Value?
        let theirs = try EvaluationOutcome {
            let record = try server.operate(key, [operation, .get("b")])
            answer = record.values[0]
            return record.values[1]
        }
        let expected = refusal.map(EvaluationOutcome.refused) ?? .value(ours.bin)
        #expect(
            expected.matches(theirs),
            "seed \(seed): \(expected), but a real server \(theirs): \(packed.hex) of \(bin.debugDescription)"
        )
        if refusal == nil {
            let (answered, asked) = (
                EvaluationOutcome.value(ours.answer), EvaluationOutcome.value(answer == .null ? Value?.none : answer)
            )
            #expect(
                answered.matches(asked),
                "seed \(seed): \(answered), but a real server \(asked): \(packed.hex) of \(bin.debugDescription)"
            )
        }
        return ours
    }

    @Test func bitsGiveTheSame() throws {
        var known = 0
        for seed in EvaluationDifferentialTests.seeds {
            var generator = BitAndSketchGenerator(seed: seed)
            let blob = generator.blob()
            _ = try server.operate(key, [.put("b", blob ?? nil)])
            var byteCount = 0
            if case .blob(let bytes)? = blob {
                byteCount = bytes.readableBytes
            }
            let operation = generator.bitOperation(bin: "b", byteCount: byteCount)
            known +=
                try compare(operation, blob, seed: seed) { packed, bin, modifies throws(Refusal) in
                    try BitEvaluator.apply(packed, to: bin, modifies: modifies)
                } == nil ? 0 : 1
        }
        #expect(known * 10 > EvaluationDifferentialTests.caseCount * 8)
    }

    @Test func sketchesGiveTheSame() throws {
        var bin: Value?
        var others: [Value] = []
        for seed in EvaluationDifferentialTests.seeds {
            var generator = BitAndSketchGenerator(seed: seed)
            if generator.chance(10) {
                bin = nil
                _ = try server.operate(key, [.put("b", nil)])
            }
            let operation = generator.sketchOperation(bin: "b", others: others)
            let outcome = try compare(operation, bin, seed: seed) { packed, bin, modifies throws(Refusal) in
                try HyperLogLogEvaluator.apply(packed, to: bin, modifies: modifies)
            }
            bin = try #require(outcome).bin
            if let bin, generator.chance(30) {
                others = others.suffix(15) + [bin]
            }
        }
        #expect(others.count > 5)
    }

    @Test func otherTypesAreRefused() throws {
        for bin: Value in [1, "x", [1], .bytes([1])] {
            _ = try server.operate(key, [.put("b", bin)])
            _ = try compare(.bits("b").get(at: 0, count: 8), bin, seed: 0) { packed, bin, modifies throws(Refusal) in
                try BitEvaluator.apply(packed, to: bin, modifies: modifies)
            }
            _ = try compare(.bits("b").not(at: 0, count: 8), bin, seed: 0) { packed, bin, modifies throws(Refusal) in
                try BitEvaluator.apply(packed, to: bin, modifies: modifies)
            }
            _ = try compare(.hyperLogLog("b").count(), bin, seed: 0) { packed, bin, modifies throws(Refusal) in
                try HyperLogLogEvaluator.apply(packed, to: bin, modifies: modifies)
            }
            _ = try compare(.hyperLogLog("b").fold(indexBits: 4), bin, seed: 0) {
                packed,
                bin,
                modifies throws(Refusal) in
                try HyperLogLogEvaluator.apply(packed, to: bin, modifies: modifies)
            }
        }
    }
}
