import Aerospike
import NIOCore

/// What kind of MessagePack element comes next, as a server sees it (aerospike-server 8.1, cf/src/msgpack_in.c,
/// `msgpack_peek_type`).
enum PackedKind {
    case null
    case boolean
    case integer
    case double
    case string
    case blob
    case geoJSON
    case list
    case map
    /// An extension, or one of the values that only compare.
    case other
}

// What a server takes MessagePack apart with: each answers nil, or false, for what it would refuse.
extension ByteBuffer {
    /// The kind of the next element; nil if there is none.
    func peekPackedKind() -> PackedKind? {
        guard let tag = getInteger(at: readerIndex, as: UInt8.self) else { return nil }
        switch tag {
        case 0x00..<0x80, 0xcc...0xd3, 0xe0...: return .integer
        case 0x80..<0x90, 0xde, 0xdf: return .map
        case 0x90..<0xa0, 0xdc, 0xdd: return .list
        case 0xc0: return .null
        case 0xc2, 0xc3: return .boolean
        case 0xca, 0xcb: return .double
        case 0xa0..<0xc0, 0xc4...0xc6, 0xd9...0xdb:
            var copy = self
            guard let bytes = copy.readPackedBytes() else { return nil }
            switch bytes.getInteger(at: bytes.readerIndex, as: UInt8.self).map(ParticleType.init) {
            case .string?: return .string
            case .geoJSON?: return .geoJSON
            default: return .blob
            }
        case 0xd4:
            // Of the extensions of one byte only those that compare are elements.
            guard getInteger(at: readerIndex + 1, as: UInt8.self) == MessagePack.comparisonType,
                let value = getInteger(at: readerIndex + 2, as: UInt8.self), value < 2
            else { return nil }
            return .other
        case 0xc7...0xc9, 0xd5...0xd8: return .other
        default: return nil
        }
    }

    /// The bytes of a string or blob, the particle type's among them if it has one.
    mutating func readPackedBytes() -> ByteBuffer? {
        guard let tag = readInteger(as: UInt8.self) else { return nil }
        let count: Int?
        switch tag {
        case 0xa0..<0xc0: count = Int(tag & 0x1f)
        case 0xc4, 0xd9: count = readInteger(as: UInt8.self).map(Int.init)
        case 0xc5, 0xda: count = readInteger(as: UInt16.self).map(Int.init)
        case 0xc6, 0xdb: count = readInteger(as: UInt32.self).map(Int.init)
        default: count = nil
        }
        return count.flatMap { readSlice(length: $0) }
    }

    /// An integer; those of 2^63 and more are taken for negative ones.
    mutating func readPackedInteger() -> Int64? {
        guard peekPackedKind() == .integer, case .integer(let value)? = try? unpackValue() else { return nil }
        return value
    }

    /// The number of a list's elements, which come after it.
    mutating func readPackedListCount() -> Int? {
        guard let tag = getInteger(at: readerIndex, as: UInt8.self) else { return nil }
        switch tag {
        case 0x90..<0xa0:
            moveReaderIndex(forwardBy: 1)
            return Int(tag & 0x0f)
        case 0xdc:
            moveReaderIndex(forwardBy: 1)
            return readInteger(as: UInt16.self).map(Int.init)
        case 0xdd:
            moveReaderIndex(forwardBy: 1)
            return readInteger(as: UInt32.self).map(Int.init)
        default: return nil
        }
    }

    /// The bytes of a whole element, whatever it is.
    mutating func readPackedElement() -> ByteBuffer? {
        var end = self
        var pending = 1
        while pending > 0 {
            guard let more = end.skipPackedHead() else { return nil }
            // Every element has a byte at least, so more than there are bytes can never come.
            pending += more - 1
            guard pending <= end.readableBytes else { return nil }
        }
        return readSlice(length: end.readerIndex - readerIndex)
    }

    /// Skips an element but for the elements within it; answers how many those are.
    private mutating func skipPackedHead() -> Int? {
        guard let tag = getInteger(at: readerIndex, as: UInt8.self) else { return nil }
        if let count = readPackedListCount() {
            return count
        }
        if peekPackedKind() == .map {
            moveReaderIndex(forwardBy: 1)
            switch tag {
            case 0xde: return readInteger(as: UInt16.self).map { Int($0) * 2 }
            case 0xdf: return readInteger(as: UInt32.self).map { Int($0) * 2 }
            default: return Int(tag & 0x0f) * 2
            }
        }
        let byteCount: Int
        switch tag {
        case 0xa0..<0xc0, 0xc4...0xc6, 0xd9...0xdb: return readPackedBytes().map { _ in 0 }
        case 0xcc, 0xd0: byteCount = 2
        case 0xcd, 0xd1: byteCount = 3
        case 0xca, 0xce, 0xd2: byteCount = 5
        case 0xcb, 0xcf, 0xd3: byteCount = 9
        case 0xd4...0xd8: byteCount = 2 + 1 << Int(tag - 0xd4)
        case 0xc7: byteCount = 3 + Int(getInteger(at: readerIndex + 1, as: UInt8.self) ?? 0)
        case 0xc8: byteCount = 4 + Int(getInteger(at: readerIndex + 1, as: UInt16.self) ?? 0)
        case 0xc9: byteCount = 6 + Int(getInteger(at: readerIndex + 1, as: UInt32.self) ?? 0)
        case 0xc1: return nil
        default: byteCount = 1
        }
        guard byteCount <= readableBytes else { return nil }
        moveReaderIndex(forwardBy: byteCount)
        return 0
    }
}
