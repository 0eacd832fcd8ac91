extension Operation {
    /// The operations on a HyperLogLog sketch.
    ///
    /// The sketch is the bin's own value: servers up to 8.1 do nothing to one inside a list or map
    /// (aerospike-server 8.1, base/particle_hll.c, `hll_state_init`).
    ///
    /// - Parameter bin: the bin.
    /// - Returns: what can be done there.
    public static func hyperLogLog(_ bin: String) -> HyperLogLogOperations {
        HyperLogLogOperations(bin: bin)
    }
}

/// What writing to a sketch may and may not do (aerospike-server 8.1, base/proto.h, `AS_HLL_FLAG_*`).
public struct HyperLogLogWriteFlags: OptionSet, Sendable, Hashable {
    /// The bits as they are sent.
    public let rawValue: UInt8

    /// The flags of these bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Refuse a bin that exists.
    public static let createOnly = HyperLogLogWriteFlags(rawValue: 0x1)
    /// Refuse a bin that does not exist.
    public static let updateOnly = HyperLogLogWriteFlags(rawValue: 0x2)
    /// Do nothing instead of failing.
    public static let noFail = HyperLogLogWriteFlags(rawValue: 0x4)
    /// Allow a union to end with fewer bits of index than the bin has.
    public static let allowFold = HyperLogLogWriteFlags(rawValue: 0x8)
}

/// The operations on a HyperLogLog sketch, which estimates how many different values it was given
/// (aerospike-server 8.1, base/particle_hll.c).
public struct HyperLogLogOperations: Sendable, Hashable {
    private let bin: String

    init(bin: String) {
        self.bin = bin
    }

    /// Creates the sketch, or empties the one there is.
    ///
    /// It answers nothing.
    ///
    /// - Parameters:
    ///   - indexBits: 4 to 16; nil for those that the sketch has.
    ///   - minHashBits: 4 to 51, or nil for none.
    ///   - flags: what the operation may and may not do.
    /// - Returns: the operation.
    public func create(indexBits: Int?, minHashBits: Int? = nil, flags: HyperLogLogWriteFlags = []) -> Operation {
        modify(0) {
            $0.add(indexBits ?? -1)
            $0.add(minHashBits ?? -1)
            $0.add(unsigned: UInt64(flags.rawValue))
        }
    }

    /// Gives values to the sketch, creating it if bits are given.
    ///
    /// It answers how many changed it.
    ///
    /// - Parameters:
    ///   - values: the values.
    ///   - indexBits: 4 to 16; nil for those that the sketch has.
    ///   - minHashBits: 4 to 51, or nil for none.
    ///   - flags: what the operation may and may not do.
    /// - Returns: the operation.
    public func add(
        _ values: [Value],
        indexBits: Int? = nil,
        minHashBits: Int? = nil,
        flags: HyperLogLogWriteFlags = []
    ) -> Operation {
        modify(1) {
            $0.add(.list(Value.List(values)))
            $0.add(indexBits ?? -1)
            $0.add(minHashBits ?? -1)
            $0.add(unsigned: UInt64(flags.rawValue))
        }
    }

    /// Makes the sketch that of all values that it or others were given.
    ///
    /// It answers nothing.
    public func formUnion(_ sketches: [Value], flags: HyperLogLogWriteFlags = []) -> Operation {
        modify(2) {
            $0.add(.list(Value.List(sketches)))
            $0.add(unsigned: UInt64(flags.rawValue))
        }
    }

    /// Computes the estimate anew, keeps it, and answers it.
    public func refreshCount() -> Operation {
        modify(3) { _ in }
    }

    /// Makes the sketch one of fewer bits of index.
    ///
    /// It answers nothing.
    public func fold(indexBits: Int) -> Operation {
        modify(4) { $0.add(indexBits) }
    }

    /// The estimate of how many different values the sketch was given.
    public func count() -> Operation {
        read(50) { _ in }
    }

    /// The sketch of all values that it or others were given.
    public func union(_ sketches: [Value]) -> Operation {
        read(51) { $0.add(.list(Value.List(sketches))) }
    }

    /// The estimate of how many different values it or others were given.
    public func unionCount(_ sketches: [Value]) -> Operation {
        read(52) { $0.add(.list(Value.List(sketches))) }
    }

    /// The estimate of how many values all of the sketches were given.
    public func intersectCount(_ sketches: [Value]) -> Operation {
        read(53) { $0.add(.list(Value.List(sketches))) }
    }

    /// The estimate of how alike the sketches are, from 0 to 1.
    public func similarity(_ sketches: [Value]) -> Operation {
        read(54) { $0.add(.list(Value.List(sketches))) }
    }

    /// The bits of index and of minimal hash, as a list.
    public func describe() -> Operation {
        read(55) { _ in }
    }

    private func modify(_ code: UInt8, _ arguments: (inout CollectionCall) -> Void) -> Operation {
        var call = CollectionCall(code)
        arguments(&call)
        return Operation(.hyperLogLogModify, bin: bin, .packed(call.packed(at: [])))
    }

    private func read(_ code: UInt8, _ arguments: (inout CollectionCall) -> Void) -> Operation {
        var call = CollectionCall(code)
        arguments(&call)
        return Operation(.hyperLogLogRead, bin: bin, .packed(call.packed(at: [])))
    }
}
