import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import Glibc
import NIOCore
import Testing

/// The in-process node evaluates expressions as a real server did: what it answered to some is kept in
/// `Vectors/evaluation.txt`.
///
/// A line is an expression in hexadecimal and what came of it: `!` and a code, or `=` and the value packed. The first line
/// tells when the record was written and how long it is.
@Suite struct CapturedEvaluationTests {
    /// The file that ``captures()`` writes.
    private static let path = getenv("AEROSPIKE_EVALUATION_CAPTURE").map { String(cString: $0) }

    private static let lines = GoldenVectors.lines(PackageResources.evaluation_txt)

    private static let key = Key(namespace: "test", set: "evaluation", "expressions")

    @Test func thereAreCases() {
        #expect(Self.lines.count > 400)
    }

    @Test func everyCaseGivesTheSame() throws {
        var view = EvaluationRecord.view(Self.key)
        let record = try #require(Self.lines.first)
        view.storesUserKey = true
        view.lastUpdateNanoseconds = try #require(Int64(record[1]))
        view.recordBytes = try #require(Int(record[2]))
        for line in Self.lines.dropFirst() {
            let outcome = try #require(EvaluationOutcome(ours: [UInt8](hex: line[0]), for: view))
            #expect(outcome.line == line[1], "\(line[0])")
        }
    }

    @Test(
        .enabled(
            if: RealServer.isNamed && path != nil,
            "AEROSPIKE_EVALUATION_CAPTURE names the file to write what the server AEROSPIKE_HOST answers to"
        )
    )
    func captures() throws {
        let server = try LiveServer.connect()
        let view = try EvaluationRecord.write(Self.key, to: server, sendsKey: true)
        var lines = ["record \(view.lastUpdateNanoseconds) \(view.recordBytes)"]
        var expressions = ExpressionForm.oddities.map(\.form.packed)
        for seed in UInt64(1)...2000 where expressions.count < 500 {
            let packed = ExpressionGenerator.expression(seed: seed).packedCase
            if packed.count < 60, packed.count > 6 {
                expressions.append(packed)
            }
        }
        for packed in expressions where EvaluationOutcome(ours: packed, for: view) != nil {
            guard ExpressionForm.bytes(packed).isWhole else { continue }
            let outcome = try EvaluationOutcome {
                try server.operate(Self.key, [EvaluationRecord.reading(packed)]).values[0]
            }
            lines.append("\(packed.hex) \(outcome.line)")
        }
        let path = try #require(Self.path as String?)
        let file = try #require(fopen(path, "w"))
        fputs(lines.joined(separator: "\n") + "\n", file)
        #expect(fclose(file) == 0)
    }
}
