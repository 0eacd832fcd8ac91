import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore
import Testing

/// Random operations on lists and maps, done by a real server and by the evaluator.
///
/// It uses the namespace `test` of the server that `AEROSPIKE_HOST` names, and only the set `swift-collections` of it.
/// `AEROSPIKE_COLLECTION_OPERATIONS` says how many operations, `AEROSPIKE_SEED` which; they are written to the file that
/// `AEROSPIKE_COLLECTION_VECTORS` names, as ``CollectionVectorTests`` reads them.
@Suite(
    .enabled(
        if: RealServer.isNamed,
        "set AEROSPIKE_HOST to host or host:port of a server with a namespace test"
    ),
    .serialized,
    .onThreads
)
struct CollectionDifferentialTests {
    /// So many differences are enough to look at.
    private static let differencesMax = 20

    @Test func theEvaluatorDoesWhatAServerDoes() throws {
        let seed = CollectionSettings.seed
        var run = try CollectionRun(seed: seed)
        for _ in 0..<CollectionSettings.operationCount
        where run.differences.count + run.unknown.count < Self.differencesMax {
            try run.step()
        }
        if let path = CollectionSettings.vectorsPath {
            try run.vectors.write(to: path)
        }
        for text in run.unknown {
            Issue.record("AEROSPIKE_SEED=\(seed): the evaluator does not know \(text)")
        }
        for text in run.differences {
            Issue.record("AEROSPIKE_SEED=\(seed): \(text)")
        }
    }
}

/// A bin on a server and the same bin here, and one operation after the other on both.
struct CollectionRun {
    private var generator: CollectionGenerator
    private let server: RawConnection
    private let key: Key
    private var bin: Value?
    private var stepsLeft = 0
    private(set) var differences: [String] = []
    private(set) var unknown: [String] = []
    /// What the server did, if it is asked for.
    private(set) var vectors = CollectionVectors()
    private let collectsVectors = CollectionSettings.vectorsPath != nil

    init(seed: UInt64) throws {
        generator = CollectionGenerator(seed: seed)
        server = try RealServer.connect()
        key = Key(namespace: "test", set: "swift-collections", .integer(Int64(seed)))
    }

    /// Does the next operation on both sides and compares.
    mutating func step() throws {
        if stepsLeft == 0 {
            try begin()
        }
        stepsLeft -= 1
        let operation = generator.operation(on: "b", holding: bin)
        guard let call = operation.packedCollectionCall else { return }
        let before = bin
        let ours: CollectionResult
        do throws(Refusal) {
            let outcome = try CollectionEvaluator.apply(call.bytes, to: bin, modifies: call.modifies)
            ours = CollectionResult(answer: outcome.answer, bin: outcome.bin)
            bin = outcome.bin
        } catch {
            ours = CollectionResult(code: error.code, bin: bin)
            if error.isUnknown {
                // What would stop the server is not sent to it.
                guard !error.reason.hasPrefix(Refusal.harmfulPrefix) else { return }
                unknown.append("\(error.reason): \(hex(call.bytes)) on \(before.exactDescription)")
                return
            }
        }
        let theirs: CollectionResult
        do {
            let values = try server.operate(key, [operation, .get("b")]).values
            theirs = CollectionResult(answer: values[0], bin: values[1])
            if collectsVectors {
                vectors.add(call.bytes, modifies: call.modifies, on: before, answering: values[0], leaving: values[1])
            }
        } catch let error as AerospikeError {
            theirs = CollectionResult(code: error.code, bin: before)
            if collectsVectors {
                vectors.add(call.bytes, modifies: call.modifies, on: before, refusedWith: error.code)
            }
        } catch {
            throw CollectionFailure(
                reason: "\(error) after \(describe(call.bytes)) on \(before.exactDescription)"
            )
        }
        guard ours != theirs else { return }
        let persists = before?.map?.persistsIndex ?? before?.list?.persistsIndex == true ? " with index" : ""
        differences.append(
            """
            \(before.exactDescription)\(persists)
              \(call.modifies ? "modify" : "read") \(describe(call.bytes))
              \(hex(call.bytes))
              server: \(theirs)
              here:   \(ours)
            """
        )
        stepsLeft = 0
    }

    /// Gives both sides the same bin, or none.
    private mutating func begin() throws {
        stepsLeft = 1 + generator.below(40)
        let value: Value = generator.chance(20) ? nil : generator.chance(50) ? generator.list() : generator.map()
        bin = value == .null ? nil : value.stored
        // The record is to stay, whatever becomes of the bin.
        _ = try server.operate(key, [.put("kept", 1), .put("b", value)])
    }

    private func describe(_ bytes: ByteBuffer) -> String {
        var bytes = bytes
        return (try? bytes.unpackValue().exactDescription) ?? "?"
    }

    private func hex(_ bytes: ByteBuffer) -> String {
        bytes.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
