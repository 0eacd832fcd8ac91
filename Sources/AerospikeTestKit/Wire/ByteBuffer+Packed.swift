import NIOCore

/// Taking MessagePack apart without unpacking it.
extension ByteBuffer {
    /// Reads the head of a list; nil if there is none.
    mutating func readPackedListHeader() -> Int? {
        guard let tag = readInteger(as: UInt8.self) else { return nil }
        switch tag {
        case 0x90..<0xa0: return Int(tag & 0x0f)
        case 0xdc: return readInteger(as: UInt16.self).map(Int.init)
        case 0xdd: return readInteger(as: UInt32.self).map(Int.init)
        default: return nil
        }
    }

    /// Reads an integer that is not negative; nil if there is none.
    mutating func readPackedUnsigned() -> UInt64? {
        guard let tag = readInteger(as: UInt8.self) else { return nil }
        switch tag {
        case 0..<0x80: return UInt64(tag)
        case 0xcc: return readInteger(as: UInt8.self).map(UInt64.init)
        case 0xcd: return readInteger(as: UInt16.self).map(UInt64.init)
        case 0xce: return readInteger(as: UInt32.self).map(UInt64.init)
        case 0xcf: return readInteger(as: UInt64.self)
        case 0xd0: return readInteger(as: Int8.self).flatMap { UInt64(exactly: $0) }
        case 0xd1: return readInteger(as: Int16.self).flatMap { UInt64(exactly: $0) }
        case 0xd2: return readInteger(as: Int32.self).flatMap { UInt64(exactly: $0) }
        case 0xd3: return readInteger(as: Int64.self).flatMap { UInt64(exactly: $0) }
        default: return nil
        }
    }

    /// Reads one whole value, packed as it is, however deep it goes; nil if it does not end.
    mutating func readPackedElement() -> ByteBuffer? {
        var rest = self
        var wanted = 1
        while wanted > 0 {
            guard let (bytes, elements) = rest.readPackedHead(), rest.readSlice(length: bytes) != nil,
                // Every element takes a byte at least, so no claim is believed that the bytes at hand do not warrant.
                elements <= rest.readableBytes
            else { return nil }
            wanted += elements - 1
        }
        return readSlice(length: readableBytes - rest.readableBytes)
    }

    /// How many bytes follow the head of a value, and how many values those of a list or map are.
    private mutating func readPackedHead() -> (bytes: Int, elements: Int)? {
        guard let tag = readInteger(as: UInt8.self) else { return nil }
        switch tag {
        case 0x00..<0x80, 0xc0, 0xc2, 0xc3, 0xe0...: return (0, 0)
        case 0x80..<0x90: return (0, Int(tag & 0x0f) * 2)
        case 0x90..<0xa0: return (0, Int(tag & 0x0f))
        case 0xa0..<0xc0: return (Int(tag & 0x1f), 0)
        case 0xc4, 0xd9: return readInteger(as: UInt8.self).map { (Int($0), 0) }
        case 0xc5, 0xda: return readInteger(as: UInt16.self).map { (Int($0), 0) }
        case 0xc6, 0xdb: return readInteger(as: UInt32.self).map { (Int($0), 0) }
        // Extensions have a byte of type besides.
        case 0xc7: return readInteger(as: UInt8.self).map { (Int($0) + 1, 0) }
        case 0xc8: return readInteger(as: UInt16.self).map { (Int($0) + 1, 0) }
        case 0xc9: return readInteger(as: UInt32.self).map { (Int($0) + 1, 0) }
        case 0xd4...0xd8: return ((1 << Int(tag - 0xd4)) + 1, 0)
        case 0xcc, 0xd0: return (1, 0)
        case 0xcd, 0xd1: return (2, 0)
        case 0xca, 0xce, 0xd2: return (4, 0)
        case 0xcb, 0xcf, 0xd3: return (8, 0)
        case 0xdc: return readInteger(as: UInt16.self).map { (0, Int($0)) }
        case 0xdd: return readInteger(as: UInt32.self).map { (0, Int($0)) }
        case 0xde: return readInteger(as: UInt16.self).map { (0, Int($0) * 2) }
        case 0xdf: return readInteger(as: UInt32.self).map { (0, Int($0) * 2) }
        default: return nil
        }
    }
}
