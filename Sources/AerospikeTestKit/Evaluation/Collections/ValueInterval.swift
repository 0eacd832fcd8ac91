import Aerospike

/// Which values are meant: those equal to one, or those from one on and less than another.
struct ValueInterval {
    let first: Value
    let end: Value?
    let isOneValue: Bool

    static func equal(to value: Value) -> ValueInterval {
        ValueInterval(first: value, end: nil, isOneValue: true)
    }

    static func interval(from first: Value, upTo end: Value?) -> ValueInterval {
        ValueInterval(first: first, end: end, isOneValue: false)
    }

    /// Whether a bound is or holds a value that only compares.
    var hasComparison: Bool { first.hasComparison || end?.hasComparison == true }

    /// Whether a value is less than the first.
    func isAfter(_ value: Value) -> Bool {
        value.storedOrder(to: first) == .less
    }

    /// Whether a value is less than the end, or for one value equal to it, if it is not less than the first.
    func isBeforeEnd(_ value: Value) -> Bool {
        if isOneValue {
            return value.storedOrder(to: first) == .equal
        }
        return end.map { value.storedOrder(to: $0) == .less } ?? true
    }
}

/// Searches what is in the server's order as a server does, to the same of several equal elements (aerospike-server
/// 8.1, base/cdt.c, `order_index_find_rank_by_value`).
struct StoredSearch {
    private let count: Int
    /// The value at a place.
    private let value: (Int) -> Value
    /// The index of what is at a place, where an index brings elements into order.
    private let index: (Int) -> Int

    /// Which of several equal elements is looked for.
    enum Match {
        /// The first; what is found is its place.
        case first
        /// The last; what is found is the place after it.
        case last
        /// Whichever is met.
        case any
    }

    init(count: Int, index: @escaping (Int) -> Int = { $0 }, value: @escaping (Int) -> Value) {
        self.count = count
        self.index = index
        self.value = value
    }

    func find(_ sought: Value, _ match: Match, from start: Int = 0) -> (isFound: Bool, place: Int) {
        guard count > start else { return (false, count) }
        var isFound = false
        var lower = start
        var upper = count
        var place = start + (count - start) / 2
        while true {
            var comparison = sought.storedOrder(to: value(place))
            if comparison == .equal {
                isFound = true
                switch match {
                case .any: return (true, place)
                // Nothing is before the element whose index is 0, as long as what is sought is no wildcard.
                case .first where index(place) == 0: return (true, place)
                case .first: comparison = .less
                case .last where place == upper - 1: return (true, place + 1)
                case .last: comparison = .greater
                }
            }
            if comparison == .greater {
                guard place < upper - 1 else { return (isFound, place + 1) }
                lower = place + (isFound ? 0 : 1)
                place = (place + upper) / 2
            } else {
                guard place != lower else { return (isFound, place) }
                upper = place
                place = (place + lower) / 2
            }
        }
    }

    /// The places of what is in an interval (base/particle_list.c,
    /// `packed_list_find_rank_range_by_value_interval_ordered`).
    func ranks(of interval: ValueInterval, isMany: Bool) -> Range<Int> {
        let first = find(interval.first, .first)
        if interval.isOneValue {
            guard first.isFound, isMany else { return first.place..<first.place + (first.isFound ? 1 : 0) }
            let last = find(interval.first, .last, from: first.place + 1)
            return first.place..<(last.isFound ? last.place : first.place + 1)
        }
        guard let end = interval.end else { return first.place..<count }
        guard interval.first.storedOrder(to: end) == .less else { return first.place..<first.place }
        return first.place..<max(first.place, find(end, .first, from: first.place).place)
    }
}
