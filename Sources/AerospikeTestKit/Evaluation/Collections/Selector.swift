import Aerospike

/// Which elements of a list or map an operation gets or removes.
enum Selector {
    case index(Int64)
    case indexes(from: Int64, count: UInt64)
    case rank(Int64)
    case ranks(from: Int64, count: UInt64)
    case firstValue(Value)
    case value(Value)
    case values(in: Value)
    case valueInterval(from: Value, upTo: Value?)
    case ranksNear(Value, rank: Int64, count: UInt64)
    case key(Value)
    case keys(in: Value)
    case keyInterval(from: Value, upTo: Value?)
    case indexesNear(Value, index: Int64, count: UInt64)

    /// Whether it can select several.
    var isMany: Bool {
        switch self {
        case .index, .rank, .firstValue, .key: false
        default: true
        }
    }

    /// Whether ranks are selected.
    var isRanks: Bool {
        switch self {
        case .rank, .ranks, .ranksNear: true
        default: false
        }
    }
}

extension CollectionCallReader {
    /// The return type and the selector of a call, if its code is that of one for a list.
    ///
    /// - Parameters:
    ///   - head: the call's head.
    ///   - isRemoval: whether codes that remove are meant, or those that get.
    /// - Returns: both; nil if the code is another's.
    /// - Throws: ``Refusal`` if the arguments are wrong.
    mutating func listSelector(
        _ head: Head,
        isRemoval: Bool
    ) throws(Refusal) -> (returning: Returning, selector: Selector)? {
        // The codes that remove follow those that get in the same order (base/proto.h, `AS_CDT_OP_LIST_*`).
        switch head.code - (isRemoval ? 13 : 0) {
        case 19: try selector(head, [.number]) { .index($0.number(1)) }
        case 20: try selector(head, [.compared]) { .firstValue($0[1]) }
        case 21: try selector(head, [.number]) { .rank($0.number(1)) }
        case 22: try selector(head, [.compared]) { .value($0[1]) }
        case 23: try selector(head, [.compared]) { .values(in: $0[1]) }
        case 24:
            try selector(head, [.number, .number], optional: 1) { .indexes(from: $0.number(1), count: $0.count(2)) }
        case 25: try valueInterval(head)
        case 26: try selector(head, [.number, .number], optional: 1) { .ranks(from: $0.number(1), count: $0.count(2)) }
        case 27: try ranksNear(head)
        default: nil
        }
    }

    /// The return type and the selector of a call, if its code is that of one for a map.
    ///
    /// - Parameters:
    ///   - head: the call's head.
    ///   - isRemoval: whether codes that remove are meant, or those that get.
    /// - Returns: both; nil if the code is another's.
    /// - Throws: ``Refusal`` if the arguments are wrong.
    mutating func mapSelector(
        _ head: Head,
        isRemoval: Bool
    ) throws(Refusal) -> (returning: Returning, selector: Selector)? {
        switch (head.code, isRemoval) {
        case (97, false), (76, true): try selector(head, [.compared]) { .key($0[1]) }
        case (98, false), (77, true): try selector(head, [.number]) { .index($0.number(1)) }
        case (99, false), (78, true): try selector(head, [.compared]) { .firstValue($0[1]) }
        case (100, false), (79, true): try selector(head, [.number]) { .rank($0.number(1)) }
        case (107, false), (81, true): try selector(head, [.compared]) { .keys(in: $0[1]) }
        case (102, false), (82, true): try selector(head, [.compared]) { .value($0[1]) }
        case (108, false), (83, true): try selector(head, [.compared]) { .values(in: $0[1]) }
        case (103, false), (84, true):
            try selector(head, [.compared, .compared], optional: 1) { .keyInterval(from: $0[1], upTo: $0.optional(2)) }
        case (104, false), (85, true):
            try selector(head, [.number, .number], optional: 1) { .indexes(from: $0.number(1), count: $0.count(2)) }
        case (105, false), (86, true): try valueInterval(head)
        case (106, false), (87, true):
            try selector(head, [.number, .number], optional: 1) { .ranks(from: $0.number(1), count: $0.count(2)) }
        case (109, false), (88, true):
            try selector(head, [.compared, .number, .number], optional: 1) {
                .indexesNear($0[1], index: $0.number(2), count: $0.count(3))
            }
        case (110, false), (89, true): try ranksNear(head)
        default: nil
        }
    }

    private mutating func valueInterval(_ head: Head) throws(Refusal) -> (returning: Returning, selector: Selector) {
        try selector(head, [.compared, .compared], optional: 1) { .valueInterval(from: $0[1], upTo: $0.optional(2)) }
    }

    private mutating func ranksNear(_ head: Head) throws(Refusal) -> (returning: Returning, selector: Selector) {
        try selector(head, [.compared, .number, .number], optional: 1) {
            .ranksNear($0[1], rank: $0.number(2), count: $0.count(3))
        }
    }

    private mutating func selector(
        _ head: Head,
        _ kinds: [Kind],
        optional: Int = 0,
        _ make: (CollectionArguments) -> Selector
    ) throws(Refusal) -> (returning: Returning, selector: Selector) {
        let arguments = try arguments([.number] + kinds, of: head, optional: optional)
        let selector = make(arguments)
        return (try Returning(flags: arguments.flags(0), isMany: selector.isMany), selector)
    }
}

// MARK: Ranges

/// How indexes, ranks and counts as they are sent become places (base/cdt.c, `calc_index_count`).
enum SelectorRange {
    /// The one place that is meant; nil if there is none.
    static func place(_ index: Int64, of total: Int) -> Int? {
        let place = index < 0 ? Int64(total) + index : index
        return place >= 0 && place < Int64(total) ? Int(place) : nil
    }

    /// The places that are meant, cut to those that there are.
    static func places(from index: Int64, count: UInt64, of total: Int) -> Range<Int> {
        guard index < Int64(total) else { return total..<total }
        let start = index < 0 ? Int64(total) + index : index
        guard start < 0 else {
            return Int(start)..<Int(start) + Int(min(count, UInt64(Int64(total) - start)))
        }
        let missing = UInt64(start.magnitude)
        return 0..<(missing < count ? Int(min(count - missing, UInt64(total))) : 0)
    }

    /// The first place and the count, where they are counted from another place.
    static func near(_ place: Int, index: Int64, count: UInt64) -> (index: Int64, count: UInt64) {
        let start = index &+ Int64(place)
        guard start < 0 else { return (start, count) }
        let missing = UInt64(start.magnitude)
        return (0, count > missing ? count - missing : 0)
    }
}

extension Range<Int> {
    /// What is outside the range, if that is a range itself (`packed_list_get_remove_by_index_range`): all if it is
    /// empty, the rest if it is at the beginning or at the end.
    func outside(of total: Int) -> Range<Int>? {
        if isEmpty {
            0..<total
        } else if lowerBound == 0 {
            upperBound..<total
        } else if upperBound >= total {
            0..<lowerBound
        } else {
            nil
        }
    }
}
