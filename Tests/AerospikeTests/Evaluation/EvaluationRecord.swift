import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore

/// A record of bins of all types, on a real server and as the in-process node sees it.
enum EvaluationRecord {
    /// A sketch of a few values.
    static let sketch: Value = {
        let call = Operation.hyperLogLog("").add([1, 2, 3, "a", "b"], indexBits: 6, minHashBits: 5)
        guard case .packed(let packed) = call.argument,
            let outcome = try? HyperLogLogEvaluator.apply(packed, to: nil, modifies: true)
        else { return .null }
        return outcome.bin ?? .null
    }()

    static let bins: [(String, Value)] = [
        ("sketch", sketch),
        ("yes", true), ("no", false), ("one", 1), ("minus", -77), ("large", .integer(1 << 40 + 12345)), ("half", 0.5),
        ("tiny", -1e-200), ("text", "hello, world"), ("empty", ""), ("bytes", .bytes([1, 2, 3, 0xfe])),
        ("nobytes", .bytes([])), ("list", [5, "a", [1, 2], nil, 2.5, true]), ("emptylist", []),
        ("sorted", .list(Value.List([1, 2, 2, "x", [1]], order: .ordered))),
        ("map", [7: "c", "a": 1, "b": [1, 2]]),
        ("keyed", .map(Value.Map([(1, "x"), (2, ["k": 1]), ("a", 2.5)], order: .keyOrdered))),
        ("ranked", .map(Value.Map([("a", 3), ("b", 2), ("c", 1)], order: .keyValueOrdered))),
    ]

    static func view(_ key: Key) -> ExpressionEvaluator.RecordView {
        var view = ExpressionEvaluator.RecordView(key: key)
        view.bins = Dictionary(uniqueKeysWithValues: bins)
        return view
    }

    /// Writes the record, and learns from the server what only it can know.
    static func write(_ key: Key, to server: RawConnection, sendsKey: Bool) throws -> ExpressionEvaluator.RecordView {
        _ = try? server.call(.delete(key, policy: WritePolicy()))
        var policy = WritePolicy()
        policy.sendsKey = sendsKey
        _ = try server.call(.put(key, bins: bins, policy: policy))
        let known = try server.operate(
            key,
            [.read(Exp<Int>.lastUpdate, as: "lastUpdate"), .read(Exp<Int>.recordSize, as: "recordSize")]
        )
        var view = view(key)
        view.storesUserKey = sendsKey
        guard case .integer(let lastUpdate)? = known["lastUpdate"], case .integer(let size)? = known["recordSize"]
        else {
            throw Unexpected()
        }
        view.lastUpdateNanoseconds = lastUpdate
        view.recordBytes = Int(size)
        return view
    }

    /// The operation that reads an expression, whatever its bytes are.
    static func reading(_ packed: [UInt8]) -> Operation {
        var buffer = ByteBuffer()
        buffer.packListHeader(2)
        buffer.writeBytes(packed)
        buffer.packInteger(0)
        return Operation(.expressionRead, bin: "e", .packed(buffer))
    }
}
