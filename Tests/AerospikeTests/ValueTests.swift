import Aerospike
import NIOCore
import Testing

@Suite struct ValueTests {
    private static func packed(_ value: Value) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.packValue(value)
        return buffer
    }

    private static func unpacked(_ hex: String) throws -> Value {
        var buffer = ByteBuffer(hex: hex)
        return try buffer.unpackValue()
    }

    @Test func integersTakeAsFewBytesAsHoldThem() throws {
        let lengths: [(Int64, Int)] = [
            (0, 1), (127, 1), (128, 2), (255, 2), (256, 3), (65535, 3), (65536, 5), (Int64(UInt32.max), 5),
            (Int64(UInt32.max) + 1, 9), (.max, 9), (-1, 1), (-32, 1), (-33, 2), (-128, 2), (-129, 3), (-32768, 3),
            (-32769, 5), (Int64(Int32.min), 5), (Int64(Int32.min) - 1, 9), (.min, 9),
        ]
        for (integer, length) in lengths {
            var buffer = Self.packed(.integer(integer))
            #expect(buffer.readableBytes == length, "\(integer)")
            #expect(try buffer.unpackValue() == .integer(integer))
            #expect(buffer.readableBytes == 0)
        }
    }

    @Test func everyFormOfEveryTypeIsRead() throws {
        let forms: [(String, Value)] = [
            ("ca3fc00000", 1.5), ("cb3ff8000000000000", 1.5), ("ccff", 255), ("cdffff", 65535),
            ("ceffffffff", .integer(Int64(UInt32.max))), ("cfffffffffffffffff", -1), ("d0ff", -1), ("d1ffff", -1),
            ("d2ffffffff", -1), ("d3ffffffffffffffff", -1), ("c0", nil), ("c2", false), ("c3", true),
            ("a20361", "a"), ("d9020361", "a"), ("da00020361", "a"), ("db000000020361", "a"), ("c4020361", "a"),
            ("c500020361", "a"), ("c6000000020361", "a"), ("a0", .bytes([])), ("a104", .bytes([])),
            ("a20461", .bytes([0x61])), ("a21762", .geoJSON("b")), ("a212ff", .hyperLogLog(ByteBuffer(bytes: [255]))),
            ("a207ff", .opaque(type: ParticleType(rawValue: 7), bytes: ByteBuffer(bytes: [255]))),
            ("9101", [1]), ("dc000101", [1]), ("dd0000000101", [1]),
            ("8101c0", [1: nil]), ("de000101c0", [1: nil]), ("df0000000101c0", [1: nil]),
            ("d4ff01", .infinity), ("d4ff00", .wildcard), ("c701ff01", .infinity), ("91d4ff00", [.wildcard]),
        ]
        for (hex, value) in forms {
            #expect(try Self.unpacked(hex) == value, "\(hex)")
        }
    }

    @Test func ordersAndStoredIndexesAreReadPast() throws {
        // An index of 2, 3 and 4 bytes in the extension.
        for head in ["c70001", "d511aaaa", "c703110a0b0c", "d61100000000"] {
            guard case .list(let list) = try Self.unpacked("93" + head + "0102") else { throw Unexpected() }
            #expect(list == [1, 2])
            #expect(list.order == .ordered)
        }
        guard case .map(let map) = try Self.unpacked("82c70003c0a20361" + "01") else { throw Unexpected() }
        #expect(map == ["a": 1])
        #expect(map.order == .keyValueOrdered)
        #expect(try Self.unpacked("91c70000") == [])
    }

    @Test func randomValuesGoThereAndBack() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            let value = generator.value()
            var packed = Self.packed(value)
            #expect(try packed.unpackValue() == value.sortedWhereOrdered)
            #expect(packed.readableBytes == 0)
            var particle = ByteBuffer()
            particle.writeParticle(value)
            #expect(try particle.readParticle(value.particleType) == value.sortedWhereOrdered)
            // Packing what was unpacked gives the same bytes: nothing that the server sees is lost.
            var again = Self.packed(value)
            #expect(Self.packed(try again.unpackValue()) == Self.packed(value))
        }
    }

    @Test func whatEndsTooSoonIsRefusedWhereverItEnds() throws {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<50 {
            let packed = Self.packed(generator.value())
            for length in 0..<min(packed.readableBytes, 100) {
                var cut = try #require(packed.getSlice(at: 0, length: length))
                #expect(throws: AerospikeError.self) { try cut.unpackValue() }
            }
        }
    }

    @Test func randomBytesNeverTrap() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<4000 {
            var buffer = ByteBuffer(bytes: generator.bytes(Int.random(in: 0..<64, using: &generator)))
            _ = try? buffer.unpackValue()
            var particle = ByteBuffer(bytes: generator.bytes(Int.random(in: 0..<32, using: &generator)))
            _ = try? particle.readParticle(ParticleType(rawValue: UInt8.random(in: 0...24, using: &generator)))
        }
    }

    @Test func damagedValuesNeverTrap() {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<800 {
            var packed = Self.packed(generator.value())
            for _ in 0..<3 {
                packed.setInteger(
                    UInt8.random(in: .min ... .max, using: &generator),
                    at: Int.random(in: 0..<packed.readableBytes, using: &generator)
                )
            }
            _ = try? packed.unpackValue()
        }
    }

    @Test func aPeerCannotMakeTheDecoderNestOrAllocateWithoutEnd() throws {
        let deep = String(repeating: "91", count: 5_000) + "c0"
        #expect(throws: AerospikeError.self) { try Self.unpacked(deep) }
        #expect(throws: AerospikeError.self) { try Self.unpacked(String(repeating: "8101", count: 5_000)) }
        let limit = AerospikeLimits.nestingDepthMax
        #expect(throws: AerospikeError.self) { try Self.unpacked(String(repeating: "91", count: limit + 1) + "c0") }
        _ = try Self.unpacked(String(repeating: "91", count: limit) + "c0")
        for huge in ["ddffffffff00", "dfffffffff00", "dbffffffff00", "c9ffffffff00", "dcffff00"] {
            let error = try #require(throws: AerospikeError.self) { try Self.unpacked(huge) }
            #expect(error.code == .malformedReply)
        }
    }

    @Test func aPeerCannotSendAListOfAnyLength() {
        let limit = AerospikeLimits.collectionBytesMax
        var particle = ByteBuffer()
        particle.packListHeader(limit - 4)
        particle.writeRepeatingByte(0xc0, count: limit - 4)
        #expect(particle.readableBytes == limit + 1)
        #expect(throws: AerospikeError.self) { try particle.readParticle(.list) }
        #expect(MemoryLayout<Value>.stride <= 32)
    }

    @Test func particlesOfTheWrongLengthAreRefused() {
        for (type, bytes) in [
            (ParticleType.integer, 7), (.integer, 9), (.double, 4), (.boolean, 0), (.boolean, 2), (.geoJSON, 2),
        ] {
            var buffer = ByteBuffer(repeating: 1, count: bytes)
            #expect(throws: AerospikeError.self, "\(type) \(bytes)") { try buffer.readParticle(type) }
        }
        var twice = ByteBuffer(hex: "9090")
        #expect(throws: AerospikeError.self) { try twice.readParticle(.list) }
        var other = ByteBuffer(hex: "80")
        #expect(throws: AerospikeError.self) { try other.readParticle(.list) }
    }

    @Test func geoJSONComesWithCellsOfTheIndex() throws {
        var particle = ByteBuffer(hex: "000002" + String(repeating: "ab", count: 16))
        particle.writeString("{}")
        #expect(try particle.readParticle(.geoJSON) == .geoJSON("{}"))
    }

    @Test func mapsAreEqualWhateverTheOrderOfTheirEntries() {
        let one: Value = ["a": 1, "b": [2, ["c": 3]]]
        let other = Value.map(Value.Map([("b", [2, ["c": 3]]), ("a", 1)], order: .keyOrdered))
        #expect(one == other)
        #expect(Set([one, other]).count == 1)
        #expect(one != ["a": 1])
        #expect(one.map?["a"] == 1)
        #expect(one.map?["z"] == nil)
        #expect(([1, 2] as Value).list?.first == 1)
    }

    /// The order of msgpack_in.c: types first, then within each type.
    @Test func valuesAreOrderedAsTheServerOrdersThem() {
        let ascending: [Value] = [
            nil, false, true, .integer(.min), -1, 0, .integer(.max), "", "a", "aa", "b", [], [1], [1, 1], [2], [[]],
            [:], ["z": 9], ["a": 1, "b": 1], ["a": 1, "b": 2], .bytes([]), .bytes([0]), .bytes([0, 0]), .bytes([1]),
            .hyperLogLog(ByteBuffer(bytes: [0])), -0.5, 0.0, 1e300, .geoJSON("{}"), .infinity,
        ]
        for (index, value) in ascending.enumerated() {
            #expect(!value.precedes(value), "\(value)")
            for greater in ascending[(index + 1)...] {
                #expect(value.precedes(greater), "\(value) \(greater)")
                #expect(!greater.precedes(value), "\(greater) \(value)")
            }
        }
        #expect(!([1, .wildcard] as Value).precedes([1, 2]))
        #expect(!([1, 2] as Value).precedes([1, .wildcard, 3]))
        #expect(([0, .wildcard] as Value).precedes([1, 0]))
    }

    @Test func whatIsOrderedIsSentInOrder() throws {
        var map = Self.packed(.map(Value.Map([("b", 1), (2, 2), ("a", 3)], order: .keyOrdered)))
        #expect(try map.unpackValue().map?.map(\.key) == [2, "a", "b"])
        var list = Self.packed(.list(Value.List([3, "x", 1, nil], order: .ordered)))
        #expect(try list.unpackValue() == [nil, 1, 3, "x"])
        // The outer order is that of the inner lists as they are sent.
        let inner = [Value.list(Value.List([9, 1], order: .ordered)), .list(Value.List([2, 3], order: .ordered))]
        var nested = Self.packed(.list(Value.List(inner.reversed(), order: .ordered)))
        #expect(try nested.unpackValue() == [[1, 9], [2, 3]])
    }
}

extension Value {
    /// The value as it comes back: what says that it is ordered is sorted.
    fileprivate var sortedWhereOrdered: Value {
        switch self {
        case .list(var list):
            list.elements = list.elementsAsSent.map(\.sortedWhereOrdered)
            return .list(list)
        case .map(var map):
            map.entries = map.entries.map { (key: $0.key, value: $0.value.sortedWhereOrdered) }
            return .map(map)
        default: return self
        }
    }
}
