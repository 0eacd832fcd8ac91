import Aerospike
import NIOCore

extension Value {
    /// How two values compare as they stand (aerospike-server 8.1, cf/src/msgpack_in.c, `msgpack_cmp`).
    ///
    /// Unlike ``Aerospike/Value/compared(to:)``, it sorts no map first: what is stored is sorted already, and an
    /// argument that is not finds nothing on a real server either.
    func storedOrder(to other: Value) -> Comparison {
        let comparison = orderWithin(other)
        return comparison == .wild ? .equal : comparison
    }

    /// Whether two values are equal in the server's order.
    func isStoredEqual(to other: Value) -> Bool {
        storedOrder(to: other) == .equal
    }

    private func orderWithin(_ other: Value) -> Comparison {
        switch (self, other) {
        case (.integer(let left), .integer(let right)):
            return left < right ? .less : left > right ? .greater : .equal
        case (.list(let left), .list(let right)):
            return Self.order(left.elements, right.elements)
        case (.map(let left), .map(let right)):
            guard left.entries.count == right.entries.count else {
                return left.entries.count < right.entries.count ? .less : .greater
            }
            for index in left.entries.indices {
                let keys = left.entries[index].key.orderWithin(right.entries[index].key)
                guard keys == .equal else { return keys }
                let values = left.entries[index].value.orderWithin(right.entries[index].value)
                guard values == .equal else { return values }
            }
            return .equal
        default:
            return compared(to: other)
        }
    }

    private static func order(_ left: [Value], _ right: [Value]) -> Comparison {
        for index in 0..<min(left.count, right.count) {
            let comparison = left[index].orderWithin(right[index])
            guard comparison == .equal else { return comparison }
        }
        return left.count < right.count ? .less : left.count > right.count ? .greater : .equal
    }

    /// Whether the value is or holds one that only compares.
    var hasComparison: Bool {
        switch self {
        case .infinity, .wildcard: true
        case .list(let list): list.elements.contains(where: \.hasComparison)
        case .map(let map): map.entries.contains { $0.key.hasComparison || $0.value.hasComparison }
        default: false
        }
    }
}
