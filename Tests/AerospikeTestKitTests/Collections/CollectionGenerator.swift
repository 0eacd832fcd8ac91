import Aerospike

/// Makes random values and operations on lists and maps out of a small domain, the same for the same seed.
///
/// What breaks or stops a real server 8.1.0 is left out: lists given maps that cannot be stored, and steps that pad a
/// list to an index below zero.
struct CollectionGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    // MARK: Choices

    mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }

    mutating func chance(_ percent: Int) -> Bool {
        below(100) < percent
    }

    mutating func one<Element>(of elements: [Element]) -> Element {
        elements[below(elements.count)]
    }

    mutating func some<Element>(_ bound: Int, _ make: (inout Self) -> Element) -> [Element] {
        (0..<below(bound + 1)).map { _ in make(&self) }
    }

    // MARK: Values

    /// A value that can be stored.
    mutating func value(depth: Int = 2) -> Value {
        switch below(depth > 0 ? 14 : 10) {
        case 0...4: .integer(Int64(below(9) - 2))
        case 5...6: .string(one(of: ["a", "b", "c", ""]))
        case 7: one(of: [true, false, nil, .bytes([1]), .bytes([]), .bytes([1, 2])])
        case 8: .double(one(of: [0.5, 1, 2.5, -1]))
        case 9: one(of: [.integer(300), .integer(.max), .integer(-200), .string("longer than a few bytes of text is")])
        case 10...11: list(depth: depth - 1)
        default: map(depth: depth - 1)
        }
    }

    mutating func list(depth: Int = 2, bound: Int = 5) -> Value {
        var list = Value.List(some(bound) { $0.value(depth: depth) }, order: chance(40) ? .ordered : .unordered)
        if list.order == .ordered {
            list.elements.sort { $0.precedes($1) }
        }
        return .list(list)
    }

    mutating func map(depth: Int = 2, bound: Int = 5) -> Value {
        var entries: [Value: Value] = [:]
        for key in some(bound, { $0.key() }) {
            entries[key] = value(depth: depth)
        }
        let sorted = entries.map { ($0.key, $0.value) }.sorted { $0.0.precedes($1.0) }
        return .map(Value.Map(sorted, order: mapOrder()))
    }

    mutating func mapOrder() -> MapOrder {
        one(of: [.unordered, .keyOrdered, .keyValueOrdered])
    }

    mutating func listOrder() -> ListOrder {
        chance(40) ? .ordered : .unordered
    }

    mutating func key() -> Value {
        switch below(8) {
        case 0...3: .integer(Int64(below(7) - 1))
        case 4...6: .string(one(of: ["a", "b", "c", "d", ""]))
        default: one(of: [.bytes([1]), .bytes([]), .integer(1000)])
        }
    }

    /// A value to compare with: often one that is in what is compared.
    mutating func sought(among values: [Value]) -> Value {
        if !values.isEmpty, chance(60) {
            let value = one(of: values)
            if case .list(var list) = value, chance(30) {
                list.elements = Array(list.elements.prefix(below(3))) + [one(of: [.wildcard, .infinity, nil])]
                list.order = .unordered
                return .list(list)
            }
            return value
        }
        return chance(6) ? one(of: [.infinity, .wildcard, [.wildcard], [1, .wildcard]]) : value(depth: 1)
    }

    // MARK: Numbers

    /// An index or a rank, near the bounds of what is there.
    mutating func index(_ total: Int) -> Int {
        switch below(12) {
        case 0: one(of: [100, -100, Int.max, Int.min, Int.min + 1])
        default: below(2 * total + 4) - total - 2
        }
    }

    mutating func count(_ total: Int) -> Int? {
        switch below(10) {
        case 0...1: nil
        case 2: one(of: [1 << 31, 1 << 33, Int.max])
        default: below(total + 3)
        }
    }

    mutating func amount() -> Value {
        one(of: [1, 2, -3, .double(0.5), .double(-1.5), .integer(.max), nil, "a", .double(1e300)])
    }

    mutating func returning() -> CollectionReturn {
        let returnings: [CollectionReturn] = [
            .none, .index, .reverseIndex, .rank, .reverseRank, .count, .key, .value, .value, .keyValue, .exists,
            .unorderedMap, .orderedMap,
        ]
        let returning = one(of: returnings)
        return chance(25) ? returning.inverted : returning
    }
}
