extension Operation {
    /// The operations on a list.
    ///
    /// - Parameters:
    ///   - bin: the bin.
    ///   - context: the way to the list, if it is nested in what the bin holds.
    /// - Returns: what can be done there.
    public static func list(_ bin: String, at context: [CollectionContext] = []) -> ListOperations {
        ListOperations(bin: bin, context: context)
    }
}

/// The operations on a list, in a bin or nested in one (aerospike-server 8.1, base/cdt.c and base/particle_list.c).
///
/// Indexes and ranks below zero count from the end. Each function says what the operation answers.
public struct ListOperations: Sendable, Hashable {
    private let bin: String
    private let context: [CollectionContext]

    init(bin: String, context: [CollectionContext]) {
        self.bin = bin
        self.context = context
    }

    // MARK: The list itself

    /// Creates the list, or keeps the one there is in another order.
    ///
    /// It answers nothing.
    ///
    /// - Parameters:
    ///   - order: how the list is kept.
    ///   - pads: whether an index beyond the outer list's end is allowed, for a list nested in a list.
    ///   - persistsIndex: whether an index is stored beside the list; only for one that is a bin itself.
    /// - Returns: the operation.
    public func create(order: ListOrder, pads: Bool = false, persistsIndex: Bool = false) -> Operation {
        var call = CollectionCall(0)
        guard let last = context.last else {
            call.add(unsigned: UInt64(order.rawValue) | (persistsIndex ? 0x10 : 0))
            return modify(call)
        }
        call.add(unsigned: UInt64(order.rawValue))
        let creating = context.dropLast() + [last.creating(order.contextFlags(pads: pads))]
        return Operation(.collectionModify, bin: bin, .packed(call.packed(at: Array(creating))))
    }

    /// Keeps the list in another order.
    ///
    /// It answers nothing.
    public func setOrder(_ order: ListOrder, persistsIndex: Bool = false) -> Operation {
        var call = CollectionCall(0)
        call.add(unsigned: UInt64(order.rawValue) | (persistsIndex ? 0x10 : 0))
        return modify(call)
    }

    /// Sorts the list once.
    ///
    /// It answers nothing.
    public func sort(_ flags: ListSortFlags = []) -> Operation {
        var call = CollectionCall(13)
        call.add(unsigned: UInt64(flags.rawValue))
        return modify(call)
    }

    /// How many elements there are.
    public func size() -> Operation {
        read(CollectionCall(16))
    }

    /// Removes every element.
    ///
    /// It answers nothing.
    public func clear() -> Operation {
        modify(CollectionCall(11))
    }

    // MARK: Writing elements

    /// Puts an element at the end, or in its place.
    ///
    /// It answers the list's size.
    public func append(_ value: Value, policy: ListWritePolicy? = nil) -> Operation {
        var call = CollectionCall(1)
        call.add(value)
        call.add(policy, withOrder: true)
        return modify(call)
    }

    /// Puts elements at the end, or in their places.
    ///
    /// It answers the list's size.
    public func append(contentsOf values: [Value], policy: ListWritePolicy? = nil) -> Operation {
        var call = CollectionCall(2)
        call.add(.list(Value.List(values)))
        call.add(policy, withOrder: true)
        return modify(call)
    }

    /// Puts an element before the one at an index.
    ///
    /// It answers the list's size.
    public func insert(_ value: Value, at index: Int, policy: ListWritePolicy? = nil) -> Operation {
        var call = CollectionCall(3)
        call.add(index)
        call.add(value)
        call.add(policy, withOrder: false)
        return modify(call)
    }

    /// Puts elements before the one at an index.
    ///
    /// It answers the list's size.
    public func insert(contentsOf values: [Value], at index: Int, policy: ListWritePolicy? = nil) -> Operation {
        var call = CollectionCall(4)
        call.add(index)
        call.add(.list(Value.List(values)))
        call.add(policy, withOrder: false)
        return modify(call)
    }

    /// Puts a value in the place of the one at an index.
    ///
    /// It answers nothing.
    public func set(_ index: Int, to value: Value, policy: ListWritePolicy? = nil) -> Operation {
        var call = CollectionCall(9)
        call.add(index)
        call.add(value)
        call.add(policy, withOrder: false)
        return modify(call)
    }

    /// Adds to the number at an index.
    ///
    /// It answers the sum.
    public func increment(_ index: Int, by amount: Value = 1, policy: ListWritePolicy? = nil) -> Operation {
        var call = CollectionCall(12)
        call.add(index)
        call.add(amount)
        call.add(policy, withOrder: true)
        return modify(call)
    }

    // MARK: Elements by index

    /// Removes the element at an index and answers it.
    public func pop(_ index: Int) -> Operation {
        var call = CollectionCall(5)
        call.add(index)
        return modify(call)
    }

    /// Removes elements from an index on, all if no count is given, and answers them.
    public func pop(from index: Int, count: Int? = nil) -> Operation {
        range(6, from: index, count: count, isWrite: true)
    }

    /// Removes the element at an index.
    ///
    /// It answers how many were removed.
    public func remove(at index: Int) -> Operation {
        var call = CollectionCall(7)
        call.add(index)
        return modify(call)
    }

    /// Removes elements from an index on, all if no count is given.
    ///
    /// It answers how many were removed.
    public func remove(from index: Int, count: Int? = nil) -> Operation {
        range(8, from: index, count: count, isWrite: true)
    }

    /// Removes every element outside a range.
    ///
    /// It answers how many were removed.
    public func trim(from index: Int, count: Int) -> Operation {
        range(10, from: index, count: count, isWrite: true)
    }

    /// The element at an index.
    public func get(_ index: Int) -> Operation {
        var call = CollectionCall(17)
        call.add(index)
        return read(call)
    }

    /// The elements from an index on, all if no count is given.
    public func get(from index: Int, count: Int? = nil) -> Operation {
        range(18, from: index, count: count, isWrite: false)
    }

    // MARK: Elements by index, rank or value

    /// What is asked about the elements selected.
    public func get(_ selector: ListSelector, returning: CollectionReturn = .value) -> Operation {
        var call = CollectionCall(selector.getCode)
        call.add(unsigned: returning.rawValue)
        selector.addArguments(to: &call)
        return read(call)
    }

    /// Removes the elements selected, and answers what is asked about them.
    public func remove(_ selector: ListSelector, returning: CollectionReturn = .none) -> Operation {
        var call = CollectionCall(selector.removeCode)
        call.add(unsigned: returning.rawValue)
        selector.addArguments(to: &call)
        return modify(call)
    }

    // MARK: Calls

    private func range(_ code: UInt8, from index: Int, count: Int?, isWrite: Bool) -> Operation {
        var call = CollectionCall(code)
        call.add(index)
        if let count {
            call.add(unsigned: UInt64(max(0, count)))
        }
        return isWrite ? modify(call) : read(call)
    }

    private func read(_ call: CollectionCall) -> Operation {
        Operation(.collectionRead, bin: bin, .packed(call.packed(at: context)))
    }

    private func modify(_ call: CollectionCall) -> Operation {
        Operation(.collectionModify, bin: bin, .packed(call.packed(at: context)))
    }
}

extension CollectionCall {
    /// Adds a list's policy, if there is one: the order where the operation can create a list, and the flags.
    package mutating func add(_ policy: ListWritePolicy?, withOrder: Bool) {
        guard let policy else { return }
        if withOrder {
            add(unsigned: UInt64(policy.order.rawValue))
        }
        add(unsigned: UInt64(policy.flags.rawValue))
    }
}
