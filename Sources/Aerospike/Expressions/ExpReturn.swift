import NIOCore

/// What a list's or map's expression answers about the elements that it selects, and of which types that makes it.
///
/// `One` is the type where one element is selected by its index, rank or key, and `Many` that where more can be:
///
/// ```swift
/// let best: Exp<Int> = .list(bin: "scores").get(.rank(-1), .value(Int.self))
/// let top: Exp<Value.List> = .list(bin: "scores").get(.ranks(from: -3), .value)
/// let count: Exp<Int> = .map(bin: "stock").get(.values(from: 1, upTo: 10), .count)
/// ```
public struct ExpReturn<One: ExpType, Many: ExpType>: Sendable, Hashable {
    package let code: UInt64

    private init(_ kind: CollectionReturn) {
        code = kind.rawValue
    }

    private init(code: UInt64) {
        self.code = code
    }

    /// The same about every element that is not selected.
    public var inverted: ExpReturn { ExpReturn(code: code | CollectionReturn.none.inverted.rawValue) }
}

extension ExpReturn where One == Int, Many == Value.List {
    /// The index from the beginning.
    public static var index: ExpReturn { ExpReturn(CollectionReturn.index) }
    /// The index from the end.
    public static var reverseIndex: ExpReturn { ExpReturn(CollectionReturn.reverseIndex) }
    /// The rank: 0 is the least value.
    public static var rank: ExpReturn { ExpReturn(CollectionReturn.rank) }
    /// The rank from the greatest value.
    public static var reverseRank: ExpReturn { ExpReturn(CollectionReturn.reverseRank) }
}

extension ExpReturn where One == Int, Many == Int {
    /// How many there are.
    public static var count: ExpReturn { ExpReturn(CollectionReturn.count) }
}

extension ExpReturn where One == Bool, Many == Bool {
    /// Whether there is any.
    public static var exists: ExpReturn { ExpReturn(CollectionReturn.exists) }
}

extension ExpReturn where Many == Value.List {
    /// The value, of a type that the caller knows; where more than one is selected, a list of them.
    public static func value(_ type: One.Type) -> ExpReturn { ExpReturn(CollectionReturn.value) }

    /// The key of a map's entry, of a type that the caller knows; where more than one is selected, a list of them.
    public static func key(_ type: One.Type) -> ExpReturn { ExpReturn(CollectionReturn.key) }
}

extension ExpReturn where One == Value.List, Many == Value.List {
    /// The values as a list.
    public static var value: ExpReturn { ExpReturn(CollectionReturn.value) }

    /// The keys of a map's entries as a list.
    public static var key: ExpReturn { ExpReturn(CollectionReturn.key) }
}

extension ExpReturn where One == Value.Map, Many == Value.Map {
    /// Keys and values, as a map in the order of the selection.
    public static var keyValue: ExpReturn { ExpReturn(CollectionReturn.keyValue) }
    /// Keys and values, as an unordered map.
    public static var unorderedMap: ExpReturn { ExpReturn(CollectionReturn.unorderedMap) }
    /// Keys and values, as a map ordered by key.
    public static var orderedMap: ExpReturn { ExpReturn(CollectionReturn.orderedMap) }
}

/// Where an expression finds a list or map: the bin or other expression that holds it, and the way within.
public struct ExpPlace: Sendable, Hashable {
    package let packed: [UInt8]
    package let context: [CollectionContext]

    package init(packed: [UInt8], context: [CollectionContext] = []) {
        self.packed = packed
        self.context = context
    }

    /// The systems that a call can be for (aerospike-server 8.1, base/exp.c, `call_system_type`).
    package enum System: Int, Sendable {
        case collection = 0
        case bits = 1
        case hyperLogLog = 2
    }

    /// The call of something that reads: `[127, type, system, call, argument]`.
    package func read<Output>(
        _ call: CollectionCall,
        system: System = .collection,
        as type: Exp<Output>.Type = Exp<Output>.self
    ) -> Exp<Output> {
        make(call, system: system.rawValue)
    }

    /// The call of something that answers what it is called on, modified.
    package func modify<Output>(_ call: CollectionCall, system: System = .collection) -> Exp<Output> {
        make(call, system: system.rawValue | 0x40)
    }

    private func make<Output>(_ call: CollectionCall, system: Int) -> Exp<Output> {
        var vop = call.packed(at: context)
        return Exp(
            .call,
            [
                Int(Output.expTypeCode).packedExp, system.packedExp, vop.readBytes(length: vop.readableBytes) ?? [],
                packed,
            ]
        )
    }
}

extension CollectionCall {
    /// Adds an argument of an expression's call.
    package mutating func add(expression: some ExpConvertible) {
        add(packed: expression.packedExp)
    }
}
