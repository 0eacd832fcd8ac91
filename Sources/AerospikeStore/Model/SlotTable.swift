/// Values for some slots of one segment, in the order in which they came.
///
/// Cheaper than a dictionary where values come, and are taken out together: a slot is looked for only if it is there.
struct SlotTable<Value: Sendable>: Sendable {
    private var entries: [(slot: Int, value: Value)] = []
    private(set) var slots = SlotSet()

    /// A table without values.
    init() {}

    var count: Int { entries.count }

    var isEmpty: Bool { entries.isEmpty }

    /// The entries in the order of their slots.
    var sorted: [(slot: Int, value: Value)] { entries.sorted { $0.slot < $1.slot } }

    var values: some Sequence<Value> { entries.lazy.map(\.value) }

    subscript(_ slot: Int) -> Value? {
        get {
            guard slots.contains(slot) else { return nil }
            return entries.first { $0.slot == slot }?.value
        }
        set {
            if !slots.contains(slot) {
                guard let newValue else { return }
                entries.append((slot, newValue))
                slots.insert(slot)
            } else if let index = entries.firstIndex(where: { $0.slot == slot }) {
                if let newValue {
                    entries[index].value = newValue
                } else {
                    entries.remove(at: index)
                    slots.remove(slot)
                }
            }
        }
    }

    /// Takes out the first so many entries.
    mutating func takeFirst(_ count: Int) -> SlotTable {
        var taken = self
        if count >= entries.count {
            self = SlotTable()
            return taken
        }
        taken.entries.removeLast(entries.count - count)
        entries.removeFirst(count)
        taken.slots = SlotSet(taken.entries.lazy.map(\.slot))
        slots = SlotSet(entries.lazy.map(\.slot))
        return taken
    }
}

extension SlotTable: Sequence {
    func makeIterator() -> Array<(slot: Int, value: Value)>.Iterator { entries.makeIterator() }
}

extension SlotTable: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral elements: (Int, Value)...) {
        for (slot, value) in elements { self[slot] = value }
    }
}
