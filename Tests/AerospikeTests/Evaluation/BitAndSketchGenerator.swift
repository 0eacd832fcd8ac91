import Aerospike
import NIOCore

/// Makes random operations on the bits of a blob and on sketches, by what applications make them with.
struct BitAndSketchGenerator {
    var random: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    mutating func number(_ range: Range<Int>) -> Int {
        Int.random(in: range, using: &random)
    }

    mutating func chance(_ percent: Int) -> Bool {
        number(0..<100) < percent
    }

    mutating func pick<Element>(_ elements: Element...) -> Element {
        elements[number(0..<elements.count)]
    }

    // MARK: Bits

    /// A blob, or now and then none.
    mutating func blob() -> Value? {
        guard !chance(8) else { return nil }
        return .bytes(
            chance(50)
                ? random.bytes(pick(1, 2, 3, 9, 20, 150)) : [UInt8](repeating: pick(0, 255), count: number(0..<20))
        )
    }

    /// An operation for a blob of so many bytes.
    mutating func bitOperation(bin: String, byteCount: Int) -> Operation {
        let bits = Operation.bits(bin)
        let total = byteCount * 8
        let offset = chance(80) ? number(-total..<total + 8) : pick(0, -1, 1 << 30, 1 << 31, .min, .max, total)
        let start = offset < 0 ? offset + total : offset
        let size =
            chance(60) && start < total
            ? max(1, min(number(0..<70), total - max(0, start))) : pick(0, 1, 8, 64, 65, total + 1, 1 << 30, -1)
        let flags = BitWriteFlags(rawValue: chance(50) ? 0 : UInt8(pick(1, 2, 4, 8, 12, 6, 14, 16)))
        let bytes = ByteBuffer(
            bytes: random.bytes(chance(80) && size > 0 && size < 2000 ? (size + 7) / 8 : number(0..<4))
        )
        let value = Int64(bitPattern: random.next()) >> Int64(number(0..<64))
        let overflow = pick(BitOverflow.fail, .saturate, .wrap)
        switch number(0..<20) {
        case 0:
            return bits.resize(
                to: pick(0, byteCount, byteCount + 3, byteCount / 2, 40, -1),
                BitResizeFlags(rawValue: UInt8(number(0..<8))),
                flags: flags
            )
        case 1: return bits.insert(bytes, atByte: pick(0, 1, byteCount, byteCount + 5, -1, offset / 8), flags: flags)
        case 2: return bits.remove(fromByte: offset / 8, byteCount: pick(1, 2, byteCount, 0, size / 8), flags: flags)
        case 3: return bits.set(bytes, at: offset, count: size, flags: flags)
        case 4: return bits.or(bytes, at: offset, count: size, flags: flags)
        case 5: return bits.xor(bytes, at: offset, count: size, flags: flags)
        case 6: return bits.and(bytes, at: offset, count: size, flags: flags)
        case 7: return bits.not(at: offset, count: size, flags: flags)
        case 8:
            return bits.shiftLeft(at: offset, count: size, by: pick(0, 1, 7, 8, 9, number(0..<70), -1), flags: flags)
        case 9:
            return bits.shiftRight(at: offset, count: size, by: pick(0, 1, 7, 8, 9, number(0..<70), -1), flags: flags)
        case 10, 11:
            return bits.add(value, at: offset, count: size, signed: chance(50), overflow: overflow, flags: flags)
        case 12, 13:
            return bits.subtract(value, at: offset, count: size, signed: chance(50), overflow: overflow, flags: flags)
        case 14: return bits.setInteger(value, at: offset, count: size, flags: flags)
        case 15: return bits.get(at: offset, count: size)
        case 16: return bits.countOnes(at: offset, count: size)
        case 17: return bits.firstIndex(of: chance(50), at: offset, count: size)
        case 18: return bits.lastIndex(of: chance(50), at: offset, count: size)
        default: return bits.getInteger(at: offset, count: size, signed: chance(50))
        }
    }

    // MARK: Sketches

    private mutating func values() -> [Value] {
        (0..<pick(0, 1, 2, 5, 40, 300)).map { _ in
            switch number(0..<8) {
            case 0: return .string(String(repeating: "k", count: number(0..<40)) + "\(number(0..<1000))")
            case 1: return .double(Double(number(0..<1000)) / 4)
            case 2: return chance(50) ? .boolean(chance(50)) : .null
            case 3: return .bytes(random.bytes(number(0..<40)))
            case 4: return .integer(Int64(bitPattern: random.next()))
            case 5 where chance(2): return [1]
            default: return .integer(Int64(number(-500..<2000)))
            }
        }
    }

    private mutating func indexBits() -> Int? { pick(4, 5, 6, 7, 8, 10, 12, nil, nil, 3, 17) }

    private mutating func minHashBits() -> Int? { pick(nil, nil, 0, 4, 4, 8, 20, 51, 3, 52) }

    /// An operation; `others` are sketches to bring together with the bin's.
    mutating func sketchOperation(bin: String, others: [Value]) -> Operation {
        let sketches = Operation.hyperLogLog(bin)
        let flags = HyperLogLogWriteFlags(rawValue: chance(60) ? 0 : UInt8(pick(1, 2, 4, 8, 3, 5, 6, 12, 16)))
        let others = (0..<pick(0, 1, 1, 1, 2, 2, 3)).compactMap { _ in others.randomElement(using: &random) }
        switch number(0..<16) {
        case 0: return sketches.create(indexBits: indexBits(), minHashBits: minHashBits(), flags: flags)
        case 1...4: return sketches.add(values(), indexBits: indexBits(), minHashBits: minHashBits(), flags: flags)
        case 5, 6: return sketches.formUnion(others, flags: flags)
        case 7: return sketches.refreshCount()
        case 8: return sketches.fold(indexBits: pick(4, 5, 6, 8, 16, 3, -1))
        case 9, 10: return sketches.count()
        case 11: return sketches.union(others)
        case 12: return sketches.unionCount(others)
        case 13: return sketches.intersectCount(others)
        case 14: return sketches.similarity(others)
        default: return sketches.describe()
        }
    }
}
