package import NIOCore

/// MessagePack as Aerospike speaks it (aerospike-common, src/main/aerospike/as_msgpack.c).
///
/// What is particular to it: a string or a blob is a MessagePack string whose first byte is its particle type; an
/// ordered list or map begins with an extension element whose type byte says how it is ordered; and two values
/// exist for comparing only.
package enum MessagePack {
    /// The type byte of the extensions that only compare (as_msgpack.c, `ASVAL_CMP_EXT_TYPE`).
    package static let comparisonType: UInt8 = 0xff

    /// The bit of an order's extension which asks for a stored index (as_msgpack.h, `AS_PACKED_PERSIST_INDEX`).
    package static let persistsIndexFlag: UInt8 = 0x10
}

extension ByteBuffer {
    /// Packs an integer in as few bytes as hold it.
    package mutating func packInteger(_ value: Int64) {
        switch value {
        case 0...: packUnsigned(UInt64(value))
        case (-32)...: writeInteger(Int8(truncatingIfNeeded: value))
        case Int64(Int8.min)...: packTagged(0xd0, Int8(truncatingIfNeeded: value))
        case Int64(Int16.min)...: packTagged(0xd1, Int16(truncatingIfNeeded: value))
        case Int64(Int32.min)...: packTagged(0xd2, Int32(truncatingIfNeeded: value))
        default: packTagged(0xd3, value)
        }
    }

    /// Packs an unsigned integer in as few bytes as hold it.
    package mutating func packUnsigned(_ value: UInt64) {
        switch value {
        case ..<0x80: writeInteger(UInt8(truncatingIfNeeded: value))
        case ..<0x100: packTagged(0xcc, UInt8(truncatingIfNeeded: value))
        case ..<0x1_0000: packTagged(0xcd, UInt16(truncatingIfNeeded: value))
        case ..<0x1_0000_0000: packTagged(0xce, UInt32(truncatingIfNeeded: value))
        default: packTagged(0xcf, value)
        }
    }

    /// Packs a double in nine bytes.
    package mutating func packDouble(_ value: Double) {
        packTagged(0xcb, value.bitPattern)
    }

    /// Packs a truth value.
    package mutating func packBoolean(_ value: Bool) {
        writeInteger(UInt8(value ? 0xc3 : 0xc2))
    }

    /// Packs no value.
    package mutating func packNil() {
        writeInteger(UInt8(0xc0))
    }

    /// Packs the head of a string of so many bytes, the particle type's byte among them.
    package mutating func packStringHeader(_ byteCount: Int) {
        switch byteCount {
        case ..<32: writeInteger(0xa0 | UInt8(truncatingIfNeeded: byteCount))
        case ..<0x100: packTagged(0xd9, UInt8(truncatingIfNeeded: byteCount))
        case ..<0x1_0000: packTagged(0xda, UInt16(truncatingIfNeeded: byteCount))
        default: packTagged(0xdb, UInt32(truncatingIfNeeded: byteCount))
        }
    }

    /// Packs a string without a particle type, as names inside expressions are.
    package mutating func packName(_ name: String) {
        packStringHeader(name.utf8.count)
        writeString(name)
    }

    /// Packs text with its particle type.
    package mutating func packText(_ text: String, type: ParticleType = .string) {
        packStringHeader(text.utf8.count + 1)
        writeInteger(type.rawValue)
        writeString(text)
    }

    /// Packs bytes with their particle type.
    package mutating func packBytes(_ bytes: ByteBuffer, type: ParticleType = .blob) {
        packBytesHeader(bytes.readableBytes, type: type)
        writeImmutableBuffer(bytes)
    }

    /// Packs what comes before so many bytes, which are to be written next.
    package mutating func packBytesHeader(_ count: Int, type: ParticleType = .blob) {
        packStringHeader(count + 1)
        writeInteger(type.rawValue)
    }

    /// Packs the head of a list of so many elements.
    package mutating func packListHeader(_ count: Int) {
        switch count {
        case ..<16: writeInteger(0x90 | UInt8(truncatingIfNeeded: count))
        case ..<0x1_0000: packTagged(0xdc, UInt16(truncatingIfNeeded: count))
        default: packTagged(0xdd, UInt32(truncatingIfNeeded: count))
        }
    }

    /// Packs the head of a map of so many pairs.
    package mutating func packMapHeader(_ count: Int) {
        switch count {
        case ..<16: writeInteger(0x80 | UInt8(truncatingIfNeeded: count))
        case ..<0x1_0000: packTagged(0xde, UInt16(truncatingIfNeeded: count))
        default: packTagged(0xdf, UInt32(truncatingIfNeeded: count))
        }
    }

    /// Packs a value.
    package mutating func packValue(_ value: Value) {
        switch value {
        case .null: packNil()
        case .integer(let value): packInteger(value)
        case .double(let value): packDouble(value)
        case .boolean(let value): packBoolean(value)
        case .string(let text): packText(text)
        case .blob(let bytes): packBytes(bytes)
        case .list(let list): packList(list)
        case .map(let map): packMap(map)
        case .geoJSON(let text): packText(text, type: .geoJSON)
        case .hyperLogLog(let bytes): packBytes(bytes, type: .hyperLogLog)
        case .opaque(let type, let bytes): packBytes(bytes, type: type)
        case .infinity: packComparison(1)
        case .wildcard: packComparison(0)
        }
    }

    private mutating func packList(_ list: Value.List) {
        let flags = list.order.rawValue
        packListHeader(list.count + (flags == 0 ? 0 : 1))
        if flags != 0 {
            packOrder(flags)
        }
        // The server refuses what says that it is ordered and is not (base/cdt.c).
        for element in list.elementsAsSent {
            packValue(element)
        }
    }

    private mutating func packMap(_ map: Value.Map) {
        let flags = map.order.rawValue
        packMapHeader(map.count + (flags == 0 ? 0 : 1))
        if flags != 0 {
            // The order takes the place of a key, so something must stand for its value.
            packOrder(flags)
            packNil()
        }
        for entry in map.entriesAsSent {
            packValue(entry.key)
            packValue(entry.value)
        }
    }

    private mutating func packOrder(_ flags: UInt8) {
        writeInteger(UInt8(0xc7))
        writeInteger(UInt8(0))
        writeInteger(flags)
    }

    private mutating func packComparison(_ value: UInt8) {
        writeInteger(UInt8(0xd4))
        writeInteger(MessagePack.comparisonType)
        writeInteger(value)
    }

    private mutating func packTagged(_ tag: UInt8, _ value: some FixedWidthInteger) {
        writeInteger(tag)
        writeInteger(value)
    }
}
