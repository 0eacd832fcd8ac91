import Aerospike
import NIOCore

/// An operation on bits, parsed as a server parses it (aerospike-server 8.1, base/particle_blob.c, `bits_parse_*`).
struct BitCall {
    /// The operations (base/proto.h, `as_bits_op_type`).
    enum Code: UInt32 {
        case resize = 0
        case insert = 1
        case remove = 2
        case set = 3
        case or = 4
        case xor = 5
        case and = 6
        case not = 7
        case shiftLeft = 8
        case shiftRight = 9
        case add = 10
        case subtract = 11
        case setInteger = 12
        case get = 50
        case count = 51
        case firstIndex = 52
        case lastIndex = 53
        case getInteger = 54
    }

    var code: Code
    /// The first bit; below zero from the end.
    var offset = 0
    /// How many bits.
    var size = 0
    var value: UInt64 = 0
    var bytes: [UInt8] = []
    var flags: BitWriteFlags = []
    /// How to resize, or what kind of integers to reckon with.
    var options: UInt64 = 0

    var isSigned: Bool { options & 1 != 0 }

    /// Parses an operation.
    ///
    /// - Throws: ``Refusal`` with the code that a real server answers.
    init(_ packed: ByteBuffer, modifies: Bool) throws(Refusal) {
        var input = packed
        guard let count = input.readPackedListCount(), count > 0, let number = input.readPackedInteger(),
            let code = Code(rawValue: UInt32(truncatingIfNeeded: number)), code.modifies == modifies
        else { throw Refusal(.invalidRequest, "there is no such operation on bits") }
        self.code = code
        let arguments = code.arguments
        guard (arguments.required...arguments.all.count).contains(count - 1) else {
            throw Refusal(.invalidRequest, "\(code) of \(count - 1) arguments")
        }
        for argument in arguments.all.prefix(count - 1) {
            guard try parse(argument, from: &input) else { throw Refusal(.invalidRequest, "\(code): \(argument)") }
        }
    }

    private mutating func parse(_ argument: Argument, from input: inout ByteBuffer) throws(Refusal) -> Bool {
        if argument == .bytes {
            return try parseBytes(from: &input)
        }
        if argument == .boolean {
            guard input.peekPackedKind() == .boolean, let byte = input.readInteger(as: UInt8.self) else { return false }
            value = UInt64(byte & 1)
            return true
        }
        guard let number = input.readPackedInteger() else { return false }
        let unsigned = UInt64(bitPattern: number)
        switch argument {
        case .byteOffset:
            // The least integer has no magnitude in C and passes as 0.
            guard number == .min || number.magnitude <= Self.bytesMax else { return false }
            offset = number == .min ? 0 : Int(number) * 8
        case .offset:
            guard number == .min || number.magnitude <= Self.bytesMax * 8 else { return false }
            offset = number == .min ? 0 : Int(number)
        case .byteSizeOrZero, .byteSize:
            guard unsigned <= Self.bytesMax, unsigned > 0 || argument == .byteSizeOrZero else { return false }
            size = Int(unsigned) * 8
        case .size:
            guard (1...Self.bytesMax * 8).contains(unsigned) else { return false }
            size = Int(unsigned)
        case .integerSize:
            guard (1...64).contains(unsigned) else { return false }
            size = Int(unsigned)
        case .distance:
            guard unsigned <= Self.bytesMax * 8 else { return false }
            value = unsigned
        case .integer: value = unsigned
        case .flags:
            guard let allowed = UInt8(exactly: unsigned).map(BitWriteFlags.init), code.flags.isSuperset(of: allowed),
                !allowed.isSuperset(of: [.createOnly, .updateOnly])
            else { return false }
            flags = allowed
        case .resizing:
            guard unsigned <= 7, unsigned & 6 != 6 else { return false }
            options = unsigned
        case .reckoning:
            guard unsigned <= 7, unsigned & 6 != 6 else { return false }
            options = unsigned
        case .reading:
            guard unsigned <= 1 else { return false }
            options = unsigned
        case .bytes, .boolean: return false
        }
        return true
    }

    private mutating func parseBytes(from input: inout ByteBuffer) throws(Refusal) -> Bool {
        guard let typed = input.readPackedBytes() else { return false }
        guard typed.readableBytes > 0 else { throw .unknown("bytes without a particle type, whose number wraps round") }
        bytes = Array(typed.readableBytesView.dropFirst())
        guard !bytes.isEmpty, bytes.count * 8 >= size else { return false }
        if size == 0 {
            size = bytes.count * 8
        }
        return true
    }

    /// The longest blob (base/proto.h, `PROTO_SIZE_MAX`).
    static let bytesMax = UInt64(AerospikeLimits.messageBytesMax)
}

extension BitCall {
    /// What an operation can be given.
    enum Argument {
        case byteOffset
        case offset
        case byteSizeOrZero
        case byteSize
        case size
        case integerSize
        case distance
        case integer
        case bytes
        case boolean
        case flags
        case resizing
        case reckoning
        case reading
    }
}

extension BitCall.Code {
    var modifies: Bool { rawValue < 50 }

    /// What the operation is given, and how much of it at least.
    fileprivate var arguments: (required: Int, all: [BitCall.Argument]) {
        switch self {
        case .resize: (1, [.byteSizeOrZero, .flags, .resizing])
        case .insert: (2, [.byteOffset, .bytes, .flags])
        case .remove: (2, [.byteOffset, .byteSize, .flags])
        case .set, .or, .xor, .and: (3, [.offset, .size, .bytes, .flags])
        case .not: (2, [.offset, .size, .flags])
        case .shiftLeft, .shiftRight: (3, [.offset, .size, .distance, .flags])
        case .add, .subtract: (3, [.offset, .integerSize, .integer, .flags, .reckoning])
        case .setInteger: (3, [.offset, .integerSize, .integer, .flags])
        case .get, .count: (2, [.offset, .size])
        case .firstIndex, .lastIndex: (3, [.offset, .size, .boolean])
        case .getInteger: (2, [.offset, .integerSize, .reading])
        }
    }

    /// The flags that the operation can be given.
    fileprivate var flags: BitWriteFlags {
        switch self {
        case .resize, .insert: [.createOnly, .updateOnly, .noFail]
        case .add, .subtract, .setInteger: [.updateOnly, .noFail]
        default: [.updateOnly, .noFail, .partial]
        }
    }
}
