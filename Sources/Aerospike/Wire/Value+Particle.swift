package import NIOCore

extension Value {
    /// The particle type that the value is written to a bin as.
    package var particleType: ParticleType {
        switch self {
        case .null: .null
        case .integer: .integer
        case .double: .double
        case .boolean: .boolean
        case .string: .string
        case .blob: .blob
        case .list: .list
        case .map: .map
        case .geoJSON: .geoJSON
        case .hyperLogLog: .hyperLogLog
        case .opaque(let type, _): type
        // Neither can be a bin: the server refuses what a blob of no meaning would hide.
        case .infinity, .wildcard: .null
        }
    }
}

extension ByteBuffer {
    /// Writes a value as a bin's particle holds it (aerospike-server 8.1, base/particle_*.c, `*_from_wire`).
    package mutating func writeParticle(_ value: Value) {
        switch value {
        case .null, .infinity, .wildcard: break
        case .integer(let value): writeInteger(value)
        case .double(let value): writeInteger(value.bitPattern)
        case .boolean(let value): writeInteger(UInt8(value ? 1 : 0))
        case .string(let text): writeString(text)
        case .blob(let bytes), .hyperLogLog(let bytes), .opaque(_, let bytes): writeImmutableBuffer(bytes)
        case .list, .map: packValue(value)
        case .geoJSON(let text):
            // One byte of flags and the number of cells, both for the server to fill in (particle_geojson.c).
            writeInteger(UInt8(0))
            writeInteger(UInt16(0))
            writeString(text)
        }
    }

    /// Reads the whole buffer as a particle of a type.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply``.
    package mutating func readParticle(_ type: ParticleType) throws(AerospikeError) -> Value {
        switch type {
        case .null: return .null
        case .integer: return .integer(try readWhole(Int64.self))
        case .double: return .double(Double(bitPattern: try readWhole(UInt64.self)))
        case .boolean: return .boolean(try readWhole(UInt8.self) != 0)
        case .string: return .string(readString(length: readableBytes) ?? "")
        case .blob: return .blob(readSlice(length: readableBytes) ?? ByteBuffer())
        case .hyperLogLog: return .hyperLogLog(readSlice(length: readableBytes) ?? ByteBuffer())
        case .list, .map:
            guard readableBytes <= AerospikeLimits.collectionBytesMax else {
                throw .malformed("a list or map of \(readableBytes) bytes")
            }
            let value = try unpackValue()
            guard value.particleType == type, readableBytes == 0 else {
                throw .malformed("a list or map particle that holds something else")
            }
            return value
        case .geoJSON: return .geoJSON(try readGeoJSON())
        default: return .opaque(type: type, bytes: readSlice(length: readableBytes) ?? ByteBuffer())
        }
    }

    private mutating func readWhole<Integer: FixedWidthInteger>(
        _ type: Integer.Type
    ) throws(AerospikeError) -> Integer {
        guard readableBytes == MemoryLayout<Integer>.size, let integer = readInteger(as: type) else {
            throw .malformed("\(readableBytes) bytes where a particle has \(MemoryLayout<Integer>.size)")
        }
        return integer
    }

    /// Skips the flags and the cells of the server's index: flags, a count of cells, 8 bytes a cell, then the text.
    private mutating func readGeoJSON() throws(AerospikeError) -> String {
        guard readInteger(as: UInt8.self) != nil, let cellCount = readInteger(as: UInt16.self),
            readSlice(length: Int(cellCount) * 8) != nil
        else { throw .malformed("a GeoJSON particle shorter than its cells") }
        return readString(length: readableBytes) ?? ""
    }
}
