package import Aerospike
package import NIOCore

/// One operation of a request, as it arrived.
package struct RequestOperation: Sendable, Hashable {
    /// What is to be done.
    package var kind: Operation.Kind
    /// What the value is said to be.
    package var type: ParticleType
    /// The bin it is for, of whatever length was sent.
    package var binName: String
    /// The value's bytes.
    package var value: ByteBuffer

    package init(kind: Operation.Kind, type: ParticleType = .null, binName: String, value: ByteBuffer = ByteBuffer()) {
        self.kind = kind
        self.type = type
        self.binName = binName
        self.value = value
    }

    /// Whether a server takes the bin's name (aerospike-server 8.1, base/datamodel.h, `as_bin_name_check`).
    package var hasValidBinName: Bool {
        binName.utf8.count <= AerospikeLimits.binNameBytesMax && !binName.utf8.contains(0)
    }
}

extension ByteBuffer {
    /// Reads one operation (aerospike-server 8.1, base/proto.h, `as_msg_op`); nil if its lengths are not right.
    mutating func readRequestOperation() -> RequestOperation? {
        guard let length = readInteger(as: UInt32.self), var body = readSlice(length: Int(length)),
            let (kind, type, flags, nameLength) = body.readMultipleIntegers(as: (UInt8, UInt8, UInt8, UInt8).self),
            let name = body.readString(length: Int(nameLength)),
            // The lowest bit says that a time of update, which only XDR uses, goes before the value.
            body.readSlice(length: flags & 1 == 0 ? 0 : 8) != nil
        else { return nil }
        return RequestOperation(
            kind: Operation.Kind(rawValue: kind),
            type: ParticleType(rawValue: type),
            binName: name,
            value: body
        )
    }
}
