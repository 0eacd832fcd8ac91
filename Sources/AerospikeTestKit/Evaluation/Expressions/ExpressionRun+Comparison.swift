import Aerospike
import NIOCore

extension ExpressionRun {
    /// Whether two values compare as a function asks; nil if that is unknown.
    func compare(_ left: Value, _ right: Value, by code: ExpCode) throws(Refusal) -> Bool? {
        // Doubles outside of lists and maps compare as C compares them.
        if case (.double(let left), .double(let right)) = (left, right) {
            return switch code {
            case .equal: left == right
            case .notEqual: left != right
            case .greater: left > right
            case .greaterOrEqual: left >= right
            case .less: left < right
            default: left <= right
            }
        }
        let isOfCollections = left.isCollection && right.isCollection
        guard left.particleType == right.particleType || isOfCollections else {
            throw .unknown("a comparison of \(left) with \(right), at which a real server stops")
        }
        // A server marks what it selects as unordered even where it is empty, which a value does not tell.
        if hasEmptySelection, left.isEmptyMap || right.isEmptyMap {
            throw .unknown("comparing an empty map after a call that selected no entries")
        }
        var comparison = PackedComparison()
        let order = comparison.compare(left, right)
        guard !comparison.hasUnorderedMap else { return nil }
        return switch code {
        case .equal: order == .equal
        case .notEqual: order != .equal
        case .greater: order == .greater
        case .greaterOrEqual: order != .less
        case .less: order == .less
        default: order != .greater
        }
    }
}

extension Value {
    fileprivate var isEmptyMap: Bool {
        if case .map(let map) = self { map.isEmpty } else { false }
    }

    fileprivate var isCollection: Bool {
        switch self {
        case .list, .map: true
        default: false
        }
    }
}

/// Compares values as a server compares MessagePack, and notices unordered maps on its way, whose comparison has no
/// meaning (aerospike-server 8.1, cf/src/msgpack_in.c, `msgpack_cmp`).
///
/// It looks at values one by one until two differ, so an unordered map after that goes unnoticed.
private struct PackedComparison {
    enum Order {
        case less
        case equal
        case greater
    }

    private(set) var hasUnorderedMap = false
    /// Whether a wildcard ended the comparison.
    private var isOver = false

    mutating func compare(_ left: Value, _ right: Value) -> Order {
        note(left)
        note(right)
        if left == .wildcard || right == .wildcard {
            isOver = true
            return .equal
        }
        switch (left, right) {
        case (.list(let left), .list(let right)):
            let order = compare(left.elements[...], right.elements[...])
            return order == .equal && !isOver ? Order(left.count, right.count) : order
        case (.map(let left), .map(let right)):
            guard left.count == right.count else { return Order(left.count, right.count) }
            return compare(
                left.entries.flatMap { [$0.key, $0.value] }[...],
                right.entries.flatMap { [$0.key, $0.value] }[...]
            )
        case (.double(let left), .double(let right)):
            // What is not a number is equal to every number here.
            return left < right ? .less : left > right ? .greater : .equal
        default:
            return switch left.compared(to: right) {
            case .less: .less
            case .greater: .greater
            case .equal, .wild: .equal
            }
        }
    }

    private mutating func compare(_ left: ArraySlice<Value>, _ right: ArraySlice<Value>) -> Order {
        for (left, right) in zip(left, right) {
            let order = compare(left, right)
            guard order == .equal, !isOver else { return order }
        }
        return .equal
    }

    private mutating func note(_ value: Value) {
        if case .map(let map) = value, map.order == .unordered, !map.isEmpty {
            hasUnorderedMap = true
        }
    }
}

extension PackedComparison.Order {
    fileprivate init(_ left: Int, _ right: Int) {
        self = left < right ? .less : left > right ? .greater : .equal
    }
}
