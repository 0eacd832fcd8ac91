import Aerospike
import NIOCore

/// An operation on a sketch, parsed as a server parses it (aerospike-server 8.1, base/particle_hll.c, `hll_parse_*`).
struct SketchCall {
    /// The operations (base/proto.h, `as_hll_op_type`).
    enum Code: UInt32 {
        case create = 0
        case add = 1
        case formUnion = 2
        case refreshCount = 3
        case fold = 4
        case count = 50
        case union = 51
        case unionCount = 52
        case intersectCount = 53
        case similarity = 54
        case describe = 55
        case mayContain = 56
    }

    var code: Code
    /// The values, as they are hashed.
    var values: [[UInt8]] = []
    var sketches: [Sketch] = []
    /// nil if there are to be those that the sketch has.
    var indexBits: Int?
    var minHashBits: Int?
    var flags: HyperLogLogWriteFlags = []

    /// Parses an operation.
    ///
    /// - Throws: ``Refusal`` with the code that a real server answers.
    init(_ packed: ByteBuffer, modifies: Bool) throws(Refusal) {
        var input = packed
        guard let count = input.readPackedListCount(), count > 0, let number = input.readPackedInteger(),
            let code = Code(rawValue: UInt32(truncatingIfNeeded: number)), code.modifies == modifies
        else { throw Refusal(.invalidRequest, "there is no such operation on sketches") }
        self.code = code
        let arguments = code.arguments
        guard (arguments.required...arguments.all.count).contains(count - 1) else {
            throw Refusal(.invalidRequest, "\(code) of \(count - 1) arguments")
        }
        for argument in arguments.all.prefix(count - 1) {
            guard parse(argument, from: &input) else { throw Refusal(.invalidRequest, "\(code): \(argument)") }
        }
    }

    /// Parses an argument; answers whether it is one.
    private mutating func parse(_ argument: Argument, from input: inout ByteBuffer) -> Bool {
        switch argument {
        case .values: return parseValues(from: &input)
        case .sketches: return parseSketches(from: &input)
        case .comparedSketches:
            guard parseSketches(from: &input) else { return false }
            // More than two are compared by their minimal hashes alone.
            return sketches.count <= 2
                || sketches[0].minHashBits > 0 && Set(sketches.map(\.minHashBits)).count == 1
        case .indexBits:
            guard let number = input.readPackedInteger() else { return false }
            indexBits = number == -1 ? nil : Int(number)
            return indexBits.map(Sketch.indexBitsRange.contains) ?? true
        case .minHashBits:
            guard let number = input.readPackedInteger() else { return false }
            minHashBits = number == -1 ? nil : Int(number)
            guard let minHashBits else { return true }
            return (minHashBits == 0 || Sketch.minHashBitsRange.contains(minHashBits))
                && (indexBits ?? 0) + minHashBits <= Sketch.bitsMax
        case .flags:
            guard let number = input.readPackedInteger(),
                let given = UInt8(exactly: number).map(HyperLogLogWriteFlags.init), code.flags.isSuperset(of: given),
                !given.isSuperset(of: [.createOnly, .updateOnly])
            else { return false }
            flags = given
            return true
        }
    }

    private mutating func parseValues(from input: inout ByteBuffer) -> Bool {
        guard let count = input.readPackedListCount(), count > 0 else { return false }
        for _ in 0..<count {
            guard let kind = input.peekPackedKind(), kind != .list, kind != .map,
                let element = input.readPackedElement()
            else { return false }
            values.append(Array(element.compacted.readableBytesView))
        }
        return true
    }

    private mutating func parseSketches(from input: inout ByteBuffer) -> Bool {
        var count = 1
        if input.peekPackedKind() == .list {
            guard let listed = input.readPackedListCount(), listed > 0 else { return false }
            count = listed
        }
        for _ in 0..<count {
            // The particle type, which is the first byte, may be any.
            guard var bytes = input.readPackedBytes(), bytes.readInteger(as: UInt8.self) != nil,
                let sketch = Sketch(bytes)
            else { return false }
            sketches.append(sketch)
        }
        return true
    }
}

extension SketchCall {
    /// What an operation can be given.
    enum Argument {
        case values
        case sketches
        /// Sketches that the bin's is compared with.
        case comparedSketches
        case indexBits
        case minHashBits
        case flags
    }
}

extension SketchCall.Code {
    fileprivate var modifies: Bool { rawValue < 50 }

    /// What the operation is given, and how much of it at least.
    fileprivate var arguments: (required: Int, all: [SketchCall.Argument]) {
        switch self {
        case .create: (0, [.indexBits, .minHashBits, .flags])
        case .add: (1, [.values, .indexBits, .minHashBits, .flags])
        case .formUnion: (1, [.sketches, .flags])
        case .fold: (1, [.indexBits])
        case .refreshCount, .count, .describe: (0, [])
        case .union, .unionCount: (1, [.sketches])
        case .intersectCount, .similarity: (1, [.comparedSketches])
        case .mayContain: (1, [.values])
        }
    }

    /// The flags that the operation can be given.
    fileprivate var flags: HyperLogLogWriteFlags {
        switch self {
        case .create: [.createOnly, .updateOnly, .noFail]
        case .add: [.createOnly, .noFail]
        case .formUnion: [.createOnly, .updateOnly, .noFail, .allowFold]
        default: []
        }
    }
}

extension ByteBuffer {
    /// The element packed in as few bytes as it can be, which is what is hashed (cf/src/msgpack_in.c,
    /// `msgpack_compactify`).
    fileprivate var compacted: ByteBuffer {
        var element = self
        var packed = ByteBuffer()
        guard let tag = getInteger(at: readerIndex, as: UInt8.self) else { return self }
        switch tag {
        case 0xcc...0xd3:
            guard let number = element.readPackedInteger() else { return self }
            // Unsigned integers beyond the signed ones stay what they are.
            tag < 0xd0 ? packed.packUnsigned(UInt64(bitPattern: number)) : packed.packInteger(number)
            return packed
        case 0xc4...0xc6, 0xd9...0xdb:
            guard let bytes = element.readPackedBytes() else { return self }
            let isLong: Bool
            switch tag {
            case 0xc4, 0xd9: isLong = bytes.readableBytes > 0x1f
            case 0xc5, 0xda: isLong = bytes.readableBytes > 0xff
            default: isLong = bytes.readableBytes > 0xffff
            }
            guard !isLong else { return self }
            packed.packStringHeader(bytes.readableBytes)
            packed.writeImmutableBuffer(bytes)
            return packed
        default: return self
        }
    }
}
