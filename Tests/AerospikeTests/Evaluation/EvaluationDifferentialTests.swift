import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import Glibc
import NIOCore
import Testing

/// The in-process node evaluates expressions as a real server does: random ones give the same codes and values.
@Suite(
    .enabled(if: RealServer.isNamed, "AEROSPIKE_HOST names the server to compare with"),
    .serialized,
    .onThreads
)
struct EvaluationDifferentialTests {
    /// How many cases a test tries; AEROSPIKE_EVALUATION_CASES sets another number.
    static let caseCount = getenv("AEROSPIKE_EVALUATION_CASES").flatMap { Int(String(cString: $0)) } ?? 400

    /// From which seed on the cases are made; AEROSPIKE_EVALUATION_SEED sets another.
    static let firstSeed = getenv("AEROSPIKE_EVALUATION_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1

    static var seeds: Range<UInt64> { firstSeed..<firstSeed + UInt64(caseCount) }

    let server: RawConnection
    let key = Key(namespace: "test", set: "evaluation", "differences")

    init() throws {
        server = try LiveServer.connect()
    }

    @Test(arguments: [false, true])
    func readsGiveTheSame(sendsKey: Bool) throws {
        let view = try EvaluationRecord.write(key, to: server, sendsKey: sendsKey)
        var known = 0
        for seed in Self.seeds {
            let expression = ExpressionGenerator.expression(seed: seed)
            guard let ours = EvaluationOutcome(ours: expression.packedCase, for: view) else { continue }
            known += 1
            let theirs = try EvaluationOutcome { try server.operate(key, [expression.reading(as: "e")])["e"] }
            #expect(
                ours.matches(theirs),
                "seed \(seed): \(ours), but a real server \(theirs): \(expression.packedCase.hex)"
            )
        }
        #expect(known * 10 > Self.caseCount * 8)
    }

    @Test(arguments: ExpressionForm.oddities.map(\.name))
    func odditiesGiveTheSame(name: String) throws {
        let form = try #require(ExpressionForm.oddities.first { $0.name == name }?.form)
        let view = try EvaluationRecord.write(key, to: server, sendsKey: false)
        let ours = try #require(EvaluationOutcome(ours: form.packed, for: view))
        guard form.isWhole else { return #expect(ours == .refused(.invalidRequest)) }
        let theirs = try EvaluationOutcome {
            try server.operate(key, [EvaluationRecord.reading(form.packed)]).values[0]
        }
        #expect(ours.matches(theirs), "\(name): \(ours), but a real server \(theirs)")
    }

    /// Expressions with bytes changed; some stop a real server, so it must be one that can be spared.
    @Test(.enabled(if: getenv("AEROSPIKE_EVALUATION_MUTANTS") != nil, "AEROSPIKE_EVALUATION_MUTANTS turns mutants on"))
    func mutantsGiveTheSame() throws {
        let view = try EvaluationRecord.write(key, to: server, sendsKey: true)
        for seed in Self.seeds {
            let packed = mutant(of: ExpressionGenerator.expression(seed: seed).packedCase, seed: seed)
            // What takes in the flags after it is another expression, and the time since the last update passes.
            guard !packed.contains(ExpCode.sinceUpdate.rawValue), ExpressionForm.bytes(packed).isWhole,
                let ours = EvaluationOutcome(ours: packed, for: view)
            else { continue }
            let theirs = try EvaluationOutcome { try server.operate(key, [EvaluationRecord.reading(packed)]).values[0] }
            #expect(ours.matches(theirs), "seed \(seed): \(ours), but a real server \(theirs): \(packed.hex)")
        }
    }

    private func mutant(of packed: [UInt8], seed: UInt64) -> [UInt8] {
        var random = SeededGenerator(seed: seed)
        var packed = packed
        for _ in 0..<Int.random(in: 1..<4, using: &random) where !packed.isEmpty {
            let index = Int.random(in: 0..<packed.count, using: &random)
            let byte = UInt8.random(in: .min ... .max, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: packed[index] = byte
            case 1: packed.insert(byte, at: index)
            case 2: packed.remove(at: index)
            case 3: packed[index] = byte & 0x7f
            case 4: packed[index] &+= 1
            default: packed[index] ^= 1 << (byte & 7)
            }
        }
        return packed
    }

    @Test func writesGiveTheSame() throws {
        let view = try EvaluationRecord.write(key, to: server, sendsKey: false)
        for seed in Self.seeds {
            let expression = ExpressionGenerator.expression(seed: seed, asksMetadata: false)
            guard let ours = EvaluationOutcome(ours: expression.packedCase, for: view) else { continue }
            let theirs = try EvaluationOutcome {
                let record = try server.operate(key, [expression.writing(to: "w"), .get("w"), .put("w", nil)])
                return record.values[1]
            }
            #expect(
                ours.matches(theirs),
                "seed \(seed): \(ours), but a real server \(theirs): \(expression.packedCase.hex)"
            )
        }
    }

    @Test func filtersPassTheSame() throws {
        let view = try EvaluationRecord.write(key, to: server, sendsKey: true)
        for seed in Self.seeds {
            var generator = ExpressionGenerator(seed: seed)
            let filter = generator.bool()
            let ours: Bool
            do throws(Refusal) {
                ours = try ExpressionEvaluator.passes(ByteBuffer(bytes: filter.packed), view)
            } catch {
                #expect(error.isUnknown)
                continue
            }
            var policy = ReadPolicy()
            policy.filter = filter
            let theirs = try EvaluationOutcome {
                _ = try server.call(.get(key, bins: [], policy: policy))
                return nil
            }
            #expect(theirs == (ours ? .value(nil) : .refused(.filteredOut)), "seed \(seed): \(filter.packed.hex)")
        }
    }
}
