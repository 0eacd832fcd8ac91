/// How a map's entries are written.
public struct MapWritePolicy: Sendable, Hashable {
    /// How the map is sorted, if the operation creates it.
    public var order: MapOrder

    /// Whether an index is stored beside the map, if the operation creates it; only for one that is a bin itself.
    public var persistsIndex: Bool

    /// What the operation may and may not do.
    public var flags: MapWriteFlags

    /// A policy.
    public init(order: MapOrder = .unordered, persistsIndex: Bool = false, flags: MapWriteFlags = []) {
        self.order = order
        self.persistsIndex = persistsIndex
        self.flags = flags
    }

    /// The order and the index as one number.
    package var attributes: UInt64 {
        UInt64(order.rawValue) | (persistsIndex ? UInt64(MessagePack.persistsIndexFlag) : 0)
    }
}

/// What writing to a map may and may not do (aerospike-server 8.1, base/proto.h, `AS_CDT_MAP_*`).
public struct MapWriteFlags: OptionSet, Sendable, Hashable {
    /// The bits as they are sent.
    public let rawValue: UInt8

    /// The flags of these bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Refuse a key that the map has already.
    public static let createOnly = MapWriteFlags(rawValue: 0x01)
    /// Refuse a key that the map does not have.
    public static let updateOnly = MapWriteFlags(rawValue: 0x02)
    /// Do nothing instead of failing.
    public static let noFail = MapWriteFlags(rawValue: 0x04)
    /// With ``noFail`` and several entries, write those that can be written.
    public static let partial = MapWriteFlags(rawValue: 0x08)
}
