package import NIOCore

/// An operation's code and its arguments packed, which is the same within an operation and within an expression.
package struct CollectionCall: Sendable, Hashable {
    package var code: UInt8
    package var argumentCount = 0
    package var arguments = ByteBuffer()

    package init(_ code: UInt8) {
        self.code = code
        // Most arguments fit; growing step by step costs an allocation each time.
        arguments.reserveCapacity(128)
    }

    package mutating func add(_ number: Int) {
        arguments.packInteger(Int64(number))
        argumentCount += 1
    }

    package mutating func add(unsigned number: UInt64) {
        arguments.packUnsigned(number)
        argumentCount += 1
    }

    package mutating func add(_ value: Value) {
        arguments.packValue(value)
        argumentCount += 1
    }

    /// Adds an argument that is a packed expression.
    package mutating func add(packed bytes: some Collection<UInt8>) {
        arguments.writeBytes(bytes)
        argumentCount += 1
    }

    /// The whole call, with the way to a nested list or map before it.
    package func packed(at context: [CollectionContext]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(arguments.readableBytes + 16)
        buffer.packCall(code, argumentCount: argumentCount, context: context)
        buffer.writeImmutableBuffer(arguments)
        return buffer
    }
}

/// What an operation on a list or map answers about the elements that it selects.
///
/// The numbers are those of aerospike-server 8.1, base/proto.h, `result_type_t`.
public struct CollectionReturn: Sendable, Hashable {
    package let rawValue: UInt64

    private init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Nothing.
    public static let none = CollectionReturn(0)
    /// The index from the beginning.
    public static let index = CollectionReturn(1)
    /// The index from the end.
    public static let reverseIndex = CollectionReturn(2)
    /// The rank: 0 is the least value.
    public static let rank = CollectionReturn(3)
    /// The rank from the greatest value.
    public static let reverseRank = CollectionReturn(4)
    /// How many there are.
    public static let count = CollectionReturn(5)
    /// The key, of a map's entries.
    public static let key = CollectionReturn(6)
    /// The value.
    public static let value = CollectionReturn(7)
    /// Keys and values of a map's entries, as a map in the order of the selection.
    public static let keyValue = CollectionReturn(8)
    /// Whether there is any.
    public static let exists = CollectionReturn(13)
    /// Keys and values of a map's entries, as an unordered map.
    public static let unorderedMap = CollectionReturn(16)
    /// Keys and values of a map's entries, as a map ordered by key.
    public static let orderedMap = CollectionReturn(17)

    /// The same about every element that is not selected.
    public var inverted: CollectionReturn { CollectionReturn(rawValue | 0x1_0000) }
}
