import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import Glibc
import NIOCore
import Testing

/// The in-process node does to bits and sketches what a real server did, which is kept in `Vectors/bitsandsketches.txt`.
///
/// A line is the operation's kind and its argument in hexadecimal, the bin before (`-` if there was none), and then the bin
/// after and what was answered, as ``EvaluationOutcome`` writes them.
@Suite struct CapturedBitAndSketchTests {
    /// The file that ``captures()`` writes.
    private static let path = getenv("AEROSPIKE_OPERATION_CAPTURE").map { String(cString: $0) }

    private static let lines = GoldenVectors.lines(PackageResources.bitsandsketches_txt)

    @Test func thereAreCases() {
        #expect(Self.lines.count > 300)
    }

    @Test func everyCaseGivesTheSame() throws {
        for line in Self.lines {
            let kind = try Operation.Kind(rawValue: #require(UInt8(line[0])))
            var bin: Value?
            if line[2] != "-" {
                var packed = ByteBuffer(hex: line[2])
                bin = try packed.unpackValue()
            }
            let outcome = try #require(Self.apply(kind, ByteBuffer(hex: line[1]), to: bin))
            #expect(outcome.bin.line == line[3], "\(line)")
            #expect(outcome.answer.line == line[4], "\(line)")
        }
    }

    /// Applies an operation here; nil for what the node does not know.
    private static func apply(
        _ kind: Operation.Kind,
        _ packed: ByteBuffer,
        to bin: Value?
    ) -> (bin: EvaluationOutcome, answer: EvaluationOutcome)? {
        do throws(Refusal) {
            let outcome =
                [.bitRead, .bitModify].contains(kind)
                ? try BitEvaluator.apply(packed, to: bin, modifies: kind.isWrite)
                : try HyperLogLogEvaluator.apply(packed, to: bin, modifies: kind.isWrite)
            return (.value(outcome.bin), .value(outcome.answer))
        } catch {
            guard !error.isUnknown else { return nil }
            return (.refused(error.code), .refused(error.code))
        }
    }

    @Test(
        .enabled(
            if: RealServer.isNamed && path != nil,
            "AEROSPIKE_OPERATION_CAPTURE names the file to write what the server AEROSPIKE_HOST answers to"
        )
    )
    func captures() throws {
        let server = try LiveServer.connect()
        let key = Key(namespace: "test", set: "evaluation", "captured")
        var lines: [String] = []
        var sketches: [Value] = []
        var bin: Value?
        for seed in UInt64(1)...4000 where lines.count < 400 {
            var generator = BitAndSketchGenerator(seed: seed)
            let operation: Operation
            if seed % 5 > 1 {
                bin = generator.blob()
                var byteCount = 0
                if case .blob(let bytes)? = bin {
                    byteCount = bytes.readableBytes
                }
                operation = generator.bitOperation(bin: "b", byteCount: byteCount)
            } else {
                bin = sketches.randomElement(using: &generator.random)
                operation = generator.sketchOperation(bin: "b", others: sketches)
            }
            guard case .packed(let packed) = operation.argument,
                Self.apply(operation.kind, packed, to: bin) != nil
            else { continue }
            _ = try server.operate(key, [.put("a", 1), .put("b", bin ?? .null)])
            var answer: EvaluationOutcome?
            let after = try EvaluationOutcome {
                let record = try server.operate(key, [operation, .get("b")])
                answer = try EvaluationOutcome { record.values[0] }
                return record.values[1]
            }
            var before = ByteBuffer()
            if let bin {
                before.packValue(bin)
            }
            let words = [
                String(operation.kind.rawValue), packed.hex, bin == nil ? "-" : before.hex, after.line,
                (answer ?? after).line,
            ]
            let line = words.joined(separator: " ")
            guard line.utf8.count < 500 else { continue }
            lines.append(line)
            if case .value(.hyperLogLog(let bytes)?) = after, bytes.readableBytes < 80 {
                sketches = sketches.suffix(7) + [.hyperLogLog(bytes)]
            }
        }
        let path = try #require(Self.path as String?)
        let file = try #require(fopen(path, "w"))
        fputs(lines.joined(separator: "\n") + "\n", file)
        #expect(fclose(file) == 0)
    }
}
