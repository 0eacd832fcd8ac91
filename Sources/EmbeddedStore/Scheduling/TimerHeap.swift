import BeanspikeCore

/// At most one alarm for each of a dense range of numbers, earliest first.
struct TimerHeap {
    private struct Entry {
        var at: StoreInstant
        var index: UInt32
    }

    private var entries: [Entry] = []
    private var positions: [UInt32] = []

    /// When the earliest alarm is.
    var next: StoreInstant { entries.first?.at ?? .never }

    /// Sets, moves or (with `never`) takes away the alarm of `index`.
    mutating func set(_ index: UInt32, at instant: StoreInstant) {
        while positions.count <= Int(index) { positions.append(.max) }
        let position = positions[Int(index)]
        if instant == .never {
            if position != .max { remove(position) }
        } else if position == .max {
            entries.append(Entry(at: instant, index: index))
            rise(Entry(at: instant, index: index), from: entries.count - 1)
        } else {
            settle(Entry(at: instant, index: index), at: Int(position))
        }
    }

    /// Takes the earliest alarm if it is due.
    mutating func popDue(_ now: StoreInstant) -> UInt32? {
        guard let first = entries.first, first.at <= now else { return nil }
        remove(0)
        return first.index
    }

    private mutating func remove(_ position: UInt32) {
        positions[Int(entries[Int(position)].index)] = .max
        let last = entries.removeLast()
        if Int(position) < entries.count { settle(last, at: Int(position)) }
    }

    private mutating func settle(_ entry: Entry, at position: Int) {
        if position > 0, entry.at < entries[(position - 1) / 2].at {
            rise(entry, from: position)
        } else {
            sink(entry, from: position)
        }
    }

    private mutating func put(_ entry: Entry, at: Int) {
        entries[at] = entry
        positions[Int(entry.index)] = UInt32(at)
    }

    private mutating func rise(_ entry: Entry, from start: Int) {
        var at = start
        while at > 0, entry.at < entries[(at - 1) / 2].at {
            put(entries[(at - 1) / 2], at: at)
            at = (at - 1) / 2
        }
        put(entry, at: at)
    }

    private mutating func sink(_ entry: Entry, from start: Int) {
        var at = start
        while at * 2 + 1 < entries.count {
            var child = at * 2 + 1
            if child + 1 < entries.count, entries[child + 1].at < entries[child].at { child += 1 }
            guard entries[child].at < entry.at else { break }
            put(entries[child], at: at)
            at = child
        }
        put(entry, at: at)
    }
}
