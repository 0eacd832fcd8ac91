import Aerospike
import NIOCore

extension StoredRecord {
    /// The header of a record on storage (aerospike-server 8.1, storage/flat.h, `as_flat_record`).
    private static let headerBytes = 35
    /// What follows the last bin (storage/drv_common.h, `END_MARK_SZ`).
    private static let endMarkBytes = 4

    /// The bytes that the record takes on storage, the mark at its end among them (storage/flat.c,
    /// `as_flat_record_size`).
    ///
    /// What a list's or map's own index takes is not counted.
    func measuredBytes() -> Int {
        var size = StoredRecord.headerBytes + StoredRecord.endMarkBytes
        if voidTime != 0 {
            size += 4
        }
        if !key.setName.isEmpty {
            size += 1 + key.setName.utf8.count
        }
        if let userKey = key.userKey {
            let keyBytes = 1 + userKey.withUnsafeBytes { $1.count }
            size += StoredRecord.countBytes(keyBytes) + keyBytes
        }
        if !bins.isEmpty {
            size += StoredRecord.countBytes(bins.count)
        }
        for bin in bins {
            size += 1 + bin.name.utf8.count + bin.value.storedBytes
        }
        return size
    }

    /// Integers of seven bits a byte.
    private static func countBytes(_ count: Int) -> Int {
        count < 0x80 ? 1 : count < 0x4000 ? 2 : 3
    }

    /// Storage is given out in pieces of 16 bytes.
    static func rounded(_ bytes: Int) -> Int {
        (bytes + 15) & ~15
    }
}

extension Value {
    /// The bytes that a bin's value takes on storage, its type among them (base/particle_*.c, `*_flat_size`).
    fileprivate var storedBytes: Int {
        switch self {
        case .null, .infinity, .wildcard: 1
        case .integer(let value):
            switch UInt64(bitPattern: value) {
            case 0..<0x100: 3
            case 0x100..<0x1_0000: 4
            case 0x1_0000..<0x1_0000_0000: 6
            default: 10
            }
        case .double: 9
        case .boolean: 2
        case .string(let text): 5 + text.utf8.count
        case .blob(let bytes), .hyperLogLog(let bytes), .opaque(_, let bytes): 5 + bytes.readableBytes
        // The cells of the server's index are not counted.
        case .geoJSON(let text): 8 + text.utf8.count
        case .list, .map: 5 + packedBytes
        }
    }

    /// The bytes of the value in MessagePack.
    private var packedBytes: Int {
        switch self {
        case .null, .boolean: 1
        case .double: 9
        case .infinity, .wildcard: 3
        case .integer(let value):
            switch value {
            case -32..<128: 1
            case -128..<256: 2
            case -32_768..<65_536: 3
            case -2_147_483_648..<4_294_967_296: 5
            default: 9
            }
        case .string(let text), .geoJSON(let text): Value.packedBytes(text.utf8.count + 1)
        case .blob(let bytes), .hyperLogLog(let bytes), .opaque(_, let bytes):
            Value.packedBytes(bytes.readableBytes + 1)
        case .list(let list):
            list.reduce(Value.headBytes(list.count) + (list.order == .unordered ? 0 : 3)) { $0 + $1.packedBytes }
        case .map(let map):
            map.reduce(Value.headBytes(map.count) + (map.order == .unordered ? 0 : 4)) {
                $0 + $1.key.packedBytes + $1.value.packedBytes
            }
        }
    }

    private static func packedBytes(_ count: Int) -> Int {
        count + (count < 32 ? 1 : count < 0x100 ? 2 : count < 0x1_0000 ? 3 : 5)
    }

    private static func headBytes(_ count: Int) -> Int {
        count < 16 ? 1 : count < 0x1_0000 ? 3 : 5
    }
}
