package import NIOCore

extension Operation {
    /// The operations on a map.
    ///
    /// - Parameters:
    ///   - bin: the bin.
    ///   - context: the way to the map, if it is nested in what the bin holds.
    /// - Returns: what can be done there.
    public static func map(_ bin: String, at context: [CollectionContext] = []) -> MapOperations {
        MapOperations(bin: bin, context: context)
    }
}

/// The operations on a map, in a bin or nested in one (aerospike-server 8.1, base/cdt.c and base/particle_map.c).
///
/// Indexes and ranks below zero count from the end. Each function says what the operation answers.
public struct MapOperations: Sendable, Hashable {
    private let bin: String
    private let context: [CollectionContext]

    init(bin: String, context: [CollectionContext]) {
        self.bin = bin
        self.context = context
    }

    // MARK: The map itself

    /// Creates the map, or sorts the one there is in another order.
    ///
    /// It answers nothing.
    ///
    /// - Parameters:
    ///   - order: how the map is sorted.
    ///   - persistsIndex: whether an index is stored beside the map; only for one that is a bin itself.
    /// - Returns: the operation.
    public func create(order: MapOrder, persistsIndex: Bool = false) -> Operation {
        guard let last = context.last else {
            return setOrder(order, persistsIndex: persistsIndex)
        }
        var call = CollectionCall(64)
        call.add(unsigned: UInt64(order.rawValue))
        let creating = context.dropLast() + [last.creating(order.contextFlags)]
        return Operation(.collectionModify, bin: bin, .packed(call.packed(at: Array(creating))))
    }

    /// Sorts the map in another order.
    ///
    /// It answers nothing.
    ///
    /// - Parameters:
    ///   - order: how the map is sorted.
    ///   - persistsIndex: whether an index is stored beside the map; only for one that is a bin itself.
    /// - Returns: the operation.
    public func setOrder(_ order: MapOrder, persistsIndex: Bool = false) -> Operation {
        var call = CollectionCall(64)
        call.add(unsigned: MapWritePolicy(order: order, persistsIndex: persistsIndex && context.isEmpty).attributes)
        return modify(call)
    }

    /// How many entries there are.
    public func size() -> Operation {
        Operation(.collectionRead, bin: bin, .packed(CollectionCall(96).packed(at: context)))
    }

    /// Removes every entry.
    ///
    /// It answers nothing.
    public func clear() -> Operation {
        modify(CollectionCall(75))
    }

    // MARK: Writing entries

    /// Puts a value under a key.
    ///
    /// It answers the map's size.
    public func put(_ key: Value, _ value: Value, policy: MapWritePolicy = MapWritePolicy()) -> Operation {
        var call = CollectionCall(67)
        call.add(key)
        call.add(value)
        call.add(policy)
        return modify(call)
    }

    /// Puts a value under a key, both of which are packed by a function into some `bytes` bytes.
    package func put(bytes: Int, policy: MapWritePolicy, packing pack: (inout ByteBuffer) -> Void) -> Operation {
        write(67, argumentCount: 2, bytes, policy, pack)
    }

    /// Puts so many values under their keys, which are packed by a function: each key, and its value behind it.
    package func put(
        count: Int,
        bytes: Int,
        policy: MapWritePolicy,
        packing pack: (inout ByteBuffer) -> Void
    ) -> Operation {
        write(68, argumentCount: 1, bytes, policy) { buffer in
            buffer.packMapHeader(count)
            pack(&buffer)
        }
    }

    /// A call whose arguments, but for the policy, are packed by a function: right where they are sent from.
    private func write(
        _ code: UInt8,
        argumentCount: Int,
        _ bytes: Int,
        _ policy: MapWritePolicy,
        _ pack: (inout ByteBuffer) -> Void
    ) -> Operation {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes + 32)
        let hasFlags = !policy.flags.isEmpty
        buffer.packCall(code, argumentCount: argumentCount + (hasFlags ? 2 : 1), context: context)
        pack(&buffer)
        buffer.packUnsigned(policy.attributes)
        if hasFlags { buffer.packUnsigned(UInt64(policy.flags.rawValue)) }
        return Operation(.collectionModify, bin: bin, .packed(buffer))
    }

    /// Puts values under their keys.
    ///
    /// It answers the map's size.
    public func put(contentsOf entries: Value.Map, policy: MapWritePolicy = MapWritePolicy()) -> Operation {
        // How the argument itself is kept does not matter: the policy says how the map is.
        var entries = entries
        entries.order = .unordered
        var call = CollectionCall(68)
        call.add(.map(entries))
        call.add(policy)
        return modify(call)
    }

    /// Adds to the number under a key, which is 0 if there is none.
    ///
    /// It answers the sum.
    public func increment(_ key: Value, by amount: Value, policy: MapWritePolicy = MapWritePolicy()) -> Operation {
        var call = CollectionCall(73)
        call.add(key)
        call.add(amount)
        call.add(unsigned: policy.attributes)
        return modify(call)
    }

    /// Subtracts from the number under a key, which is 0 if there is none.
    ///
    /// It answers the difference.
    public func decrement(_ key: Value, by amount: Value, policy: MapWritePolicy = MapWritePolicy()) -> Operation {
        var call = CollectionCall(74)
        call.add(key)
        call.add(amount)
        call.add(unsigned: policy.attributes)
        return modify(call)
    }

    // MARK: Entries by key, index, rank or value

    /// What is asked about the entries selected.
    public func get(_ selector: MapSelector, returning: CollectionReturn = .value) -> Operation {
        var call = CollectionCall(selector.getCode)
        call.add(unsigned: returning.rawValue)
        selector.addArguments(to: &call)
        return Operation(.collectionRead, bin: bin, .packed(call.packed(at: context)))
    }

    /// Removes the entries selected, and answers what is asked about them.
    public func remove(_ selector: MapSelector, returning: CollectionReturn = .none) -> Operation {
        var call = CollectionCall(selector.removeCode)
        call.add(unsigned: returning.rawValue)
        selector.addArguments(to: &call)
        return modify(call)
    }

    private func modify(_ call: CollectionCall) -> Operation {
        Operation(.collectionModify, bin: bin, .packed(call.packed(at: context)))
    }
}

extension CollectionCall {
    /// Adds a map's policy: its order and, unless they are none, its flags.
    fileprivate mutating func add(_ policy: MapWritePolicy) {
        add(unsigned: policy.attributes)
        if !policy.flags.isEmpty {
            add(unsigned: UInt64(policy.flags.rawValue))
        }
    }
}
