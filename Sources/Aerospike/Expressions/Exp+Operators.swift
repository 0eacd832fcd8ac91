/// A type of number that expressions calculate with: `Int` or `Double`.
public protocol ExpNumber: ExpType {
    /// The constant that an integer literal stands for.
    static func expConstant(_ value: Int) -> Value
}

extension Int: ExpNumber {
    /// The integer itself.
    public static func expConstant(_ value: Int) -> Value { .integer(Int64(value)) }
}

extension Double: ExpNumber {
    /// The double that is equal to the integer.
    public static func expConstant(_ value: Int) -> Value { .double(Double(value)) }
}

// MARK: Comparing

extension Exp {
    /// Whether two results are equal.
    public static func == (left: Exp, right: Exp) -> Exp<Bool> { .init(.equal, [left.packed, right.packed]) }

    /// Whether two results differ.
    public static func != (left: Exp, right: Exp) -> Exp<Bool> { .init(.notEqual, [left.packed, right.packed]) }

    /// Whether the left result is greater in the server's order.
    public static func > (left: Exp, right: Exp) -> Exp<Bool> { .init(.greater, [left.packed, right.packed]) }

    /// Whether the left result is greater in the server's order, or equal.
    public static func >= (left: Exp, right: Exp) -> Exp<Bool> {
        .init(.greaterOrEqual, [left.packed, right.packed])
    }

    /// Whether the left result is less in the server's order.
    public static func < (left: Exp, right: Exp) -> Exp<Bool> { .init(.less, [left.packed, right.packed]) }

    /// Whether the left result is less in the server's order, or equal.
    public static func <= (left: Exp, right: Exp) -> Exp<Bool> { .init(.lessOrEqual, [left.packed, right.packed]) }
}

// MARK: Logic

extension Exp where Output == Bool {
    /// Whether both are true.
    ///
    /// The right one is not evaluated if the left one is false.
    public static func && (left: Exp, right: Exp) -> Exp { Exp(.and, [left.packed, right.packed]) }

    /// Whether one is true.
    ///
    /// The right one is not evaluated if the left one is true.
    public static func || (left: Exp, right: Exp) -> Exp { Exp(.or, [left.packed, right.packed]) }

    /// Whether it is false.
    public static prefix func ! (operand: Exp) -> Exp { Exp(.not, [operand.packed]) }

    /// Whether all are true.
    public static func all(_ operands: Exp...) -> Exp { Exp(.and, operands.map(\.packed)) }

    /// Whether any is true.
    public static func any(_ operands: Exp...) -> Exp { Exp(.or, operands.map(\.packed)) }

    /// Whether exactly one is true.
    public static func exactlyOne(_ operands: Exp...) -> Exp { Exp(.exclusive, operands.map(\.packed)) }
}

// MARK: Arithmetic

extension Exp where Output: ExpNumber {
    /// The sum.
    public static func + (left: Exp, right: Exp) -> Exp { Exp(.add, [left.packed, right.packed]) }

    /// The difference.
    public static func - (left: Exp, right: Exp) -> Exp { Exp(.subtract, [left.packed, right.packed]) }

    /// The product.
    public static func * (left: Exp, right: Exp) -> Exp { Exp(.multiply, [left.packed, right.packed]) }

    /// The quotient; of integers, without its fraction.
    public static func / (left: Exp, right: Exp) -> Exp { Exp(.divide, [left.packed, right.packed]) }

    /// The number with its sign turned round.
    public static prefix func - (operand: Exp) -> Exp { Exp(.subtract, [operand.packed]) }

    /// The sum of all.
    public static func sum(_ operands: Exp...) -> Exp { Exp(.add, operands.map(\.packed)) }

    /// The product of all.
    public static func product(_ operands: Exp...) -> Exp { Exp(.multiply, operands.map(\.packed)) }

    /// The least.
    public static func min(_ operands: Exp...) -> Exp { Exp(.minimum, operands.map(\.packed)) }

    /// The greatest.
    public static func max(_ operands: Exp...) -> Exp { Exp(.maximum, operands.map(\.packed)) }

    /// The number without its sign.
    public var magnitude: Exp { Exp(.absolute, [packed]) }
}

extension Exp where Output == Double {
    /// The greatest whole number that is not greater.
    public var floor: Exp { Exp(.floor, [packed]) }

    /// The least whole number that is not less.
    public var ceiling: Exp { Exp(.ceiling, [packed]) }

    /// The number without its fraction, as an integer.
    public var asInt: Exp<Int> { .init(.toInt, [packed]) }

    /// The number to the power of another.
    public func power(_ exponent: Exp) -> Exp { Exp(.power, [packed, exponent.packed]) }

    /// The logarithm of the number to a base.
    public func logarithm(base: Exp) -> Exp { Exp(.logarithm, [packed, base.packed]) }
}

extension Exp where Output == Int {
    /// The rest of a division, which has the sign of the left number.
    public static func % (left: Exp, right: Exp) -> Exp { Exp(.modulo, [left.packed, right.packed]) }

    /// The number as a double.
    public var asDouble: Exp<Double> { .init(.toDouble, [packed]) }

    /// The bits that are set in both.
    public static func & (left: Exp, right: Exp) -> Exp { Exp(.bitAnd, [left.packed, right.packed]) }

    /// The bits that are set in one or both.
    public static func | (left: Exp, right: Exp) -> Exp { Exp(.bitOr, [left.packed, right.packed]) }

    /// The bits that are set in exactly one.
    public static func ^ (left: Exp, right: Exp) -> Exp { Exp(.bitXor, [left.packed, right.packed]) }

    /// The bits that are not set.
    public static prefix func ~ (operand: Exp) -> Exp { Exp(.bitNot, [operand.packed]) }

    /// The bits moved to the left.
    public static func << (left: Exp, right: Exp) -> Exp { Exp(.shiftLeft, [left.packed, right.packed]) }

    /// The bits moved to the right, as Swift moves an `Int`'s: the sign stays.
    public static func >> (left: Exp, right: Exp) -> Exp {
        Exp(.shiftRightArithmetically, [left.packed, right.packed])
    }

    /// The bits moved to the right, as Swift moves a `UInt`'s: zeros come in.
    public func shiftedRightLogically(by count: Exp) -> Exp { Exp(.shiftRight, [packed, count.packed]) }

    /// How many bits are set.
    public var nonzeroBitCount: Exp { Exp(.countOnes, [packed]) }

    /// The place, counted from the left, of the leftmost bit that is set, or with false is not; -1 if there is none.
    public func firstIndex(of bit: Exp<Bool>) -> Exp { Exp(.scanLeft, [packed, bit.packed]) }

    /// The place, counted from the left, of the rightmost bit that is set, or with false is not; -1 if there is none.
    public func lastIndex(of bit: Exp<Bool>) -> Exp { Exp(.scanRight, [packed, bit.packed]) }
}

// MARK: Strings and places

/// How a regular expression is understood (aerospike-common, `cf_regex`: the options of POSIX `regcomp`).
public struct RegexOptions: OptionSet, Sendable, Hashable {
    /// The bits as they are sent.
    public let rawValue: Int

    /// The options of these bits.
    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Extended instead of basic regular expressions.
    public static let extended = RegexOptions(rawValue: 1 << 0)
    /// Letters match in both cases.
    public static let ignoreCase = RegexOptions(rawValue: 1 << 1)
    /// The number by which other clients ask that no groups be remembered.
    ///
    /// Servers up to 8.1 hand it to their C library, which takes it for "the ends of lines are special" (glibc's
    /// `REG_NEWLINE`).
    public static let noGroups = RegexOptions(rawValue: 1 << 2)
    /// The number by which other clients ask that the ends of lines be special.
    ///
    /// Servers up to 8.1 hand it to their C library, which takes it for "no groups are remembered" (glibc's
    /// `REG_NOSUB`).
    public static let newline = RegexOptions(rawValue: 1 << 3)
}

extension Exp where Output == String {
    /// Whether a POSIX regular expression matches somewhere in the string.
    public func matches(_ regex: String, options: RegexOptions = []) -> Exp<Bool> {
        .init(.matchesRegex, [Self.packed(number: options.rawValue), Self.packed(name: regex), packed])
    }
}

extension Exp where Output == GeoJSON {
    /// Whether a point lies within a region, or a region around a point.
    public func intersects(_ other: Exp) -> Exp<Bool> {
        .init(.comparesGeo, [packed, other.packed])
    }
}
