import NIOCore

/// What is to be looked at, and when; the earliest first.
///
/// Entries are not taken back: who takes one out looks whether it
/// still holds.
struct TimerHeap<Element> {
    private var entries: [(at: NIODeadline, element: Element)] = []

    /// How many there are.
    var count: Int { entries.count }

    /// When the first is due.
    var first: NIODeadline? { entries.first?.at }

    mutating func insert(_ element: Element, at: NIODeadline) {
        entries.append((at, element))
        var child = entries.count - 1
        while child > 0, entries[child].at < entries[(child - 1) / 2].at {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Drops what is not to be looked at any more.
    mutating func compact(keeping isAlive: (Element) -> Bool) {
        // What is sorted is a heap.
        entries = entries.filter { isAlive($0.element) }.sorted { $0.at < $1.at }
    }

    /// Takes out the first, if it is due.
    mutating func pop(at now: NIODeadline) -> Element? {
        guard let first = entries.first, first.at <= now else { return nil }
        let last = entries.removeLast()
        if entries.isEmpty { return first.element }
        entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].at < entries[least].at {
                least = child
            }
            if least == parent { return first.element }
            entries.swapAt(least, parent)
            parent = least
        }
    }
}
