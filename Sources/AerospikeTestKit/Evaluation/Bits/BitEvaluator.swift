package import Aerospike
package import NIOCore

/// Applies one operation on the bits of a blob, as aerospike-server 8.1 does (base/particle_blob.c).
package enum BitEvaluator {
    /// Applies an operation to a bin; see ``CollectionEvaluator/apply(_:to:modifies:)``.
    package static func apply(
        _ packed: ByteBuffer,
        to bin: Value?,
        modifies: Bool
    ) throws(Refusal) -> CollectionEvaluator.Outcome {
        guard modifies else {
            // A server does not look at an operation that reads what is not there.
            guard let bin else { return CollectionEvaluator.Outcome(answer: nil, bin: nil) }
            let call = try BitCall(packed, modifies: false)
            return CollectionEvaluator.Outcome(answer: try read(call, blob(bin)), bin: bin)
        }
        let call = try BitCall(packed, modifies: true)
        return CollectionEvaluator.Outcome(answer: nil, bin: try modify(call, bin))
    }

    private static func blob(_ bin: Value) throws(Refusal) -> [UInt8] {
        guard case .blob(let bytes) = bin else { throw Refusal(.incompatibleType, "operations on bits are for blobs") }
        return Array(bytes.readableBytesView)
    }

    // MARK: Reading

    private static func read(_ call: BitCall, _ blob: [UInt8]) throws(Refusal) -> Value {
        let start = try start(call, blob.count)
        guard start / 8 < blob.count, start + call.size <= blob.count * 8 else {
            throw Refusal(.notApplicable, "the blob is shorter")
        }
        let bits = BitRange(of: blob, at: start, count: call.size)
        switch call.code {
        case .get: return .blob(ByteBuffer(bytes: bits.bytes))
        case .count: return .integer(Int64(bits.nonzeroBitCount))
        case .firstIndex: return .integer(bits.firstIndex(of: call.value == 1).map(Int64.init) ?? -1)
        case .lastIndex:
            if let index = bits.lastIndex(of: call.value == 1) {
                return .integer(Int64(index))
            }
            // A server looks on to the beginning of the first byte, and counts what it finds there from the offset.
            let before = BitRange(of: blob, at: start / 8 * 8, count: start % 8)
            return .integer(before.lastIndex(of: call.value == 1).map { Int64($0 - start % 8) } ?? -1)
        default:
            let unused = 64 - Int64(call.size)
            let number = Int64(bitPattern: bits.integer)
            return .integer(call.isSigned ? (number << unused) >> unused : number)
        }
    }

    /// The first bit, counted from the beginning.
    private static func start(_ call: BitCall, _ byteCount: Int) throws(Refusal) -> Int {
        guard call.offset < 0 else { return call.offset }
        guard -call.offset <= byteCount * 8 else { throw Refusal(.invalidRequest, "an offset before the beginning") }
        return byteCount * 8 + call.offset
    }

    // MARK: Modifying

    private static func modify(_ call: BitCall, _ bin: Value?) throws(Refusal) -> Value? {
        if bin != nil, call.flags.contains(.createOnly) {
            return try call.unlessFailing(bin, Refusal(.binExists, "the blob was only to be created"))
        }
        if bin == nil, call.flags.contains(.updateOnly) || call.code != .insert && call.code != .resize {
            return try call.unlessFailing(bin, Refusal(.binNotFound, "there is no blob"))
        }
        let old = try bin.map(blob) ?? []
        let start = try start(call, old.count)
        let new: [UInt8]?
        switch call.code {
        case .resize: new = try resize(call, old)
        case .insert:
            let index = start / 8
            // The bytes between are not made before their number is known to be one that a blob can have.
            try checkLength(max(index, old.count) + call.bytes.count)
            let padding = [UInt8](repeating: 0, count: max(0, index - old.count))
            new = old.prefix(index) + padding + call.bytes + old.dropFirst(index)
        case .remove: new = try remove(call, old, from: start / 8)
        case .add, .subtract, .setInteger: new = try setInteger(call, old, at: start)
        default: new = try overwrite(call, old, at: start)
        }
        return new.map { .blob(ByteBuffer(bytes: $0)) } ?? bin
    }

    /// The blob made longer or shorter; nil if nothing happens.
    private static func resize(_ call: BitCall, _ old: [UInt8]) throws(Refusal) -> [UInt8]? {
        let options = BitResizeFlags(rawValue: UInt8(truncatingIfNeeded: call.options))
        let count = call.size / 8
        if count < old.count {
            guard !options.contains(.growOnly) else {
                return try call.unlessFailing(nil, Refusal(.invalidRequest, "the blob was only to grow"))
            }
            return options.contains(.fromFront) ? Array(old.suffix(count)) : Array(old.prefix(count))
        }
        guard count > old.count else { return nil }
        guard !options.contains(.shrinkOnly) else {
            return try call.unlessFailing(nil, Refusal(.invalidRequest, "the blob was only to shrink"))
        }
        try checkLength(count)
        let padding = [UInt8](repeating: 0, count: count - old.count)
        return options.contains(.fromFront) ? padding + old : old + padding
    }

    private static func checkLength(_ byteCount: Int) throws(Refusal) {
        guard byteCount < BitCall.bytesMax else { throw Refusal(.invalidRequest, "a blob of \(byteCount) bytes") }
    }

    private static func remove(_ call: BitCall, _ old: [UInt8], from index: Int) throws(Refusal) -> [UInt8]? {
        let end = index + call.size / 8
        guard index < old.count, end <= old.count || call.flags.contains(.partial) else {
            return try call.unlessFailing(nil, Refusal(.invalidRequest, "the blob is shorter"))
        }
        return Array(old.prefix(index) + old.dropFirst(end))
    }

    private static func overwrite(_ call: BitCall, _ old: [UInt8], at start: Int) throws(Refusal) -> [UInt8]? {
        let isCut = start + call.size > old.count * 8
        guard start / 8 < old.count, !isCut || call.flags.contains(.partial) else {
            return try call.unlessFailing(nil, Refusal(.notApplicable, "the blob is shorter"))
        }
        let size = isCut ? old.count * 8 - start : call.size
        if isCut, start >= 8 {
            try refuseOverrun(call, byteCount: old.count - start / 8, claimed: old.count * 8 - start % 8)
        }
        let bits = BitRange(of: old, at: start, count: size)
        let result: BitRange
        switch call.code {
        case .not: result = bits.inverted
        case .shiftLeft: result = bits.shiftedLeft(by: Int(truncatingIfNeeded: call.value))
        case .shiftRight: result = bits.shiftedRight(by: Int(truncatingIfNeeded: call.value))
        default:
            let given = BitRange(of: call.bytes, at: 0, count: size)
            switch call.code {
            case .or: result = bits.combined(with: given, by: |)
            case .xor: result = bits.combined(with: given, by: ^)
            case .and: result = bits.combined(with: given, by: &)
            default: result = given
            }
        }
        var new = old
        result.write(to: &new, at: start)
        return new
    }

    /// Refuses what would have a real server write beyond the blob: where an operation is cut, it forgets that its
    /// range does not begin in the first byte, and takes it for longer than it is (`bits_prepare_modify_op`).
    private static func refuseOverrun(_ call: BitCall, byteCount: Int, claimed: Int) throws(Refusal) {
        let overruns: Bool
        switch call.code {
        case .or, .xor, .and: overruns = true
        case .shiftLeft, .shiftRight: overruns = call.value < claimed && call.value / 8 >= byteCount
        default: overruns = false
        }
        if overruns {
            throw .unknown("\(call.code) cut by the end of the blob, with which a real server overruns its memory")
        }
    }
}

extension BitCall {
    /// Nothing done, where failing is not wanted; or else the failure.
    func unlessFailing<Result>(_ result: Result, _ refusal: Refusal) throws(Refusal) -> Result {
        guard flags.contains(.noFail) else { throw refusal }
        return result
    }
}
