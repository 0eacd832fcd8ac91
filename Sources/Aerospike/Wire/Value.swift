public import NIOCore

/// A value as a bin, an element of a list or map, or an operation's argument holds it.
///
/// Literals make values: `let value: Value = ["name": "ann", "visits": 3]`.
public enum Value: Sendable, Hashable {
    /// No value. Writing it to a bin deletes the bin.
    case null
    /// A signed integer of 64 bits.
    case integer(Int64)
    /// A number in IEEE 754's double precision.
    case double(Double)
    /// A truth value.
    case boolean(Bool)
    /// Text in UTF-8.
    case string(String)
    /// Bytes; a slice of what arrived, not a copy of it.
    case blob(ByteBuffer)
    /// A list.
    case list(List)
    /// A map.
    case map(Map)
    /// A GeoJSON object, as its text.
    case geoJSON(String)
    /// A HyperLogLog sketch, which only the server looks into.
    case hyperLogLog(ByteBuffer)
    /// A type of particle that this client has no case for, such as another language's serialised objects.
    case opaque(type: ParticleType, bytes: ByteBuffer)
    /// Greater than every other value. It only compares: the server stores none.
    case infinity
    /// Equal to every rest of a list. It only compares: the server stores none.
    case wildcard
}

extension Value {
    /// A blob of these bytes.
    public static func bytes(_ bytes: some Sequence<UInt8>) -> Value {
        .blob(ByteBuffer(bytes: bytes))
    }

    /// The integer, if the value is one.
    public var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The number, if the value is a double.
    public var double: Double? {
        if case .double(let value) = self { value } else { nil }
    }

    /// The truth value, if the value is one.
    public var boolean: Bool? {
        if case .boolean(let value) = self { value } else { nil }
    }

    /// The string, if the value is one.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The bytes, if the value is a blob.
    public var blob: ByteBuffer? {
        if case .blob(let value) = self { value } else { nil }
    }

    /// The list, if the value is one.
    public var list: List? {
        if case .list(let value) = self { value } else { nil }
    }

    /// The map, if the value is one.
    public var map: Map? {
        if case .map(let value) = self { value } else { nil }
    }

    /// Whether there is no value.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }
}

extension Value:
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByStringLiteral,
    ExpressibleByStringInterpolation, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByNilLiteral
{
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }

    /// A double.
    public init(floatLiteral value: Double) { self = .double(value) }

    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }

    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }

    /// An unordered list.
    public init(arrayLiteral elements: Value...) { self = .list(List(elements)) }

    /// An unordered map.
    public init(dictionaryLiteral elements: (Value, Value)...) { self = .map(Map(elements)) }

    /// No value.
    ///
    /// In a conditional expression, `nil` beside a `Value` is this value even where a `Value?` is wanted: write `Value?.none`
    /// for the absence of one.
    public init(nilLiteral: ()) { self = .null }
}

extension Value: CustomStringConvertible {
    /// The value in a short form for people; bytes appear as their number only.
    public var description: String {
        switch self {
        case .null: "nil"
        case .integer(let value): "\(value)"
        case .double(let value): "\(value)"
        case .boolean(let value): "\(value)"
        case .string(let value): "\"\(value)\""
        case .blob(let bytes): "<blob of \(bytes.readableBytes) B>"
        case .list(let list): "[" + list.map(\.description).joined(separator: ", ") + "]"
        case .map(let map):
            map.isEmpty ? "[:]" : "[" + map.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "]"
        case .geoJSON(let text): "<GeoJSON \(text)>"
        case .hyperLogLog(let bytes): "<HyperLogLog of \(bytes.readableBytes) B>"
        case .opaque(let type, let bytes): "<particle \(type.rawValue) of \(bytes.readableBytes) B>"
        case .infinity: "infinity"
        case .wildcard: "*"
        }
    }
}
