/// The 8 bytes before every message: a version, a kind and the length of what follows
/// (aerospike-server 8.1, base/proto.h, `as_proto`).
package struct ProtoHeader: Sendable, Hashable {
    /// The length of the header itself, in bytes.
    package static let byteCount = 8

    /// The only version there is.
    package static let version: UInt8 = 2

    /// What kind of message follows.
    package struct Kind: Sendable, Hashable, RawRepresentable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Names and values in text.
        package static let info = Kind(rawValue: 1)
        /// A message about users.
        package static let security = Kind(rawValue: 2)
        /// A request for records, or its reply.
        package static let message = Kind(rawValue: 3)
        /// Such a message compressed, which only the Enterprise Edition does, and only when asked.
        package static let compressedMessage = Kind(rawValue: 4)
    }

    package var kind: Kind
    package var bodyByteCount: Int

    package init(kind: Kind, bodyByteCount: Int) {
        self.kind = kind
        self.bodyByteCount = bodyByteCount
    }

    /// The header as the 64 bits that it is: 8 of version, 8 of kind, 48 of length.
    package var word: UInt64 {
        UInt64(ProtoHeader.version) << 56 | UInt64(kind.rawValue) << 48 | UInt64(bodyByteCount) & 0xffff_ffff_ffff
    }

    /// Reads a header out of its 64 bits.
    ///
    /// - Parameters:
    ///   - word: the 64 bits.
    ///   - bodyBytesMax: the longest body to accept, in bytes.
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply``, or ``ResultCode/unsupportedFeature`` for a
    ///   compressed message.
    package init(word: UInt64, bodyBytesMax: Int) throws(AerospikeError) {
        let version = UInt8(truncatingIfNeeded: word >> 56)
        guard version == ProtoHeader.version else {
            throw .malformed("version \(version) of the protocol instead of \(ProtoHeader.version)")
        }
        kind = Kind(rawValue: UInt8(truncatingIfNeeded: word >> 48))
        bodyByteCount = Int(word & 0xffff_ffff_ffff)
        switch kind {
        case .info, .security, .message: break
        case .compressedMessage:
            throw AerospikeError(
                .unsupportedFeature,
                "The server sent a compressed reply, which this client neither asks for nor reads."
            )
        default: throw .malformed("a message of kind \(kind.rawValue)")
        }
        guard bodyByteCount <= bodyBytesMax else {
            throw .malformed("a message of \(bodyByteCount) bytes, more than the \(bodyBytesMax) allowed")
        }
    }
}
