import Aerospike
import NIOCore

/// Random numbers that are the same in every run, so that what they found can be found again (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    /// A value that a bin can hold, lists and maps nested up to a depth.
    mutating func value(depth: Int = 3) -> Value {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &self) {
        case 0: return .integer(integer())
        case 1: return .double(Double(integer()) / 7)
        case 2: return .boolean(.random(using: &self))
        case 3: return .string(String((0..<length()).map { _ in "abc é漢😀".randomElement(using: &self) ?? "x" }))
        case 4: return .bytes(bytes(length()))
        case 5: return .geoJSON(#"{"type":"Point","coordinates":[1,2]}"#)
        case 6:
            let elements = (0..<Int.random(in: 0..<20, using: &self)).map { _ in value(depth: depth - 1) }
            return .list(Value.List(elements, order: .random(using: &self) ? .ordered : .unordered))
        default:
            let orders = [MapOrder.unordered, .keyOrdered, .keyValueOrdered]
            let entries = (0..<Int.random(in: 0..<20, using: &self)).map { index in
                (Value.integer(Int64(index) * 100), value(depth: depth - 1))
            }
            return .map(Value.Map(entries, order: orders.randomElement(using: &self) ?? .unordered))
        }
    }

    private mutating func integer() -> Int64 {
        Int64(bitPattern: next()) >> Int64.random(in: 0..<64, using: &self)
    }

    private mutating func length() -> Int {
        [0, 1, 5, 30, 31, 32, 254, 255, 256].randomElement(using: &self) ?? 0
    }
}

extension Bool {
    fileprivate static func random(using generator: inout SeededGenerator) -> Bool {
        generator.next() & 1 == 1
    }
}
