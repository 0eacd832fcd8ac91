import NIOCore

/// The order in which the server sorts values, whatever their types (aerospike-server 8.1, cf/src/msgpack_in.c,
/// `msgpack_cmp`).
///
/// Types come first: nil, truth values, integers, strings, lists, maps, bytes, doubles, GeoJSON, infinity. Lists compare
/// element by element, maps by their sizes before their entries, and a wildcard ends the comparison as equal.
extension Value {
    /// How two values compare.
    package enum Comparison: Sendable {
        case less
        case equal
        case greater
        /// Equal, whatever comes after in the lists that the values belong to.
        case wild
    }

    /// Whether the value comes before another in the server's order.
    public func precedes(_ other: Value) -> Bool {
        compared(to: other) == .less
    }

    /// How the value compares to another in the server's order.
    package func compared(to other: Value) -> Comparison {
        switch (self, other) {
        case (.wildcard, _), (_, .wildcard): return .wild
        case (.integer(let left), .integer(let right)): return Comparison(left, right)
        case (.double(let left), .double(let right)): return Comparison(left, right)
        case (.boolean(let left), .boolean(let right)): return Comparison(left ? 1 : 0, right ? 1 : 0)
        case (.string(let left), .string(let right)), (.geoJSON(let left), .geoJSON(let right)):
            return Comparison(bytes: left.utf8, right.utf8)
        case (.list(let left), .list(let right)):
            // As they are sent: what says that it is ordered is sorted, however it was given.
            return Comparison(left.elementsAsSent, right.elementsAsSent)
        case (.map(let left), .map(let right)):
            guard left.count == right.count else { return Comparison(left.count, right.count) }
            return Comparison(
                left.sortedEntries.flatMap { [$0.key, $0.value] },
                right.sortedEntries.flatMap { [$0.key, $0.value] }
            )
        default:
            if let left = typedBytes, let right = other.typedBytes {
                // The particle type is the first of the bytes.
                return left.type == right.type
                    ? Comparison(bytes: left.bytes.readableBytesView, right.bytes.readableBytesView)
                    : Comparison(left.type.rawValue, right.type.rawValue)
            }
            return Comparison(typeRank, other.typeRank)
        }
    }

    private var typedBytes: (type: ParticleType, bytes: ByteBuffer)? {
        switch self {
        case .blob(let bytes), .hyperLogLog(let bytes), .opaque(_, let bytes): (particleType, bytes)
        default: nil
        }
    }

    private var typeRank: Int {
        switch self {
        case .null: 0
        case .boolean: 1
        case .integer: 2
        case .string: 3
        case .list: 4
        case .map: 5
        case .blob, .hyperLogLog, .opaque: 6
        case .double: 7
        case .geoJSON: 8
        case .wildcard: 9
        case .infinity: 10
        }
    }
}

extension Value.Comparison {
    fileprivate init<Compared: Comparable>(_ left: Compared, _ right: Compared) {
        self = left < right ? .less : left > right ? .greater : .equal
    }

    fileprivate init(bytes left: some Sequence<UInt8>, _ right: some Sequence<UInt8>) {
        if left.lexicographicallyPrecedes(right) {
            self = .less
        } else {
            self = right.lexicographicallyPrecedes(left) ? .greater : .equal
        }
    }

    fileprivate init(_ left: some Collection<Value>, _ right: some Collection<Value>) {
        for (one, other) in zip(left, right) {
            let comparison = one.compared(to: other)
            guard case .equal = comparison else {
                self = comparison
                return
            }
        }
        self.init(left.count, right.count)
    }
}

extension Value.Map {
    /// The entries, in the order of their keys if the map says that it is ordered.
    package var entriesAsSent: [(key: Value, value: Value)] {
        order == .unordered ? entries : sortedEntries
    }

    /// The entries in the order of their keys.
    package var sortedEntries: [(key: Value, value: Value)] {
        zip(entries, entries.dropFirst()).allSatisfy { $0.key.precedes($1.key) }
            ? entries : entries.sorted { $0.key.precedes($1.key) }
    }
}

extension Value.List {
    /// The elements, in order if the list says that it is ordered.
    package var elementsAsSent: [Value] {
        order == .ordered ? sortedElements : elements
    }

    private var sortedElements: [Value] {
        zip(elements, elements.dropFirst()).contains { $1.precedes($0) }
            ? elements.sorted { $0.precedes($1) } : elements
    }
}
