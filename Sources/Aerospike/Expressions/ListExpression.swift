/// The element of a list that an expression is about.
public struct ExpListItem: Sendable {
    fileprivate let getCode: UInt8
    fileprivate let removeCode: UInt8
    fileprivate let argument: [UInt8]

    /// The element at an index; negative ones count from the end.
    public static func index(_ index: some ExpConvertible<Int>) -> ExpListItem {
        ExpListItem(getCode: 19, removeCode: 32, argument: index.packedExp)
    }

    /// The element with a rank: 0 is the least, -1 the greatest.
    public static func rank(_ rank: some ExpConvertible<Int>) -> ExpListItem {
        ExpListItem(getCode: 21, removeCode: 34, argument: rank.packedExp)
    }
}

/// The elements of a list that an expression is about.
public struct ExpListItems: Sendable {
    fileprivate let getCode: UInt8
    fileprivate let removeCode: UInt8
    fileprivate let arguments: [[UInt8]]

    private init(get getCode: UInt8, remove removeCode: UInt8, _ arguments: [[UInt8]]) {
        self.getCode = getCode
        self.removeCode = removeCode
        self.arguments = arguments
    }

    /// Every element equal to a value.
    public static func value(_ value: some ExpConvertible) -> ExpListItems {
        .init(get: 22, remove: 35, [value.packedExp])
    }

    /// Every element equal to one of some values.
    public static func values(in values: Exp<Value.List>) -> ExpListItems {
        .init(get: 23, remove: 36, [values.packed])
    }

    /// Every element from a value on and less than another, which can be ``Value/infinity``.
    public static func values(from first: some ExpConvertible, upTo end: some ExpConvertible) -> ExpListItems {
        .init(get: 25, remove: 38, [first.packedExp, end.packedExp])
    }

    /// The elements from an index on; negative ones count from the end.
    public static func indexes(from index: some ExpConvertible<Int>) -> ExpListItems {
        .init(get: 24, remove: 37, [index.packedExp])
    }

    /// So many elements from an index on; negative ones count from the end.
    public static func indexes(
        from index: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>
    ) -> ExpListItems {
        .init(get: 24, remove: 37, [index.packedExp, count.packedExp])
    }

    /// The elements from a rank on: 0 is the least, -1 the greatest.
    public static func ranks(from rank: some ExpConvertible<Int>) -> ExpListItems {
        .init(get: 26, remove: 39, [rank.packedExp])
    }

    /// So many elements from a rank on: 0 is the least, -1 the greatest.
    public static func ranks(from rank: some ExpConvertible<Int>, count: some ExpConvertible<Int>) -> ExpListItems {
        .init(get: 26, remove: 39, [rank.packedExp, count.packedExp])
    }

    /// The elements ranked near a value, from so far from its own rank on.
    public static func values(near value: some ExpConvertible, rank: some ExpConvertible<Int>) -> ExpListItems {
        .init(get: 27, remove: 40, [value.packedExp, rank.packedExp])
    }

    /// So many elements ranked near a value, from so far from its own rank on.
    public static func values(
        near value: some ExpConvertible,
        rank: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>
    ) -> ExpListItems {
        .init(get: 27, remove: 40, [value.packedExp, rank.packedExp, count.packedExp])
    }
}

/// An expression for a list: one whose result is a list, or a list nested in what another holds.
///
/// What modifies changes nothing in the record: it answers the whole of the outer list or map, modified.
public protocol ListExpression<ListRoot>: Sendable {
    /// The type of the outermost list or map.
    associatedtype ListRoot: ExpType

    /// Where the list is.
    var listPlace: ExpPlace { get }
}

extension Exp: ListExpression where Output == Value.List {
    /// The list is itself the outermost.
    public typealias ListRoot = Value.List

    /// The list itself.
    public var listPlace: ExpPlace { ExpPlace(packed: packed) }
}

/// A list nested in what an expression holds.
public struct NestedListExpression<ListRoot: ExpType>: ListExpression {
    /// Where the list is.
    public let listPlace: ExpPlace
}

extension ListExpression {
    /// A list nested in this one.
    public func list(at context: [CollectionContext]) -> NestedListExpression<ListRoot> {
        NestedListExpression(
            listPlace: ExpPlace(packed: listPlace.packed, context: listPlace.context + context)
        )
    }

    /// A map nested in this list.
    public func map(at context: [CollectionContext]) -> NestedMapExpression<ListRoot> {
        NestedMapExpression(mapPlace: ExpPlace(packed: listPlace.packed, context: listPlace.context + context))
    }
}

// MARK: Reading

extension ListExpression {
    /// How many elements there are.
    public func size() -> Exp<Int> {
        listPlace.read(CollectionCall(16))
    }

    /// What is asked about an element.
    public func get<One, Many>(_ item: ExpListItem, _ returning: ExpReturn<One, Many>) -> Exp<One> {
        var call = CollectionCall(item.getCode)
        call.add(unsigned: returning.code)
        call.add(packed: item.argument)
        return listPlace.read(call)
    }

    /// What is asked about some elements.
    public func get<One, Many>(_ items: ExpListItems, _ returning: ExpReturn<One, Many>) -> Exp<Many> {
        var call = CollectionCall(items.getCode)
        call.add(unsigned: returning.code)
        items.arguments.forEach { call.add(packed: $0) }
        return listPlace.read(call)
    }
}

// MARK: Modifying

extension ListExpression {
    /// The list with an element at its end, or in its place.
    public func appending(_ value: some ExpConvertible, policy: ListWritePolicy? = nil) -> Exp<ListRoot> {
        var call = CollectionCall(1)
        call.add(expression: value)
        call.add(policy, withOrder: true)
        return listPlace.modify(call)
    }

    /// The list with elements at its end, or in their places.
    public func appending(contentsOf values: Exp<Value.List>, policy: ListWritePolicy? = nil) -> Exp<ListRoot> {
        var call = CollectionCall(2)
        call.add(expression: values)
        call.add(policy, withOrder: true)
        return listPlace.modify(call)
    }

    /// The list with an element before the one at an index.
    public func inserting(
        _ value: some ExpConvertible,
        at index: some ExpConvertible<Int>,
        policy: ListWritePolicy? = nil
    ) -> Exp<ListRoot> {
        var call = CollectionCall(3)
        call.add(expression: index)
        call.add(expression: value)
        call.add(policy, withOrder: false)
        return listPlace.modify(call)
    }

    /// The list with elements before the one at an index.
    public func inserting(
        contentsOf values: Exp<Value.List>,
        at index: some ExpConvertible<Int>,
        policy: ListWritePolicy? = nil
    ) -> Exp<ListRoot> {
        var call = CollectionCall(4)
        call.add(expression: index)
        call.add(expression: values)
        call.add(policy, withOrder: false)
        return listPlace.modify(call)
    }

    /// The list with a value in the place of the one at an index.
    public func setting(
        _ index: some ExpConvertible<Int>,
        to value: some ExpConvertible,
        policy: ListWritePolicy? = nil
    ) -> Exp<ListRoot> {
        var call = CollectionCall(9)
        call.add(expression: index)
        call.add(expression: value)
        call.add(policy, withOrder: false)
        return listPlace.modify(call)
    }

    /// The list with more added to the number at an index.
    public func incrementing(
        _ index: some ExpConvertible<Int>,
        by amount: some ExpConvertible,
        policy: ListWritePolicy? = nil
    ) -> Exp<ListRoot> {
        var call = CollectionCall(12)
        call.add(expression: index)
        call.add(expression: amount)
        call.add(policy, withOrder: true)
        return listPlace.modify(call)
    }

    /// The list without elements.
    public func cleared() -> Exp<ListRoot> {
        listPlace.modify(CollectionCall(11))
    }

    /// The list sorted.
    public func sorted(_ flags: ListSortFlags = []) -> Exp<ListRoot> {
        var call = CollectionCall(13)
        call.add(unsigned: UInt64(flags.rawValue))
        return listPlace.modify(call)
    }

    /// The list without an element.
    public func removing(_ item: ExpListItem) -> Exp<ListRoot> {
        var call = CollectionCall(item.removeCode)
        call.add(unsigned: CollectionReturn.none.rawValue)
        call.add(packed: item.argument)
        return listPlace.modify(call)
    }

    /// The list without some elements.
    public func removing(_ items: ExpListItems) -> Exp<ListRoot> {
        removing(items, returning: .none)
    }

    /// The list with nothing but some elements.
    public func keeping(_ items: ExpListItems) -> Exp<ListRoot> {
        removing(items, returning: .none.inverted)
    }

    private func removing(_ items: ExpListItems, returning: CollectionReturn) -> Exp<ListRoot> {
        var call = CollectionCall(items.removeCode)
        call.add(unsigned: returning.rawValue)
        items.arguments.forEach { call.add(packed: $0) }
        return listPlace.modify(call)
    }
}
