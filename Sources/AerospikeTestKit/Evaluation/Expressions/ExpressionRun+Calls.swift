import Aerospike
import NIOCore

extension ExpressionRun {
    /// What a call comes to: what the operation answers, or what it makes of the value that it is called on.
    mutating func evaluate(_ call: ExpressionCall) throws(Refusal) -> Value? {
        var packed = ByteBuffer()
        for part in call.parts {
            switch part {
            case .packed(let bytes): packed.writeImmutableBuffer(bytes)
            case .argument(let node):
                guard let value = try evaluate(node) else { return nil }
                packed.packValue(value)
            }
        }
        guard let target = try evaluate(call.target) else { return nil }
        let bin = target == .null ? Value?.none : target
        guard let outcome = try apply(call, packed, to: bin) else { return nil }
        let result = (call.modifies ? outcome.bin : outcome.answer) ?? .null
        guard call.type.includes(result) else { return nil }
        if case .map(let entries) = result, entries.isEmpty, !call.modifies {
            hasEmptySelection = true
        }
        return result
    }

    /// Applies the operation; nil if a server refuses it, which makes the result unknown.
    private func apply(
        _ call: ExpressionCall,
        _ packed: ByteBuffer,
        to bin: Value?
    ) throws(Refusal) -> CollectionEvaluator.Outcome? {
        do throws(Refusal) {
            switch call.system {
            case .collection?: return try CollectionEvaluator.apply(packed, to: bin, modifies: call.modifies)
            case .bits? where bin != nil || call.modifies:
                return try BitEvaluator.apply(packed, to: bin, modifies: call.modifies)
            case .hyperLogLog? where bin != nil || call.modifies:
                return try HyperLogLogEvaluator.apply(packed, to: bin, modifies: call.modifies)
            case .bits?, .hyperLogLog?, nil: throw .unknown("a call on no value, at which a real server stops")
            }
        } catch {
            guard error.isUnknown else { return nil }
            throw error
        }
    }
}
