import NIOCore

extension Operation {
    /// Evaluates an expression and answers its result.
    ///
    /// - Parameters:
    ///   - expression: the expression.
    ///   - name: the name under which the result is answered, at most 15 bytes; no bin of that name need be.
    ///   - flags: what the operation may and may not do.
    /// - Returns: the operation.
    public static func read(
        _ expression: Exp<some ExpType>,
        as name: String,
        flags: ExpReadFlags = []
    ) -> Operation {
        Operation(.expressionRead, bin: name, .packed(packed(expression.packed, flags: flags.rawValue)))
    }

    /// Evaluates an expression and writes its result to a bin.
    ///
    /// It answers nothing.
    ///
    /// - Parameters:
    ///   - expression: the expression.
    ///   - bin: the bin.
    ///   - flags: what the operation may and may not do.
    /// - Returns: the operation.
    public static func write(
        _ expression: Exp<some ExpType>,
        to bin: String,
        flags: ExpWriteFlags = []
    ) -> Operation {
        Operation(.expressionModify, bin: bin, .packed(packed(expression.packed, flags: flags.rawValue)))
    }

    /// The argument `[expression, flags]` (aerospike-server 8.1, base/expop.c).
    private static func packed(_ expression: [UInt8], flags: UInt8) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.packListHeader(2)
        buffer.writeBytes(expression)
        buffer.packUnsigned(UInt64(flags))
        return buffer
    }
}

/// What reading an expression may and may not do (aerospike-server 8.1, base/proto.h, `AS_EXP_FLAG_*`).
public struct ExpReadFlags: OptionSet, Sendable, Hashable {
    /// The bits as they are sent.
    public let rawValue: UInt8

    /// The flags of these bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Answer nothing instead of failing if the result is unknown.
    public static let evaluationNoFail = ExpReadFlags(rawValue: 1 << 4)
}

/// What writing an expression may and may not do (aerospike-server 8.1, base/proto.h, `AS_EXP_FLAG_*`).
public struct ExpWriteFlags: OptionSet, Sendable, Hashable {
    /// The bits as they are sent.
    public let rawValue: UInt8

    /// The flags of these bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Refuse a bin that exists.
    public static let createOnly = ExpWriteFlags(rawValue: 1 << 0)
    /// Refuse a bin that does not exist.
    public static let updateOnly = ExpWriteFlags(rawValue: 1 << 1)
    /// Delete the bin if the result is no value.
    public static let allowDelete = ExpWriteFlags(rawValue: 1 << 2)
    /// Do nothing instead of failing if one of the flags above refuses.
    public static let policyNoFail = ExpWriteFlags(rawValue: 1 << 3)
    /// Do nothing instead of failing if the result is unknown.
    public static let evaluationNoFail = ExpWriteFlags(rawValue: 1 << 4)
}
