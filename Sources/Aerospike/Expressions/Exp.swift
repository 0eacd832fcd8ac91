public import NIOCore

/// An expression that the server evaluates for a record, and whose result is of a type known at compile time.
///
/// Expressions filter what is read and written, are read as if they were bins, and are written to bins. They look like
/// the Swift that they stand for:
///
/// ```swift
/// let isDue: Exp<Bool> = .int(bin: "state") == 2 && .int(bin: "deadline") <= .lastUpdate / 1_000_000 + .sinceUpdate
/// ```
///
/// An expression is kept as the bytes that are sent, so making it is compiling it: make it once and use it often.
///
/// The codes are those of aerospike-server 8.1, base/exp.c; how arguments are packed is that of aerospike-client-c 7.5,
/// as_exp.c.
public struct Exp<Output: ExpType>: Sendable, Hashable {
    /// The expression as it is sent, in MessagePack.
    package let packed: [UInt8]

    package init(packed: [UInt8]) {
        self.packed = packed
    }

    /// A call of a function with arguments that are packed already.
    package init(_ code: ExpCode, _ arguments: [[UInt8]] = []) {
        var buffer = ByteBuffer()
        buffer.packListHeader(arguments.count + 1)
        buffer.packUnsigned(UInt64(code.rawValue))
        for argument in arguments {
            buffer.writeBytes(argument)
        }
        packed = Array(buffer.readableBytesView)
    }

    /// A value that does not depend on the record.
    package init(constant value: Value) {
        var buffer = ByteBuffer()
        if case .list = value {
            // A list that is not quoted would be a call.
            buffer.packListHeader(2)
            buffer.packUnsigned(UInt64(ExpCode.quote.rawValue))
        }
        buffer.packValue(value)
        packed = Array(buffer.readableBytesView)
    }

    /// The expression in Base64, as commands that create an index take it.
    public var base64: String {
        Base64.encode(packed)
    }
}

/// The functions of expressions (aerospike-server 8.1, base/exp.c, `exp_op_code`).
package enum ExpCode: UInt8, Sendable {
    case unknown = 0
    case equal = 1
    case notEqual = 2
    case greater = 3
    case greaterOrEqual = 4
    case less = 5
    case lessOrEqual = 6
    case matchesRegex = 7
    case comparesGeo = 8
    case and = 16
    case or = 17
    case not = 18
    case exclusive = 19
    case add = 20
    case subtract = 21
    case multiply = 22
    case divide = 23
    case power = 24
    case logarithm = 25
    case modulo = 26
    case absolute = 27
    case floor = 28
    case ceiling = 29
    case toInt = 30
    case toDouble = 31
    case bitAnd = 32
    case bitOr = 33
    case bitXor = 34
    case bitNot = 35
    case shiftLeft = 36
    case shiftRight = 37
    case shiftRightArithmetically = 38
    case countOnes = 39
    case scanLeft = 40
    case scanRight = 41
    case minimum = 50
    case maximum = 51
    case digestModulo = 64
    case deviceSize = 65
    case lastUpdate = 66
    case sinceUpdate = 67
    case voidTime = 68
    case timeToLive = 69
    case setName = 70
    case keyExists = 71
    case isTombstone = 72
    case memorySize = 73
    case recordSize = 74
    case userKey = 80
    case bin = 81
    case binType = 82
    case cond = 123
    case variable = 124
    case `let` = 125
    case quote = 126
    case call = 127
}

/// A type that an expression's result can be of.
///
/// Only this module's conformances mean anything to a server.
public protocol ExpType: Sendable {
    /// The type's number (aerospike-server 8.1, base/exp.c, `result_type`).
    static var expTypeCode: UInt8 { get }
}

extension Bool: ExpType {
    /// A truth value.
    public static var expTypeCode: UInt8 { 1 }
}

extension Int: ExpType {
    /// A signed integer of 64 bits.
    public static var expTypeCode: UInt8 { 2 }
}

extension String: ExpType {
    /// A string.
    public static var expTypeCode: UInt8 { 3 }
}

extension Value.List: ExpType {
    /// A list.
    public static var expTypeCode: UInt8 { 4 }
}

extension Value.Map: ExpType {
    /// A map.
    public static var expTypeCode: UInt8 { 5 }
}

extension ByteBuffer: ExpType {
    /// A blob.
    public static var expTypeCode: UInt8 { 6 }
}

extension Double: ExpType {
    /// A double.
    public static var expTypeCode: UInt8 { 7 }
}

/// A GeoJSON object, as the type of an expression's result.
public enum GeoJSON: ExpType {
    /// A GeoJSON object.
    public static var expTypeCode: UInt8 { 8 }
}

/// A HyperLogLog sketch, as the type of an expression's result.
public enum HyperLogLog: ExpType {
    /// A sketch.
    public static var expTypeCode: UInt8 { 9 }
}

/// What can be an argument of an expression: an expression, or a value of Swift's.
public protocol ExpConvertible<ExpOutput>: Sendable {
    /// The type of the argument, where it is known at compile time.
    associatedtype ExpOutput

    /// The argument as it is sent.
    var packedExp: [UInt8] { get }
}

extension Exp: ExpConvertible {
    /// The type of the expression's result.
    public typealias ExpOutput = Output

    /// The expression as it is sent.
    public var packedExp: [UInt8] { packed }
}

extension Value: ExpConvertible {
    /// A value's type is known at run time only.
    public typealias ExpOutput = Value

    /// The value as it is sent.
    public var packedExp: [UInt8] { Exp<Bool>(constant: self).packed }
}

extension Bool: ExpConvertible {
    /// A truth value.
    public typealias ExpOutput = Bool

    /// The value as it is sent.
    public var packedExp: [UInt8] { Value.boolean(self).packedExp }
}

extension Int: ExpConvertible {
    /// An integer.
    public typealias ExpOutput = Int

    /// The value as it is sent.
    public var packedExp: [UInt8] { Value.integer(Int64(self)).packedExp }
}

extension Double: ExpConvertible {
    /// A double.
    public typealias ExpOutput = Double

    /// The value as it is sent.
    public var packedExp: [UInt8] { Value.double(self).packedExp }
}

extension String: ExpConvertible {
    /// A string.
    public typealias ExpOutput = String

    /// The value as it is sent.
    public var packedExp: [UInt8] { Value.string(self).packedExp }
}

extension Value.List: ExpConvertible {
    /// A list.
    public typealias ExpOutput = Value.List

    /// The value as it is sent.
    public var packedExp: [UInt8] { Value.list(self).packedExp }
}

extension Value.Map: ExpConvertible {
    /// A map.
    public typealias ExpOutput = Value.Map

    /// The value as it is sent.
    public var packedExp: [UInt8] { Value.map(self).packedExp }
}
