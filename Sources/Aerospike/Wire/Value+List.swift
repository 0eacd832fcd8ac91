extension Value {
    /// A list, and how the server keeps it.
    ///
    /// Two lists are equal when their elements are, however they are kept.
    public struct List: Sendable {
        /// The elements.
        public var elements: [Value]

        /// Whether the server keeps the elements sorted; the client sends them sorted then.
        public var order: ListOrder

        /// Whether an index is stored beside the list, for who keeps lists as a server does.
        ///
        /// A server tells nobody.
        package var persistsIndex = false

        /// A list of elements.
        public init(_ elements: [Value], order: ListOrder = .unordered) {
            self.elements = elements
            self.order = order
        }
    }
}

extension Value.List: RandomAccessCollection, MutableCollection, RangeReplaceableCollection {
    /// An empty, unordered list.
    public init() {
        self.init([])
    }

    /// The position of the first element.
    public var startIndex: Int { elements.startIndex }

    /// The position after the last element.
    public var endIndex: Int { elements.endIndex }

    /// The element at a position.
    public subscript(position: Int) -> Value {
        get { elements[position] }
        set { elements[position] = newValue }
    }

    /// Puts other elements in the place of some.
    public mutating func replaceSubrange(_ subrange: Range<Int>, with newElements: some Collection<Value>) {
        elements.replaceSubrange(subrange, with: newElements)
    }
}

extension Value.List: Hashable, ExpressibleByArrayLiteral {
    /// An unordered list.
    public init(arrayLiteral elements: Value...) {
        self.init(elements)
    }

    /// Whether two lists have equal elements in the same order.
    public static func == (left: Value.List, right: Value.List) -> Bool {
        left.elements == right.elements
    }

    /// Feeds the elements into a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(elements)
    }
}

/// How the server keeps a list's elements.
public enum ListOrder: UInt8, Sendable, Hashable {
    /// As they were put.
    case unordered = 0
    /// Sorted by value.
    case ordered = 1
}
