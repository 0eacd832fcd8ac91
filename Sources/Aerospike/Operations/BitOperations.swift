public import NIOCore

extension Operation {
    /// The operations on the bits of a blob.
    ///
    /// The blob is the bin's own value: servers up to 8.1 do nothing to the bits of one inside a list or map
    /// (aerospike-server 8.1, base/particle_blob.c, `bits_state_init`).
    ///
    /// - Parameter bin: the bin.
    /// - Returns: what can be done there.
    public static func bits(_ bin: String) -> BitOperations {
        BitOperations(bin: bin)
    }
}

/// What writing to the bits of a blob may and may not do (aerospike-server 8.1, base/proto.h, `AS_BITS_FLAG_*`).
public struct BitWriteFlags: OptionSet, Sendable, Hashable {
    /// The bits as they are sent.
    public let rawValue: UInt8

    /// The flags of these bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Refuse a bin that exists.
    public static let createOnly = BitWriteFlags(rawValue: 0x1)
    /// Refuse a bin that does not exist.
    public static let updateOnly = BitWriteFlags(rawValue: 0x2)
    /// Do nothing instead of failing.
    public static let noFail = BitWriteFlags(rawValue: 0x4)
    /// Do as much as fits in the blob.
    public static let partial = BitWriteFlags(rawValue: 0x8)
}

/// At which end a blob is made longer or shorter (aerospike-server 8.1, base/proto.h, `AS_BITS_SUBFLAG_RESIZE_*`).
public struct BitResizeFlags: OptionSet, Sendable, Hashable {
    /// The bits as they are sent.
    public let rawValue: UInt8

    /// The flags of these bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// At the beginning instead of the end.
    public static let fromFront = BitResizeFlags(rawValue: 0x1)
    /// Never make it shorter.
    public static let growOnly = BitResizeFlags(rawValue: 0x2)
    /// Never make it longer.
    public static let shrinkOnly = BitResizeFlags(rawValue: 0x4)
}

/// What happens when arithmetic on bits leaves the range (aerospike-server 8.1, base/proto.h, `AS_BITS_INT_SUBFLAG_*`).
public enum BitOverflow: UInt8, Sendable, Hashable {
    /// The operation fails.
    case fail = 0
    /// The result is the least or greatest number.
    case saturate = 2
    /// The result wraps round.
    case wrap = 4
}

/// The operations on the bits of a blob (aerospike-server 8.1, base/particle_blob.c).
///
/// Offsets below zero count from the end. What modifies answers nothing.
public struct BitOperations: Sendable, Hashable {
    private let bin: String

    init(bin: String) {
        self.bin = bin
    }

    /// Makes the blob so many bytes long.
    public func resize(to byteCount: Int, _ resize: BitResizeFlags = [], flags: BitWriteFlags = []) -> Operation {
        modify(0) {
            $0.add(byteCount)
            $0.add(unsigned: UInt64(flags.rawValue))
            $0.add(unsigned: UInt64(resize.rawValue))
        }
    }

    /// Inserts bytes before the one at an offset in bytes.
    public func insert(_ bytes: ByteBuffer, atByte offset: Int, flags: BitWriteFlags = []) -> Operation {
        modify(1) {
            $0.add(offset)
            $0.add(.blob(bytes))
            $0.add(unsigned: UInt64(flags.rawValue))
        }
    }

    /// Removes bytes from an offset in bytes on.
    public func remove(fromByte offset: Int, byteCount: Int, flags: BitWriteFlags = []) -> Operation {
        modify(2, offset, byteCount, flags)
    }

    /// Puts bits in the place of those at an offset.
    public func set(_ bytes: ByteBuffer, at offset: Int, count: Int, flags: BitWriteFlags = []) -> Operation {
        combine(3, bytes, offset, count, flags)
    }

    /// Combines bits with those at an offset by OR.
    public func or(_ bytes: ByteBuffer, at offset: Int, count: Int, flags: BitWriteFlags = []) -> Operation {
        combine(4, bytes, offset, count, flags)
    }

    /// Combines bits with those at an offset by exclusive OR.
    public func xor(_ bytes: ByteBuffer, at offset: Int, count: Int, flags: BitWriteFlags = []) -> Operation {
        combine(5, bytes, offset, count, flags)
    }

    /// Combines bits with those at an offset by AND.
    public func and(_ bytes: ByteBuffer, at offset: Int, count: Int, flags: BitWriteFlags = []) -> Operation {
        combine(6, bytes, offset, count, flags)
    }

    /// Turns every bit of a range over.
    public func not(at offset: Int, count: Int, flags: BitWriteFlags = []) -> Operation {
        modify(7, offset, count, flags)
    }

    /// Shifts the bits of a range to the left.
    public func shiftLeft(at offset: Int, count: Int, by shift: Int, flags: BitWriteFlags = []) -> Operation {
        shifting(8, offset, count, shift, flags)
    }

    /// Shifts the bits of a range to the right.
    public func shiftRight(at offset: Int, count: Int, by shift: Int, flags: BitWriteFlags = []) -> Operation {
        shifting(9, offset, count, shift, flags)
    }

    /// Adds to the number that the bits of a range are.
    public func add(
        _ amount: Int64,
        at offset: Int,
        count: Int,
        signed: Bool = false,
        overflow: BitOverflow = .fail,
        flags: BitWriteFlags = []
    ) -> Operation {
        arithmetic(10, amount, offset, count, signed, overflow, flags)
    }

    /// Subtracts from the number that the bits of a range are.
    public func subtract(
        _ amount: Int64,
        at offset: Int,
        count: Int,
        signed: Bool = false,
        overflow: BitOverflow = .fail,
        flags: BitWriteFlags = []
    ) -> Operation {
        arithmetic(11, amount, offset, count, signed, overflow, flags)
    }

    /// Makes the bits of a range a number.
    public func setInteger(_ value: Int64, at offset: Int, count: Int, flags: BitWriteFlags = []) -> Operation {
        modify(12) {
            $0.add(offset)
            $0.add(count)
            $0.add(.integer(value))
            $0.add(unsigned: UInt64(flags.rawValue))
        }
    }

    /// The bits of a range, as a blob.
    public func get(at offset: Int, count: Int) -> Operation {
        read(50, offset, count)
    }

    /// How many bits of a range are set.
    public func countOnes(at offset: Int, count: Int) -> Operation {
        read(51, offset, count)
    }

    /// The first bit of a range that is set, or with `value` false is not; -1 if there is none.
    public func firstIndex(of value: Bool, at offset: Int, count: Int) -> Operation {
        read(52, offset, count) { $0.add(.boolean(value)) }
    }

    /// The last bit of a range that is set, or with `value` false is not; -1 if there is none.
    public func lastIndex(of value: Bool, at offset: Int, count: Int) -> Operation {
        read(53, offset, count) { $0.add(.boolean(value)) }
    }

    /// The number that the bits of a range are.
    public func getInteger(at offset: Int, count: Int, signed: Bool = false) -> Operation {
        read(54, offset, count) { call in
            if signed {
                call.add(unsigned: 1)
            }
        }
    }

    // MARK: Calls

    private func combine(
        _ code: UInt8,
        _ bytes: ByteBuffer,
        _ offset: Int,
        _ count: Int,
        _ flags: BitWriteFlags
    ) -> Operation {
        modify(code) {
            $0.add(offset)
            $0.add(count)
            $0.add(.blob(bytes))
            $0.add(unsigned: UInt64(flags.rawValue))
        }
    }

    private func shifting(
        _ code: UInt8,
        _ offset: Int,
        _ count: Int,
        _ shift: Int,
        _ flags: BitWriteFlags
    ) -> Operation {
        modify(code) {
            $0.add(offset)
            $0.add(count)
            $0.add(shift)
            $0.add(unsigned: UInt64(flags.rawValue))
        }
    }

    private func arithmetic(
        _ code: UInt8,
        _ amount: Int64,
        _ offset: Int,
        _ count: Int,
        _ signed: Bool,
        _ overflow: BitOverflow,
        _ flags: BitWriteFlags
    ) -> Operation {
        modify(code) {
            $0.add(offset)
            $0.add(count)
            // The server takes the number's bits for unsigned, unless told otherwise by the flag.
            $0.add(unsigned: UInt64(bitPattern: amount))
            $0.add(unsigned: UInt64(flags.rawValue))
            $0.add(unsigned: UInt64(overflow.rawValue | (signed ? 1 : 0)))
        }
    }

    private func modify(_ code: UInt8, _ offset: Int, _ count: Int, _ flags: BitWriteFlags) -> Operation {
        modify(code) {
            $0.add(offset)
            $0.add(count)
            $0.add(unsigned: UInt64(flags.rawValue))
        }
    }

    private func modify(_ code: UInt8, _ arguments: (inout CollectionCall) -> Void) -> Operation {
        var call = CollectionCall(code)
        arguments(&call)
        return Operation(.bitModify, bin: bin, .packed(call.packed(at: [])))
    }

    private func read(
        _ code: UInt8,
        _ offset: Int,
        _ count: Int,
        _ arguments: (inout CollectionCall) -> Void = { _ in }
    ) -> Operation {
        var call = CollectionCall(code)
        call.add(offset)
        call.add(count)
        arguments(&call)
        return Operation(.bitRead, bin: bin, .packed(call.packed(at: [])))
    }
}
