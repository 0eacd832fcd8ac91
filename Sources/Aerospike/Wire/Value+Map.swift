extension Value {
    /// A map, and how the server keeps it.
    ///
    /// The entries keep the order in which they were given or arrived. Two maps are equal when they hold equal
    /// values under equal keys, in whatever order.
    public struct Map: Sendable {
        /// The entries.
        public var entries: [(key: Value, value: Value)]

        /// How the server sorts the entries; the client sends them sorted then.
        ///
        /// A map that is to store an index beside it is made by ``MapOperations/create(order:persistsIndex:)`` or by a
        /// ``MapWritePolicy``, not by writing a whole map: a server 8.1.0.3 that is sent one leaves the index of ranks as
        /// its memory happens to be.
        public var order: MapOrder

        /// Whether an index is stored beside the map, for who keeps maps as a server does.
        ///
        /// A server tells nobody, and whoever sends a map does not ask for it; see ``order``.
        package var persistsIndex = false

        /// An empty, unordered map.
        public init() {
            entries = []
            order = .unordered
        }

        /// A map of entries.
        ///
        /// Keys are to be integers, strings or blobs, and different from each other.
        public init(
            _ entries: [(Value, Value)],
            order: MapOrder = .unordered
        ) {
            self.entries = entries.map { (key: $0.0, value: $0.1) }
            self.order = order
        }

        /// The value under a key, or nil if there is none.
        ///
        /// It looks at one entry after the other.
        public subscript(key: Value) -> Value? {
            entries.first { $0.key == key }?.value
        }

        /// The entries as a dictionary; of entries with equal keys, which a server never sends, the first.
        public var dictionary: [Value: Value] {
            Dictionary(entries.lazy.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        }
    }
}

extension Value.Map: RandomAccessCollection {
    /// The position of the first entry.
    public var startIndex: Int { entries.startIndex }

    /// The position after the last entry.
    public var endIndex: Int { entries.endIndex }

    /// The entry at a position.
    public subscript(position: Int) -> (key: Value, value: Value) { entries[position] }
}

extension Value.Map: Hashable, ExpressibleByDictionaryLiteral {
    /// An unordered map.
    public init(dictionaryLiteral elements: (Value, Value)...) {
        self.init(elements)
    }

    /// Whether two maps hold equal values under equal keys.
    public static func == (left: Value.Map, right: Value.Map) -> Bool {
        left.count == right.count && left.dictionary == right.dictionary
    }

    /// Feeds the entries into a hasher, whatever their order.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(dictionary)
    }
}

/// How the server sorts a map's entries.
public enum MapOrder: UInt8, Sendable, Hashable {
    /// Not at all.
    case unordered = 0
    /// By key.
    case keyOrdered = 1
    /// By key, and by value as well, which makes finding by rank fast.
    case keyValueOrdered = 3
}
