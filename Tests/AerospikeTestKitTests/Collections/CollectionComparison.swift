import Aerospike
import AerospikeTestKit
import NIOCore

/// What an operation came to, as text that differs wherever the two sides do.
struct CollectionResult: Equatable, CustomStringConvertible {
    var code: Int
    var answer: String
    var bin: String

    var description: String { "code \(code), answer \(answer), bin \(bin)" }

    /// What a refused operation comes to.
    init(code: ResultCode, bin: Value?) {
        self.code = code.rawValue
        answer = "-"
        self.bin = bin.exactDescription
    }

    init(answer: Value?, bin: Value?) {
        code = 0
        self.answer = answer.exactDescription
        self.bin = bin.exactDescription
    }
}

extension Optional<Value> {
    /// No value and a value of nil are the same on the wire.
    var exactDescription: String {
        switch self {
        case nil, .null?: "-"
        case let value?: value.exactDescription
        }
    }
}

extension Value {
    /// The value with how lists and maps are kept, and the order of what they hold.
    var exactDescription: String {
        switch self {
        case .list(let list):
            return (list.order == .ordered ? "ordered" : "")
                + "[" + list.elements.map(\.exactDescription).joined(separator: ", ") + "]"
        case .map(let map):
            let name = map.order == .unordered ? "" : map.order == .keyOrdered ? "k" : "kv"
            let entries = map.entries.map { $0.key.exactDescription + ": " + $0.value.exactDescription }
            return name + "{" + entries.joined(separator: ", ") + "}"
        case .blob(let bytes): return "x'" + bytes.readableBytesView.map { String($0, radix: 16) }.joined() + "'"
        default: return description
        }
    }
}

extension Operation {
    /// The operation as it is sent, and whether it modifies.
    var packedCollectionCall: (bytes: ByteBuffer, modifies: Bool)? {
        guard case .packed(let bytes) = argument else { return nil }
        return (bytes, kind == .collectionModify)
    }
}

extension CollectionEvaluator {
    /// What an operation comes to, and the bin after it.
    static func result(of call: ByteBuffer, on bin: Value?, modifies: Bool) -> (result: CollectionResult, bin: Value?) {
        do throws(Refusal) {
            let outcome = try apply(call, to: bin, modifies: modifies)
            return (CollectionResult(answer: outcome.answer, bin: outcome.bin), outcome.bin)
        } catch {
            return (CollectionResult(code: error.code, bin: bin), bin)
        }
    }
}
