import Aerospike

/// What an operation answers about the elements that it selects, and about how many it can select.
struct Returning {
    /// The numbers are those of aerospike-server 8.1, base/proto.h, `result_type_t`.
    enum Kind: UInt64 {
        case none = 0
        case index = 1
        case reverseIndex = 2
        case rank = 3
        case reverseRank = 4
        case count = 5
        case key = 6
        case value = 7
        case keyValue = 8
        case exists = 13
        case unorderedMap = 16
        case orderedMap = 17
    }

    var kind: Kind
    /// Whether it is about every element that is not selected.
    var isInverted: Bool
    /// Whether it may select several, so that the answer is a list or a map.
    var isMany: Bool

    init(_ kind: Kind, isInverted: Bool = false, isMany: Bool) {
        self.kind = kind
        self.isInverted = isInverted
        self.isMany = isMany
    }

    init(flags: UInt64, isMany: Bool) throws(Refusal) {
        guard let kind = Kind(rawValue: flags & 0xffff) else { throw .unknown("return type \(flags & 0xffff)") }
        self.init(kind, isInverted: flags & 0x1_0000 != 0, isMany: isMany)
    }

    /// Whether keys, values or both are answered.
    var isElements: Bool {
        switch kind {
        case .key, .value, .keyValue, .unorderedMap, .orderedMap: true
        default: false
        }
    }

    var isRank: Bool { kind == .rank || kind == .reverseRank }
    var isIndex: Bool { kind == .index || kind == .reverseIndex }
    var isReverse: Bool { kind == .reverseIndex || kind == .reverseRank }

    /// The same, for what is selected.
    var straight: Returning { Returning(kind, isMany: isMany) }
}

// MARK: Answers

extension Returning {
    /// The answer where nothing is selected (base/cdt.c, `result_data_set_not_found`).
    var nothing: Value? {
        switch kind {
        case .none: nil
        case .index, .reverseIndex, .rank, .reverseRank: isMany ? [] : -1
        case .count: 0
        case .exists: false
        case .key, .value: isMany ? [] : Value?.none
        case .keyValue, .unorderedMap: [:]
        case .orderedMap: .map(Value.Map([], order: .keyOrdered))
        }
    }

    /// The answer where the places selected, be they indexes or ranks, are a range of all (base/cdt.c,
    /// `result_data_set_index_rank_count`).
    ///
    /// It is about what is outside the range if the answer is inverted.
    func places(_ range: Range<Int>, of total: Int) throws(Refusal) -> Value? {
        switch kind {
        case .none:
            return nil
        case .count:
            return .count(isInverted ? total - range.count : range.count)
        case .exists:
            return .boolean(range.isEmpty == isInverted)
        case .index, .reverseIndex, .rank, .reverseRank:
            guard isMany else {
                guard !range.isEmpty else { return -1 }
                return .count(isReverse ? total - range.lowerBound - 1 : range.lowerBound)
            }
            return isInverted
                ? .counts(run(0..<range.lowerBound, of: total) + run(range.upperBound..<total, of: total))
                : .counts(run(range, of: total))
        case .key, .value, .keyValue, .unorderedMap, .orderedMap:
            throw .notApplicable("\(kind) is not answered here")
        }
    }

    /// The places of a range one by one; counted from the end, the last is still the first of them.
    func run(_ range: Range<Int>, of total: Int) -> [Int] {
        isReverse ? Array(total - range.upperBound..<total - range.lowerBound) : Array(range)
    }

    /// A place as it is answered.
    func place(_ place: Int, of total: Int) -> Int {
        isReverse ? total - place - 1 : place
    }

    /// The answer where the places selected are marked (base/cdt.c, `result_data_set_int_list_by_mask`).
    func places(markedIn mask: [Bool]) -> Value {
        let places = mask.marked.map { place($0, of: mask.count) }
        return isMany ? .counts(places) : .count(places.first ?? 0)
    }
}

extension Value {
    static func count(_ count: Int) -> Value {
        .integer(Int64(count))
    }

    static func counts(_ counts: [Int]) -> Value {
        .list(Value.List(counts.map { .count($0) }))
    }
}

extension [Bool] {
    /// The indexes that are marked.
    var marked: [Int] {
        indices.filter { self[$0] }
    }

    /// Marks what is not marked and nothing else.
    var inverted: [Bool] {
        map { !$0 }
    }
}
