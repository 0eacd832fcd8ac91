import Aerospike
import NIOCore

/// An expression written down element by element, so that it can be wrong in every way.
indirect enum ExpressionForm: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral {
    case list([ExpressionForm])
    case value(Value)
    /// A string without a particle type.
    case name(String)
    case bytes([UInt8])

    init(integerLiteral value: Int64) { self = .value(.integer(value)) }

    init(arrayLiteral elements: ExpressionForm...) { self = .list(elements) }

    init(stringLiteral value: String) { self = .name(value) }

    var packed: [UInt8] {
        var buffer = ByteBuffer()
        pack(into: &buffer)
        return Array(buffer.readableBytesView)
    }

    /// Whether it is one element of MessagePack, so that what is sent after it stays what it is.
    var isWhole: Bool {
        var buffer = ByteBuffer(bytes: packed)
        var pending = 1
        while pending > 0 {
            guard let tag = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return false }
            pending -= 1
            switch tag {
            case 0x80..<0x90, 0x90..<0xa0:
                buffer.moveReaderIndex(forwardBy: 1)
                pending += Int(tag & 0x0f) * (tag < 0x90 ? 2 : 1)
            case 0xdc...0xdf: return false
            default:
                // Anything else is an element of its own, which the client's decoder knows.
                guard (try? buffer.unpackValue()) != nil else { return false }
            }
        }
        return buffer.readableBytes == 0
    }

    private func pack(into buffer: inout ByteBuffer) {
        switch self {
        case .value(let value): buffer.packValue(value)
        case .name(let name): buffer.packName(name)
        case .bytes(let bytes): buffer.writeBytes(bytes)
        case .list(let forms):
            buffer.packListHeader(forms.count)
            forms.forEach { $0.pack(into: &buffer) }
        }
    }
}

extension ExpressionForm {
    private static let one: ExpressionForm = [81, 2, "one"]
    private static let text: ExpressionForm = [81, 3, "text"]
    private static let list: ExpressionForm = [81, 4, "list"]
    private static let bytes: ExpressionForm = [81, 6, "bytes"]
    private static let yes: ExpressionForm = .value(true)
    private static let half: ExpressionForm = .value(0.5)

    /// Expressions that are wrong, or nearly so.
    static let oddities: [(name: String, form: ExpressionForm)] = [
        ("nothing", .bytes([])),
        ("an empty list", []),
        ("a function of no number", ["x"]),
        ("a function that does not exist", [9, 1]),
        ("a function far off", [200, 1]),
        ("a negative function", [-1, 1]),
        ("a value only of the server", [128]),
        ("two expressions", .bytes([1, 1])),
        ("a list that ends early", .bytes([0x93, 1, 1])),
        ("a string that ends early", .bytes([0xa5, 3, 0x61])),
        ("a reserved byte", .bytes([0xc1])),
        ("an integer alone", 5),
        ("an unsigned integer of 64 bits", .bytes([0xcf, 255, 255, 255, 255, 255, 255, 255, 254])),
        ("a float of 32 bits", .bytes([0xca, 0x3f, 0xc0, 0, 0])),
        ("a string alone", .value("x")),
        ("a string of type bin", .bytes([0xc4, 2, 3, 0x61])),
        ("a string without a type", .bytes([0xa0])),
        ("a blob of another language", .bytes([0xa2, 9, 1])),
        ("a map alone", .value(["a": 1])),
        ("nil alone", .value(nil)),
        ("infinity alone", .value(.infinity)),
        ("infinities compared", [1, .value(.infinity), .value(.infinity)]),
        ("a comparison of one", [1, one]),
        ("a comparison of three", [1, one, one, one]),
        ("a comparison of types", [1, one, text]),
        ("a comparison of an integer and a double", [1, one, half]),
        ("a comparison of sketches", [1, [81, 9, "h"], [81, 9, "h"]]),
        ("a comparison of places", [1, [81, 8, "g"], [81, 8, "g"]]),
        ("a comparison of nils", [1, .value(nil), .value(nil)]),
        ("a comparison of a bin of no type", [1, [81, 0, "none"], .value(nil)]),
        ("places that are none", [8, one, one]),
        ("and of one", [16, yes]),
        ("and of none", [16]),
        ("and of integers", [16, yes, 1]),
        ("or of unknown", [17, [0], yes]),
        ("not of two", [18, yes, yes]),
        ("not of an integer", [18, 1]),
        ("an exclusive or of one", [19, yes]),
        ("unknown with an argument", [0, 1]),
        ("a sum of none", [20]),
        ("a sum of one", [20, one]),
        ("a quotient of one", [23, 4]),
        ("a quotient of one 1", [23, 1]),
        ("a quotient of one double", [23, half]),
        ("a quotient by nothing", [23, 0]),
        ("a sum of types", [20, one, half]),
        ("a sum of strings", [20, text, text]),
        ("a sum of the unknown", [20, one, [0]]),
        ("a power of integers", [24, 2, 2]),
        ("a rest of doubles", [26, half, half]),
        ("the absolute of a string", [27, text]),
        ("the floor of an integer", [28, 1]),
        ("an integer of an integer", [30, 1]),
        ("a double of a double", [31, half]),
        ("bits of doubles", [32, half]),
        ("bits of one", [32, 6]),
        ("a shift of one", [36, 1]),
        ("a shift by a double", [36, 1, half]),
        ("a scan for an integer", [40, 1, 1]),
        ("a count of two", [39, 1, 2]),
        ("a minimum of none", [50]),
        ("a minimum of strings", [50, text, text]),
        ("metadata with an argument", [66, 1]),
        ("a digest modulo 0", [64, 0]),
        ("a digest modulo nothing", [64]),
        ("a digest modulo 2^32", [64, 4_294_967_296]),
        ("a digest modulo a string", [64, "x"]),
        ("a key of doubles", [80, 7]),
        ("a key of no type", [80, 0]),
        ("a bin of no type", [81, 0, "one"]),
        ("a bin of an unknown type", [81, 10, "one"]),
        ("a bin of a far type", [81, 4_294_967_298, "one"]),
        ("a bin of a negative type", [81, -1, "one"]),
        ("a bin without a name", [81, 2]),
        ("a bin with an integer for a name", [81, 2, 2]),
        ("a bin with an empty name", [81, 2, ""]),
        ("a bin with a name of 15", [81, 2, "123456789012345"]),
        ("a bin with a name of 16", [81, 2, "1234567890123456"]),
        ("a bin with a zero in its name", [81, 2, .bytes([0xa2, 0x61, 0])]),
        ("a type of a bin without a name", [82]),
        ("a cond of two", [123, yes, 1]),
        ("a cond of one", [123, yes]),
        ("a cond of four", [123, yes, 1, yes, 2]),
        ("a cond whose condition is an integer", [123, 1, 1, 2]),
        ("a cond of types", [123, yes, 1, half]),
        ("a cond of the unknown", [123, yes, [0], [0]]),
        ("a cond of the unknown and a type", [123, yes, [0], [0], 5, 6]),
        ("a cond with an unknown case", [123, [18, yes], [0], 6]),
        ("a cond of unknowns in a sum", [20, [123, yes, [0], [0]], 1]),
        ("a variable of nothing", [124, "x"]),
        ("a variable without a name", [124]),
        ("a let", [125, "x", 1, [124, "x"]]),
        ("a let without a body", [125, "x", 1]),
        ("a let of a body", [125, 1]),
        ("a let of its own variable", [125, "x", [124, "x"], 1]),
        ("a let of a name twice", [125, "x", 1, "x", 2, 3]),
        ("a let of a name within", [125, "x", 1, [125, "x", 2, 3]]),
        ("a let of a name beside", [20, [125, "x", 1, [124, "x"]], [125, "x", 2, [124, "x"]]]),
        ("a let within its value", [125, "x", [125, "y", 1, [20, [124, "y"], 1]], [20, [124, "x"], 1]]),
        ("a let whose variable is gone", [20, [125, "x", 1, [124, "x"]], [124, "x"]]),
        ("a let of an empty name", [125, "", 1, 2]),
        ("a let of a digit", [125, "1x", 1, 2]),
        ("a let of an underscore", [125, "_1", 1, [124, "_1"]]),
        ("a let of a dash", [125, "a-b", 1, 2]),
        ("a let of an umlaut", [125, "ä", 1, 2]),
        ("a let of the unknown", [125, "x", [0], [17, [124, "x"], yes]]),
        ("a let of an unused unknown", [125, "x", [0], 5]),
        ("a let of the unknown as the whole", [125, "x", 1, [0]]),
        ("a quotation", [126, [1, 2]]),
        ("a quotation of an integer", [126, 1]),
        ("a quotation of two", [126, [1], [2]]),
        ("a quotation of a quotation", [126, [126, [1]]]),
        ("a quotation that is empty", [126, []]),
        ("a list that is no quotation", [20, [1], 2]),
        ("a regex", [7, 1, "h.*", text]),
        ("a regex that is none", [7, 1, "(", text]),
        ("a regex with a range that is none", [7, 0, "[z-a]", text]),
        ("a regex for an integer", [7, 1, "h", one]),
        ("a regex without options", [7, "h", text]),
        ("a regex of unknown options", [7, 255, "h", text]),
        ("a regex with a zero", [7, 1, .bytes([0xa3, 0x68, 0, 0x78]), text]),
        ("a regex in a string", [7, 0, .value("h"), text]),
        ("a call of nothing", [127, 2, 0, [], list]),
        ("a call without an argument", [127, 2, 0, [16]]),
        ("a call of no list", [127, 2, 0, 16, list]),
        ("a call of an unknown system", [127, 2, 3, [16], list]),
        ("a call on an integer", [127, 2, 0, [16], one]),
        ("a call of bits on a list", [127, 2, 1, [51, 0, 8], list]),
        ("a call on a blob of lists", [127, 2, 0, [16], bytes]),
        ("a call of an unknown type", [127, 10, 0, [16], list]),
        ("a call of a string", [127, 2, 0, ["x"], list]),
        ("a call in half a context", [127, 2, 0, [255, []], list]),
        ("a call with arguments that are malformed", [127, 2, 1, [51, [9], 8], bytes]),
    ]
}
