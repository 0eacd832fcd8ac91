/// How a list's elements are written.
public struct ListWritePolicy: Sendable, Hashable {
    /// How the list is kept, if the operation creates it.
    public var order: ListOrder

    /// What the operation may and may not do.
    public var flags: ListWriteFlags

    /// A policy.
    public init(order: ListOrder = .unordered, flags: ListWriteFlags = []) {
        self.order = order
        self.flags = flags
    }
}

/// What writing to a list may and may not do (aerospike-server 8.1, base/proto.h, `AS_CDT_LIST_*`).
public struct ListWriteFlags: OptionSet, Sendable, Hashable {
    /// The bits as they are sent.
    public let rawValue: UInt8

    /// The flags of these bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Refuse a value that the list has already.
    public static let addUnique = ListWriteFlags(rawValue: 0x01)
    /// Refuse an index beyond the end.
    public static let insertBounded = ListWriteFlags(rawValue: 0x02)
    /// Do nothing instead of failing.
    public static let noFail = ListWriteFlags(rawValue: 0x04)
    /// With ``noFail`` and several values, write those that can be written.
    public static let partial = ListWriteFlags(rawValue: 0x08)
}

/// How a list is sorted (aerospike-server 8.1, base/proto.h, `AS_CDT_SORT_*`).
public struct ListSortFlags: OptionSet, Sendable, Hashable {
    /// The bits as they are sent.
    public let rawValue: UInt8

    /// The flags of these bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// From the greatest to the least.
    public static let descending = ListSortFlags(rawValue: 0x1)
    /// Leave one of equal elements.
    public static let dropDuplicates = ListSortFlags(rawValue: 0x2)
}
