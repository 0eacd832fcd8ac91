import Aerospike
import NIOCore

/// Checks an expression as a server does before it looks at any record, and takes it apart (aerospike-server 8.1,
/// base/exp.c, `build_internal`).
///
/// Whatever is wrong with an expression, a server answers the same code.
struct ExpressionParser {
    /// An expression, and what is known of its result.
    struct Checked {
        var node: ExpressionNode
        var type: ExpressionType
        /// Whether it is `unknown` itself, which stands where any type is wanted in a `cond`.
        var isUnknown = false
    }

    /// The deepest nesting that is followed; a server has no such bound but its stack's.
    static let depthMax = 256

    /// A server refuses an expression whose compiled form is as long as this (`EXP_MAX_SIZE`).
    static let compiledBytesMax = 1024 * 1024

    var input: ByteBuffer
    /// The variables in sight; those that are just being defined have no type yet.
    var variables: [(name: ByteBuffer, type: ExpressionType?)] = []
    private var depth = 0
    private var compiledBytes = 0

    private init(_ input: ByteBuffer) {
        self.input = input
    }

    /// Checks a whole expression.
    static func parse(_ packed: ByteBuffer) throws(Refusal) -> Checked {
        var parser = ExpressionParser(packed)
        let checked = try parser.next()
        guard parser.input.readableBytes == 0 else { throw .malformed("something follows it") }
        guard checked.type != .none else { throw .malformed("its result has no type") }
        guard parser.compiledBytes < compiledBytesMax else { throw .malformed("it is too long") }
        return checked
    }

    /// Checks the next expression.
    mutating func next() throws(Refusal) -> Checked {
        guard depth < Self.depthMax else { throw .unknown("expressions nested deeper than \(Self.depthMax)") }
        depth += 1
        defer { depth -= 1 }
        guard let kind = input.peekPackedKind() else { throw .malformed("it ends too early") }
        guard kind == .list else { return try constant(kind) }
        guard let count = input.readPackedListCount(), count > 0, let number = input.readPackedInteger(),
            let raw = UInt8(exactly: number), let code = ExpCode(rawValue: raw)
        else { throw .malformed("there is no such function") }
        compiledBytes += code.compiledBytes
        return try function(code, argumentCount: count - 1)
    }

    /// Refuses any number of arguments but the right one.
    func expect(_ count: Int, of argumentCount: Int) throws(Refusal) {
        guard argumentCount == count else { throw .malformed("\(argumentCount) arguments instead of \(count)") }
    }

    // MARK: Values

    private mutating func constant(_ kind: PackedKind) throws(Refusal) -> Checked {
        compiledBytes += kind.compiledBytes
        guard let element = input.readPackedElement() else { throw .malformed("a value ends too early") }
        var copy = element
        guard let value = try? copy.unpackValue() else {
            // A server keeps such bytes without looking at them.
            throw .unknown("a value in an expression that is none to this client: \(element)")
        }
        let type: ExpressionType
        switch kind {
        case .null: type = .null
        case .boolean: type = .boolean
        case .integer: type = .integer
        case .double: type = .double
        case .string: type = .string
        case .map: type = .map
        case .geoJSON:
            type = .geoJSON
            throw .unknown("GeoJSON in an expression")
        case .blob:
            // One without bytes has no particle type either.
            var bytes = element
            guard let first = bytes.readPackedBytes()?.readableBytesView.first else {
                throw .malformed("an empty blob")
            }
            switch ParticleType(rawValue: first) {
            case .blob: type = .blob
            case .hyperLogLog: type = .hyperLogLog
            default: throw .malformed("a blob of type \(first)")
            }
        case .list, .other: type = .none
        }
        return Checked(node: .constant(value), type: type)
    }

    /// A list that is a value.
    mutating func quoted() throws(Refusal) -> Checked {
        guard input.peekPackedKind() == .list, var element = input.readPackedElement() else {
            throw .malformed("a quotation of something that is no list")
        }
        guard let value = try? element.unpackValue() else {
            throw .unknown("a list in an expression that is none to this client: \(element)")
        }
        return Checked(node: .constant(value), type: .list)
    }

    /// A name, which has no particle type.
    mutating func name() throws(Refusal) -> ByteBuffer {
        guard let name = input.readPackedBytes() else { throw .malformed("a name is missing") }
        return name
    }

    /// The name of a bin.
    mutating func binName() throws(Refusal) -> String {
        let name = try name()
        guard name.readableBytes <= AerospikeLimits.binNameBytesMax, !name.readableBytesView.contains(0) else {
            throw .malformed("no bin can have such a name")
        }
        return String(buffer: name)
    }

    /// A number that is not an expression.
    mutating func number() throws(Refusal) -> Int64 {
        guard let number = input.readPackedInteger() else { throw .malformed("a number is missing") }
        return number
    }
}

extension Refusal {
    /// What a server answers to an expression that it cannot make sense of.
    static func malformed(_ reason: String) -> Refusal {
        Refusal(.invalidRequest, "the expression is malformed: \(reason)")
    }
}

// MARK: The compiled form

extension ExpCode {
    /// How many bytes the function takes in a server's compiled form (base/exp.c, `op_*` on 64 bits).
    fileprivate var compiledBytes: Int {
        switch self {
        case .matchesRegex: 80
        case .digestModulo, .userKey, .cond: 12
        case .bin, .binType, .quote: 24
        case .variable: 16
        case .let: 20
        case .call: 352
        default: 8
        }
    }
}

extension PackedKind {
    /// How many bytes the value takes in a server's compiled form, without its own.
    fileprivate var compiledBytes: Int {
        switch self {
        case .null: 8
        case .integer, .double: 16
        case .geoJSON: 40
        // The server counts truth values as it does maps.
        case .boolean, .string, .blob, .list, .map, .other: 24
        }
    }
}
