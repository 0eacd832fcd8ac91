import Aerospike
import AerospikeTestKit
import NIOCore
import Testing

/// What expressions see of a record besides its bins.
@Suite struct RecordViewTests {
    private func evaluate(
        _ expression: Exp<Int>,
        _ change: (inout ExpressionEvaluator.RecordView) -> Void
    ) throws -> Value? {
        var view = ExpressionEvaluator.RecordView(key: Key(namespace: "test", set: "s", 1))
        change(&view)
        return try ExpressionEvaluator.evaluate(ByteBuffer(bytes: expression.packed), for: view)
    }

    @Test func timesAreInTheServersUnits() throws {
        let change: (inout ExpressionEvaluator.RecordView) -> Void = {
            $0.lastUpdateNanoseconds = 1_700_000_000_123_456_789
            $0.nowNanoseconds = 1_700_000_002_000_000_000
            $0.voidTimeSeconds = 1_700_000_100
        }
        #expect(try evaluate(.lastUpdate, change) == 1_700_000_000_123_000_000)
        #expect(try evaluate(.sinceUpdate, change) == 1877)
        #expect(try evaluate(.voidTime, change) == 1_700_000_100_000_000_000)
        #expect(try evaluate(.timeToLive, change) == 98)
    }

    @Test func aRecordThatIsOverHasASecondToLive() throws {
        #expect(
            try evaluate(.timeToLive) {
                $0.nowNanoseconds = 2_000_000_000_000
                $0.voidTimeSeconds = 1000
            } == 1
        )
    }

    @Test func aRecordForEverHasNoEnd() throws {
        #expect(try evaluate(.voidTime) { _ in } == -1)
        #expect(try evaluate(.timeToLive) { _ in } == -1)
    }

    @Test func binsThatWereNotReadAreUnknown() throws {
        let one: Exp<Int> = .int(bin: "one")
        #expect(try evaluate(one) { $0.bins = ["one": 1] } == 1)
        #expect(
            try evaluate(one) {
                $0.bins = ["one": 1]
                $0.hasBins = false
            } == nil
        )
    }

    @Test func aFilterIsATruthValue() throws {
        let number = ByteBuffer(bytes: Exp<Int>(1).packed)
        let refusal = #expect(throws: Refusal.self) { try ExpressionEvaluator.checkFilter(number) }
        #expect(refusal?.code == .invalidRequest)
        try ExpressionEvaluator.check(number)
        let view = ExpressionEvaluator.RecordView(key: Key(namespace: "test", set: "s", 1))
        #expect(try !ExpressionEvaluator.passes(ByteBuffer(bytes: Exp<Bool>.unknown.packed), view))
    }
}

/// What would stop a real server is refused loudly instead of answered.
@Suite struct StoppedServerTests {
    @Test(arguments: [
        Exp<Int>(Int.min) / -1, Exp<Int>(Int.min) % -1, Exp<ByteBuffer>.null.nonzeroBitCount(at: 0, count: 8),
        Exp<HyperLogLog>.null.count(),
    ])
    func isRefused(_ expression: Exp<Int>) throws {
        let view = ExpressionEvaluator.RecordView(key: Key(namespace: "test", set: "s", 1))
        let refusal = #expect(throws: Refusal.self) {
            try ExpressionEvaluator.evaluate(ByteBuffer(bytes: expression.packed), for: view)
        }
        #expect(refusal?.isUnknown == true)
    }
}
