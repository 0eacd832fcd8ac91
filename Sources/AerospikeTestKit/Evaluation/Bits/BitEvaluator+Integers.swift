import Aerospike

extension BitEvaluator {
    /// The blob with an integer in it changed; nil if nothing happens.
    static func setInteger(_ call: BitCall, _ old: [UInt8], at start: Int) throws(Refusal) -> [UInt8]? {
        guard start / 8 < old.count, start + call.size <= old.count * 8 else {
            return try call.unlessFailing(nil, Refusal(.notApplicable, "the blob is shorter"))
        }
        let number = BitRange(of: old, at: start, count: call.size).integer
        let result: UInt64?
        switch call.code {
        case .add: result = call.sum(number)
        case .subtract: result = call.difference(number)
        default: result = call.value
        }
        guard let result else {
            return try call.unlessFailing(nil, Refusal(.notApplicable, "the integer does not hold the result"))
        }
        var new = old
        BitRange(result, count: call.size).write(to: &new, at: start)
        return new
    }
}

extension BitCall {
    private static let saturates: UInt64 = 2
    private static let wraps: UInt64 = 4

    /// The bits that a number of this size has.
    private var mask: UInt64 { .max >> (64 - UInt64(size)) }

    /// The number with the value added; nil if it does not fit.
    fileprivate func sum(_ number: UInt64) -> UInt64? {
        let value = value & mask
        let sum = (number &+ value) & mask
        guard options & Self.wraps == 0 else { return sum }
        if isSigned {
            return signedResult(sum, of: number, and: value)
        }
        return sum >= number ? sum : options & Self.saturates != 0 ? mask : nil
    }

    /// The number with the value subtracted; nil if it does not fit.
    fileprivate func difference(_ number: UInt64) -> UInt64? {
        let value = value & mask
        let difference = (number &- value) & mask
        guard options & Self.wraps == 0 else { return difference }
        if isSigned {
            return signedResult(difference, of: number, and: 0 &- value)
        }
        return difference <= number ? difference : options & Self.saturates != 0 ? 0 : nil
    }

    /// A sum of signed numbers, as a server sees whether it fits: where it is 0, always (`handle_signed_overflow`).
    private func signedResult(_ sum: UInt64, of number: UInt64, and value: UInt64) -> UInt64? {
        let (number, value) = (signed(number), signed(value))
        let least = UInt64(1) << (UInt64(size) - 1)
        if number < 0, value < 0, signed(sum) > 0 {
            return options & Self.saturates != 0 ? least : nil
        }
        if number > 0, value > 0, signed(sum) < 0 {
            return options & Self.saturates != 0 ? least - 1 : nil
        }
        return sum
    }

    private func signed(_ number: UInt64) -> Int64 {
        let unused = 64 - Int64(size)
        return (Int64(bitPattern: number) << unused) >> unused
    }
}
