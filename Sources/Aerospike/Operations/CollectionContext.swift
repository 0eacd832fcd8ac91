package import NIOCore

/// A step into a list or map, towards the one nested in it that an operation is for (the field's "CTX").
///
/// ```swift
/// // The list under "scores" in the map that is the last element of the list in the bin "games".
/// .list("games", at: [.listIndex(-1), .mapKey("scores")]).append(7)
/// ```
///
/// The numbers are those of aerospike-server 8.1, base/proto.h, `AS_CDT_CTX_*`.
public struct CollectionContext: Sendable, Hashable {
    /// What a step is found by.
    private enum Place: Hashable {
        case number(Int64)
        case value(Value)
    }

    /// The step's type; the bits from 0x40 up say what to create if nothing is there.
    private let type: UInt64
    private let place: Place

    private init(_ type: UInt64, number: Int) {
        self.type = type
        place = .number(Int64(number))
    }

    private init(_ type: UInt64, value: Value) {
        self.type = type
        place = .value(value)
    }

    /// Whether the step leads into a list.
    package var isIntoList: Bool { type & 0x10 != 0 }

    /// The element of a list at an index; negative ones count from the end.
    public static func listIndex(_ index: Int) -> CollectionContext { .init(0x10, number: index) }

    /// The element of a list with a rank: 0 is the least, -1 the greatest.
    public static func listRank(_ rank: Int) -> CollectionContext { .init(0x11, number: rank) }

    /// The first element of a list that is equal to a value.
    public static func listValue(_ value: Value) -> CollectionContext { .init(0x13, value: value) }

    /// The entry of a map at an index in the order of keys; negative ones count from the end.
    public static func mapIndex(_ index: Int) -> CollectionContext { .init(0x20, number: index) }

    /// The entry of a map with a rank: 0 has the least value, -1 the greatest.
    public static func mapRank(_ rank: Int) -> CollectionContext { .init(0x21, number: rank) }

    /// The entry of a map under a key.
    public static func mapKey(_ key: Value) -> CollectionContext { .init(0x22, value: key) }

    /// The first entry of a map whose value is equal to this.
    public static func mapValue(_ value: Value) -> CollectionContext { .init(0x23, value: value) }

    /// The element of a list at an index, where a list is created if there is none.
    ///
    /// - Parameters:
    ///   - index: the index in the outer list.
    ///   - order: how the new list is kept.
    ///   - pads: whether an index beyond the outer list's end is allowed, filling what is between with nil.
    /// - Returns: the step.
    public static func listIndex(_ index: Int, creating order: ListOrder, pads: Bool = false) -> CollectionContext {
        .init(0x10 | order.contextFlags(pads: pads), number: index)
    }

    /// The entry of a map under a key, where a map is created if there is none.
    public static func mapKey(_ key: Value, creating order: MapOrder) -> CollectionContext {
        .init(0x22 | order.contextFlags, value: key)
    }

    /// The step, with what to create if nothing is there.
    package func creating(_ flags: UInt64) -> CollectionContext {
        switch place {
        case .number(let number): .init(type | flags, number: Int(number))
        case .value(let value): .init(type | flags, value: value)
        }
    }

    fileprivate func pack(into buffer: inout ByteBuffer) {
        buffer.packUnsigned(type)
        switch place {
        case .number(let number): buffer.packInteger(number)
        case .value(let value): buffer.packValue(value)
        }
    }
}

extension ListOrder {
    /// What a step says to create a list (base/proto.h, `AS_CDT_CTX_CREATE_LIST_*`).
    package func contextFlags(pads: Bool) -> UInt64 {
        switch self {
        case .ordered: 0xc0
        case .unordered: pads ? 0x80 : 0x40
        }
    }
}

extension MapOrder {
    /// What a step says to create a map (base/proto.h, `AS_CDT_CTX_CREATE_MAP_*`).
    package var contextFlags: UInt64 {
        switch self {
        case .unordered: 0x40
        case .keyOrdered: 0x80
        case .keyValueOrdered: 0xc0
        }
    }
}

extension ByteBuffer {
    /// Packs the steps as a list of types and places.
    package mutating func packContext(_ context: [CollectionContext]) {
        packListHeader(context.count * 2)
        for step in context {
            step.pack(into: &self)
        }
    }

    /// Packs the call of an operation on a list or map, without its arguments.
    ///
    /// The form is `[code, arguments…]`, or `[255, context, [code, arguments…]]` for one that is nested
    /// (aerospike-server 8.1, base/cdt.c).
    package mutating func packCall(_ code: UInt8, argumentCount: Int, context: [CollectionContext]) {
        if !context.isEmpty {
            packListHeader(3)
            packUnsigned(0xff)
            packContext(context)
        }
        packListHeader(argumentCount + 1)
        packUnsigned(UInt64(code))
    }
}
