/// Slots of one segment: a bit for each.
struct SlotSet: Sendable, Equatable, ExpressibleByArrayLiteral {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// No slots.
    init() {}

    init(arrayLiteral slots: Int...) { self.init(slots) }

    init(_ slots: some Sequence<Int>) {
        for slot in slots { insert(slot) }
    }

    var isEmpty: Bool { low | high == 0 }

    var count: Int { low.nonzeroBitCount + high.nonzeroBitCount }

    func contains(_ slot: Int) -> Bool {
        (slot < 64 ? low : high) & Self.bit(slot) != 0
    }

    /// Adds a slot, if it is one.
    mutating func insert(_ slot: Int) {
        if slot < 64 { low |= Self.bit(slot) } else { high |= Self.bit(slot) }
    }

    mutating func remove(_ slot: Int) {
        if slot < 64 { low &= ~Self.bit(slot) } else { high &= ~Self.bit(slot) }
    }

    mutating func formUnion(_ other: SlotSet) {
        low |= other.low
        high |= other.high
    }

    /// 0 for what is no slot.
    private static func bit(_ slot: Int) -> UInt64 {
        0 <= slot && slot < StoreLimits.segmentSlots ? 1 << UInt64(slot & 63) : 0
    }
}

extension SlotSet: Sequence {
    /// The slots, the least first.
    struct Iterator: IteratorProtocol {
        fileprivate var rest: SlotSet

        mutating func next() -> Int? {
            guard !rest.isEmpty else { return nil }
            let slot = rest.low != 0 ? rest.low.trailingZeroBitCount : 64 + rest.high.trailingZeroBitCount
            rest.remove(slot)
            return slot
        }
    }

    func makeIterator() -> Iterator { Iterator(rest: self) }
}
