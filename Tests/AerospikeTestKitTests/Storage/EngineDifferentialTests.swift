import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import Foundation
import NIOCore
import Testing

/// The same random calls, put to a real server and to the engine, are answered the same.
@Suite(
    .enabled(if: RealServer.isNamed, "AEROSPIKE_HOST names no server to compare with"),
    .serialized,
    .onThreads
)
struct EngineDifferentialTests {
    /// How many calls each seed makes; AEROSPIKE_CALLS sets another number.
    private static let callCount = Int(ProcessInfo.processInfo.environment["AEROSPIKE_CALLS"] ?? "") ?? 2000
    /// The first seed; AEROSPIKE_SEED sets another.
    private static let firstSeed = UInt64(ProcessInfo.processInfo.environment["AEROSPIKE_SEED"] ?? "") ?? 1

    @Test(arguments: 0..<4 as Range<UInt64>)
    func randomCallsAreAnsweredTheSame(round: UInt64) throws {
        let seed = EngineDifferentialTests.firstSeed + round
        print("Differential calls of seed \(seed)")
        let server = try RealServer.connect()
        var test = TestStore()
        var calls = RandomCalls(seed: seed, setName: "engine-differential")
        calls.hasCollections = EngineDifferentialTests.hasCollections
        for key in calls.keys {
            // Whatever set an earlier run left it in.
            let anywhere = Key(namespace: key.namespace, digest: key.digest)
            var bytes = ByteBuffer()
            try bytes.writeRequest(.delete(anywhere, policy: WritePolicy()), timeoutMilliseconds: 1000)
            _ = try server.messages(bytes, .one)
        }
        // A server knows the set already.
        try test.put(calls.keys[0], [("a", 1)])
        test.store.remove(calls.keys[0].digest)
        var history: [String] = []
        var tally: [ResultCode: Int] = [:]
        for step in 0..<EngineDifferentialTests.callCount {
            let call = try calls.next()
            test.now = Int64(Date().timeIntervalSince1970 * 1000) * 1_000_000
            var real = try server.messages(call.bytes, call.form)
            if call.form == .manyOrRefusal {
                // What runs of other seeds left in the same partitions is not compared.
                let known = Set(calls.keys.map(\.digest))
                real.removeAll { message in (try? message.key().key.digest).map { !known.contains($0) } ?? false }
            }
            let ours = try test.messages(call.bytes)
            history.append(call.description)
            for message in real {
                tally[message.resultCode, default: 0] += 1
            }
            if let difference = difference(real, ours, form: call.form) {
                let recent = history.suffix(2).joined(separator: "\n  ")
                Issue.record("seed \(seed), step \(step): \(difference)\nafter\n  \(recent)")
                return
            }
            try #require(test.unknown.isEmpty, "\(test.unknown) at step \(step): \(call.description)")
        }
        // Calls that all failed alike would show little.
        let answers = tally.sorted { $0.value > $1.value }.map { "\($0.key.rawValue): \($0.value)" }
        print("Answers of seed \(seed) by code: \(answers.joined(separator: ", "))")
        #expect(tally[.ok, default: 0] > EngineDifferentialTests.callCount / 10)
    }

    /// Whether the evaluator of lists and maps is there; until then calls do without it.
    private static let hasCollections: Bool = {
        guard case .packed(let packed) = Operation.list("a").size().argument else { return false }
        return (try? CollectionEvaluator.apply(packed, to: [1], modifies: false)) != nil
    }()

    private func difference(
        _ real: [ReplyMessage],
        _ ours: [ReplyMessage],
        form: RawConnection.ReplyForm
    ) -> String? {
        guard real.count == ours.count else {
            return
                "\(real.count) messages instead of \(ours.count): \(real.map(\.resultCode)) \(ours.map(\.resultCode))"
        }
        func ordered(_ messages: [ReplyMessage]) -> [ReplyMessage] {
            switch form {
            case .one: messages
            case .many: messages.sorted { $0.batchIndex < $1.batchIndex }
            case .manyOrRefusal: messages.sorted { digest($0) < digest($1) }
            }
        }
        for (real, ours) in zip(ordered(real), ordered(ours)) {
            if let difference = difference(real, ours) {
                return difference
            }
        }
        return nil
    }

    private func digest(_ message: ReplyMessage) -> String {
        (try? message.key().key.digest.description) ?? ""
    }

    private func difference(_ real: ReplyMessage, _ ours: ReplyMessage) -> String? {
        guard real.resultCode == ours.resultCode else {
            return "the server answers \(real.resultCode), we \(ours.resultCode)"
        }
        guard real.header.generation == ours.header.generation else {
            return "generation \(real.header.generation) instead of \(ours.header.generation)"
        }
        let ends = (Int(real.header.expiration), Int(ours.header.expiration))
        guard (ends.0 == 0) == (ends.1 == 0), abs(ends.0 - ends.1) <= 2 else {
            return "void time \(ends.0) instead of \(ends.1)"
        }
        guard let theirs = try? real.record(), let mine = try? ours.record() else { return "an unreadable reply" }
        guard theirs.bins == mine.bins else { return "\(theirs.bins) instead of \(mine.bins)" }
        let keys = (try? real.key().key, try? ours.key().key)
        guard keys.0 == keys.1, keys.0?.userKey == keys.1?.userKey else { return "another key" }
        guard real.header.fieldCount == ours.header.fieldCount, real.header.info == ours.header.info else {
            return "other fields or flags"
        }
        guard real.body == ours.body else {
            return
                "the same in other bytes: \(real.body.hexDump(format: .compact)) \(ours.body.hexDump(format: .compact))"
        }
        return nil
    }
}
