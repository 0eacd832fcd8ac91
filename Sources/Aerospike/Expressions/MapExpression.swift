/// The entry of a map that an expression is about.
public struct ExpMapItem: Sendable {
    fileprivate let getCode: UInt8
    fileprivate let removeCode: UInt8
    fileprivate let argument: [UInt8]

    /// The entry under a key.
    public static func key(_ key: some ExpConvertible) -> ExpMapItem {
        ExpMapItem(getCode: 97, removeCode: 76, argument: key.packedExp)
    }

    /// The entry at an index in the order of keys; negative ones count from the end.
    public static func index(_ index: some ExpConvertible<Int>) -> ExpMapItem {
        ExpMapItem(getCode: 98, removeCode: 77, argument: index.packedExp)
    }

    /// The entry with a rank: 0 has the least value, -1 the greatest.
    public static func rank(_ rank: some ExpConvertible<Int>) -> ExpMapItem {
        ExpMapItem(getCode: 100, removeCode: 79, argument: rank.packedExp)
    }
}

/// The entries of a map that an expression is about.
public struct ExpMapItems: Sendable {
    fileprivate let getCode: UInt8
    fileprivate let removeCode: UInt8
    fileprivate let arguments: [[UInt8]]

    private init(get getCode: UInt8, remove removeCode: UInt8, _ arguments: [[UInt8]]) {
        self.getCode = getCode
        self.removeCode = removeCode
        self.arguments = arguments
    }

    /// The entries under some keys.
    public static func keys(in keys: Exp<Value.List>) -> ExpMapItems {
        .init(get: 107, remove: 81, [keys.packed])
    }

    /// The entries whose keys are from one on and less than another, which can be ``Value/infinity``.
    public static func keys(from first: some ExpConvertible, upTo end: some ExpConvertible) -> ExpMapItems {
        .init(get: 103, remove: 84, [first.packedExp, end.packedExp])
    }

    /// The entries near a key in the order of keys, from so far from its own index on.
    public static func keys(near key: some ExpConvertible, index: some ExpConvertible<Int>) -> ExpMapItems {
        .init(get: 109, remove: 88, [key.packedExp, index.packedExp])
    }

    /// So many entries near a key in the order of keys, from so far from its own index on.
    public static func keys(
        near key: some ExpConvertible,
        index: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>
    ) -> ExpMapItems {
        .init(get: 109, remove: 88, [key.packedExp, index.packedExp, count.packedExp])
    }

    /// Every entry whose value is equal to this.
    public static func value(_ value: some ExpConvertible) -> ExpMapItems {
        .init(get: 102, remove: 82, [value.packedExp])
    }

    /// Every entry whose value is equal to one of these.
    public static func values(in values: Exp<Value.List>) -> ExpMapItems {
        .init(get: 108, remove: 83, [values.packed])
    }

    /// Every entry whose value is from one on and less than another, which can be ``Value/infinity``.
    public static func values(from first: some ExpConvertible, upTo end: some ExpConvertible) -> ExpMapItems {
        .init(get: 105, remove: 86, [first.packedExp, end.packedExp])
    }

    /// The entries from an index on in the order of keys; negative ones count from the end.
    public static func indexes(from index: some ExpConvertible<Int>) -> ExpMapItems {
        .init(get: 104, remove: 85, [index.packedExp])
    }

    /// So many entries from an index on in the order of keys; negative ones count from the end.
    public static func indexes(
        from index: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>
    ) -> ExpMapItems {
        .init(get: 104, remove: 85, [index.packedExp, count.packedExp])
    }

    /// The entries from a rank on: 0 has the least value, -1 the greatest.
    public static func ranks(from rank: some ExpConvertible<Int>) -> ExpMapItems {
        .init(get: 106, remove: 87, [rank.packedExp])
    }

    /// So many entries from a rank on: 0 has the least value, -1 the greatest.
    public static func ranks(from rank: some ExpConvertible<Int>, count: some ExpConvertible<Int>) -> ExpMapItems {
        .init(get: 106, remove: 87, [rank.packedExp, count.packedExp])
    }

    /// The entries whose values are ranked near this, from so far from its own rank on.
    public static func values(near value: some ExpConvertible, rank: some ExpConvertible<Int>) -> ExpMapItems {
        .init(get: 110, remove: 89, [value.packedExp, rank.packedExp])
    }

    /// So many entries whose values are ranked near this, from so far from its own rank on.
    public static func values(
        near value: some ExpConvertible,
        rank: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>
    ) -> ExpMapItems {
        .init(get: 110, remove: 89, [value.packedExp, rank.packedExp, count.packedExp])
    }
}

/// An expression for a map: one whose result is a map, or a map nested in what another holds.
///
/// What modifies changes nothing in the record: it answers the whole of the outer list or map, modified.
public protocol MapExpression<MapRoot>: Sendable {
    /// The type of the outermost list or map.
    associatedtype MapRoot: ExpType

    /// Where the map is.
    var mapPlace: ExpPlace { get }
}

extension Exp: MapExpression where Output == Value.Map {
    /// The map is itself the outermost.
    public typealias MapRoot = Value.Map

    /// The map itself.
    public var mapPlace: ExpPlace { ExpPlace(packed: packed) }
}

/// A map nested in what an expression holds.
public struct NestedMapExpression<MapRoot: ExpType>: MapExpression {
    /// Where the map is.
    public let mapPlace: ExpPlace
}

extension MapExpression {
    /// A list nested in this map.
    public func list(at context: [CollectionContext]) -> NestedListExpression<MapRoot> {
        NestedListExpression(listPlace: ExpPlace(packed: mapPlace.packed, context: mapPlace.context + context))
    }

    /// A map nested in this one.
    public func map(at context: [CollectionContext]) -> NestedMapExpression<MapRoot> {
        NestedMapExpression(mapPlace: ExpPlace(packed: mapPlace.packed, context: mapPlace.context + context))
    }
}

// MARK: Reading

extension MapExpression {
    /// How many entries there are.
    public func size() -> Exp<Int> {
        mapPlace.read(CollectionCall(96))
    }

    /// What is asked about an entry.
    public func get<One, Many>(_ item: ExpMapItem, _ returning: ExpReturn<One, Many>) -> Exp<One> {
        var call = CollectionCall(item.getCode)
        call.add(unsigned: returning.code)
        call.add(packed: item.argument)
        return mapPlace.read(call)
    }

    /// What is asked about some entries.
    public func get<One, Many>(_ items: ExpMapItems, _ returning: ExpReturn<One, Many>) -> Exp<Many> {
        var call = CollectionCall(items.getCode)
        call.add(unsigned: returning.code)
        items.arguments.forEach { call.add(packed: $0) }
        return mapPlace.read(call)
    }
}

// MARK: Modifying

extension MapExpression {
    /// The map with a value under a key.
    public func putting(
        _ key: some ExpConvertible,
        _ value: some ExpConvertible,
        policy: MapWritePolicy? = nil
    ) -> Exp<MapRoot> {
        var call = CollectionCall(67)
        call.add(expression: key)
        call.add(expression: value)
        call.add(policy)
        return mapPlace.modify(call)
    }

    /// The map with values under their keys.
    public func putting(contentsOf entries: Exp<Value.Map>, policy: MapWritePolicy? = nil) -> Exp<MapRoot> {
        var call = CollectionCall(68)
        call.add(expression: entries)
        call.add(policy)
        return mapPlace.modify(call)
    }

    /// The map with more added to the number under a key.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - amount: how much.
    ///   - order: how a map is sorted that had to be created.
    /// - Returns: the expression.
    public func incrementing(
        _ key: some ExpConvertible,
        by amount: some ExpConvertible,
        creating order: MapOrder? = nil
    ) -> Exp<MapRoot> {
        var call = CollectionCall(73)
        call.add(expression: key)
        call.add(expression: amount)
        if let order {
            call.add(unsigned: UInt64(order.rawValue))
        }
        return mapPlace.modify(call)
    }

    /// The map without entries.
    public func cleared() -> Exp<MapRoot> {
        mapPlace.modify(CollectionCall(75))
    }

    /// The map without an entry.
    public func removing(_ item: ExpMapItem) -> Exp<MapRoot> {
        var call = CollectionCall(item.removeCode)
        call.add(unsigned: CollectionReturn.none.rawValue)
        call.add(packed: item.argument)
        return mapPlace.modify(call)
    }

    /// The map without some entries.
    public func removing(_ items: ExpMapItems) -> Exp<MapRoot> {
        removing(items, returning: .none)
    }

    /// The map with nothing but some entries.
    public func keeping(_ items: ExpMapItems) -> Exp<MapRoot> {
        removing(items, returning: .none.inverted)
    }

    private func removing(_ items: ExpMapItems, returning: CollectionReturn) -> Exp<MapRoot> {
        var call = CollectionCall(items.removeCode)
        call.add(unsigned: returning.rawValue)
        items.arguments.forEach { call.add(packed: $0) }
        return mapPlace.modify(call)
    }
}

extension CollectionCall {
    /// Adds a map's policy, if there is one: in an expression always with its flags.
    fileprivate mutating func add(_ policy: MapWritePolicy?) {
        guard let policy else { return }
        add(unsigned: policy.attributes)
        add(unsigned: UInt64(policy.flags.rawValue))
    }
}
