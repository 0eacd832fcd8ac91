import Aerospike
import Glibc

/// The functions of numbers, whose arguments were checked (aerospike-server 8.1, base/exp.c).
enum ExpressionArithmetic {
    /// A function of integers; nil if its result is unknown.
    static func evaluate(_ code: ExpCode, _ values: [Int64]) throws(Refusal) -> Value? {
        guard let first = values.first else { return nil }
        let rest = values.dropFirst()
        switch code {
        case .add: return .integer(rest.reduce(first, &+))
        case .subtract: return .integer(rest.isEmpty ? 0 &- first : rest.reduce(first, &-))
        case .multiply: return .integer(rest.reduce(first, &*))
        case .divide:
            return rest.isEmpty ? try divide(1, by: first) : try divide(first, by: rest.reduce(1, &*))
        case .modulo: return try remainder(first, by: rest.first ?? 0)
        case .minimum: return .integer(rest.reduce(first) { $1 < $0 ? $1 : $0 })
        case .maximum: return .integer(rest.reduce(first) { $1 > $0 ? $1 : $0 })
        case .absolute: return .integer(first < 0 ? 0 &- first : first)
        case .toDouble: return .double(Double(first))
        case .bitAnd: return .integer(rest.reduce(first, &))
        case .bitOr: return .integer(rest.reduce(first, |))
        case .bitXor: return .integer(rest.reduce(first, ^))
        case .bitNot: return .integer(~first)
        case .countOnes: return .integer(Int64(first.nonzeroBitCount))
        // Only the lower six bits of the distance count, as with the processor's own instructions.
        case .shiftLeft: return .integer(first &<< (rest.first ?? 0))
        case .shiftRight:
            return .integer(Int64(bitPattern: UInt64(bitPattern: first) &>> UInt64(bitPattern: rest.first ?? 0)))
        case .shiftRightArithmetically: return .integer(first &>> (rest.first ?? 0))
        default: return nil
        }
    }

    /// The place of the first or last bit of a kind, counted from the left; -1 if there is none.
    static func scan(_ code: ExpCode, _ value: Int64, for bit: Bool) -> Value {
        let bits = UInt64(bitPattern: bit ? value : ~value)
        guard bits != 0 else { return -1 }
        return .integer(Int64(code == .scanLeft ? bits.leadingZeroBitCount : 63 - bits.trailingZeroBitCount))
    }

    /// A function of doubles.
    static func evaluate(_ code: ExpCode, _ values: [Double]) -> Value? {
        guard let first = values.first else { return nil }
        let rest = values.dropFirst()
        switch code {
        case .add: return .double(rest.reduce(first, +))
        case .subtract: return .double(rest.isEmpty ? 0 - first : rest.reduce(first, -))
        case .multiply: return .double(rest.reduce(first, *))
        case .divide: return .double(rest.isEmpty ? 1 / first : first / rest.reduce(1, *))
        case .minimum: return .double(rest.reduce(first) { $0 > $1 ? $1 : $0 })
        case .maximum: return .double(rest.reduce(first) { $0 < $1 ? $1 : $0 })
        case .absolute: return .double(first.magnitude)
        case .floor: return .double(first.rounded(.down))
        case .ceiling: return .double(first.rounded(.up))
        // What no integer is near becomes the least, as the processor has it.
        case .toInt: return .integer(Int64(exactly: first.rounded(.towardZero)) ?? .min)
        case .power: return rest.first.map { .double(pow(first, $0)) }
        case .logarithm: return rest.first.map { .double(log(first) / log($0)) }
        default: return nil
        }
    }

    private static func divide(_ dividend: Int64, by divisor: Int64) throws(Refusal) -> Value? {
        guard divisor != 0 else { return nil }
        let (quotient, overflows) = dividend.dividedReportingOverflow(by: divisor)
        guard !overflows else { throw .unknown("\(dividend) / -1, at which a real server stops") }
        return .integer(quotient)
    }

    private static func remainder(_ dividend: Int64, by divisor: Int64) throws(Refusal) -> Value? {
        guard divisor != 0 else { return nil }
        let (remainder, overflows) = dividend.remainderReportingOverflow(dividingBy: divisor)
        guard !overflows else { throw .unknown("\(dividend) % -1, at which a real server stops") }
        return .integer(remainder)
    }
}
