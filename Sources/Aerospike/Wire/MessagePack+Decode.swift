package import NIOCore

extension ByteBuffer {
    /// Unpacks one value, bounded in depth and by the bytes at hand.
    ///
    /// No claim of a peer makes this allocate more than the bytes that came with it warrant: a count of elements is
    /// refused at once if there are fewer bytes than elements.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply``.
    package mutating func unpackValue() throws(AerospikeError) -> Value {
        try unpackValue(depth: 0)
    }

    private mutating func unpackValue(depth: Int) throws(AerospikeError) -> Value {
        let tag = try unpackByte()
        switch tag {
        case 0x00..<0x80: return .integer(Int64(tag))
        case 0x80..<0x90: return try unpackMap(count: Int(tag & 0x0f), depth: depth)
        case 0x90..<0xa0: return try unpackList(count: Int(tag & 0x0f), depth: depth)
        case 0xa0..<0xc0: return try unpackParticle(byteCount: Int(tag & 0x1f))
        case 0xe0...: return .integer(Int64(Int8(bitPattern: tag)))
        case 0xc0: return .null
        case 0xc2: return .boolean(false)
        case 0xc3: return .boolean(true)
        case 0xc4, 0xd9: return try unpackParticle(byteCount: Int(try unpack(UInt8.self)))
        case 0xc5, 0xda: return try unpackParticle(byteCount: Int(try unpack(UInt16.self)))
        case 0xc6, 0xdb: return try unpackParticle(byteCount: Int(try unpack(UInt32.self)))
        case 0xc7...0xc9, 0xd4...0xd8: return try unpackComparison(tag: tag)
        case 0xca: return .double(Double(Float(bitPattern: try unpack(UInt32.self))))
        case 0xcb: return .double(Double(bitPattern: try unpack(UInt64.self)))
        case 0xcc: return .integer(Int64(try unpack(UInt8.self)))
        case 0xcd: return .integer(Int64(try unpack(UInt16.self)))
        case 0xce: return .integer(Int64(try unpack(UInt32.self)))
        // Integers over 2^63 have no other meaning to the server than the same bits, signed (msgpack_in.c).
        case 0xcf: return .integer(Int64(bitPattern: try unpack(UInt64.self)))
        case 0xd0: return .integer(Int64(try unpack(Int8.self)))
        case 0xd1: return .integer(Int64(try unpack(Int16.self)))
        case 0xd2: return .integer(Int64(try unpack(Int32.self)))
        case 0xd3: return .integer(try unpack(Int64.self))
        case 0xdc: return try unpackList(count: Int(try unpack(UInt16.self)), depth: depth)
        case 0xdd: return try unpackList(count: Int(try unpack(UInt32.self)), depth: depth)
        case 0xde: return try unpackMap(count: Int(try unpack(UInt16.self)), depth: depth)
        case 0xdf: return try unpackMap(count: Int(try unpack(UInt32.self)), depth: depth)
        default: throw .malformed("MessagePack has no type 0x\(String(tag, radix: 16))")
        }
    }

    private mutating func unpackList(count: Int, depth: Int) throws(AerospikeError) -> Value {
        try checkContainer(elementCount: count, depth: depth)
        var list = Value.List()
        var count = count
        if count > 0, let flags = try unpackOrder() {
            list.order = flags & ListOrder.ordered.rawValue == 0 ? .unordered : .ordered
            count -= 1
        }
        list.elements.reserveCapacity(count)
        for _ in 0..<count {
            list.elements.append(try unpackValue(depth: depth + 1))
        }
        return .list(list)
    }

    private mutating func unpackMap(count: Int, depth: Int) throws(AerospikeError) -> Value {
        try checkContainer(elementCount: count * 2, depth: depth)
        var map = Value.Map()
        var count = count
        if count > 0, let flags = try unpackOrder() {
            _ = try unpackValue(depth: depth + 1)
            map.order = MapOrder(rawValue: flags & MapOrder.keyValueOrdered.rawValue) ?? .unordered
            count -= 1
        }
        map.entries.reserveCapacity(count)
        for _ in 0..<count {
            let key = try unpackValue(depth: depth + 1)
            map.entries.append((key: key, value: try unpackValue(depth: depth + 1)))
        }
        return .map(map)
    }

    private func checkContainer(elementCount: Int, depth: Int) throws(AerospikeError) {
        guard depth < AerospikeLimits.nestingDepthMax else {
            throw .malformed("lists and maps nested deeper than \(AerospikeLimits.nestingDepthMax)")
        }
        guard elementCount <= readableBytes else {
            throw .malformed("\(elementCount) elements announced in \(readableBytes) bytes")
        }
    }

    /// The flags of a list's or map's order if its first element tells them; whatever index the extension holds is
    /// the server's own affair.
    private mutating func unpackOrder() throws(AerospikeError) -> UInt8? {
        guard let tag = getInteger(at: readerIndex, as: UInt8.self),
            (0xc7...0xc9).contains(tag) || (0xd4...0xd8).contains(tag)
        else { return nil }
        // A first element that only compares is no order.
        if tag == 0xd4, getInteger(at: readerIndex + 1, as: UInt8.self) == MessagePack.comparisonType {
            return nil
        }
        moveReaderIndex(forwardBy: 1)
        return try unpackExtension(tag: tag).type
    }

    private mutating func unpackComparison(tag: UInt8) throws(AerospikeError) -> Value {
        let element = try unpackExtension(tag: tag)
        guard element.type == MessagePack.comparisonType, element.bytes.readableBytes == 1 else {
            throw .malformed("a MessagePack extension of type \(element.type) where a value belongs")
        }
        return element.bytes.getInteger(at: element.bytes.readerIndex, as: UInt8.self) == 1 ? .infinity : .wildcard
    }

    private mutating func unpackExtension(tag: UInt8) throws(AerospikeError) -> (type: UInt8, bytes: ByteBuffer) {
        let byteCount: Int
        switch tag {
        case 0xc7: byteCount = Int(try unpack(UInt8.self))
        case 0xc8: byteCount = Int(try unpack(UInt16.self))
        case 0xc9: byteCount = Int(try unpack(UInt32.self))
        default: byteCount = 1 << Int(tag - 0xd4)
        }
        let type = try unpackByte()
        return (type, try unpackSlice(byteCount))
    }

    private mutating func unpackParticle(byteCount: Int) throws(AerospikeError) -> Value {
        // A string of no bytes has no type either: the server takes it for an empty blob (msgpack_in.c).
        guard byteCount > 0 else { return .blob(ByteBuffer()) }
        let type = ParticleType(rawValue: try unpackByte())
        let byteCount = byteCount - 1
        switch type {
        case .string: return .string(try unpackText(byteCount))
        case .geoJSON: return .geoJSON(try unpackText(byteCount))
        case .blob: return .blob(try unpackSlice(byteCount))
        case .hyperLogLog: return .hyperLogLog(try unpackSlice(byteCount))
        default: return .opaque(type: type, bytes: try unpackSlice(byteCount))
        }
    }

    private mutating func unpackText(_ byteCount: Int) throws(AerospikeError) -> String {
        guard let text = readString(length: byteCount) else { throw .truncated(byteCount, of: readableBytes) }
        return text
    }

    private mutating func unpackSlice(_ byteCount: Int) throws(AerospikeError) -> ByteBuffer {
        guard let slice = readSlice(length: byteCount) else { throw .truncated(byteCount, of: readableBytes) }
        return slice
    }

    private mutating func unpackByte() throws(AerospikeError) -> UInt8 {
        try unpack(UInt8.self)
    }

    private mutating func unpack<Integer: FixedWidthInteger>(
        _ type: Integer.Type
    ) throws(AerospikeError) -> Integer {
        guard let integer = readInteger(as: type) else {
            throw .truncated(MemoryLayout<Integer>.size, of: readableBytes)
        }
        return integer
    }
}
