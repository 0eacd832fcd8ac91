import Aerospike
package import NIOCore

/// Cuts what a client sends into requests, in whatever pieces it arrives.
///
/// After it has thrown, a real server closes the connection (aerospike-server 8.1, base/service.c, `process_readable`).
package struct RequestFramer: Sendable {
    /// A request that arrived whole: the bytes behind its 8 bytes of header.
    package enum Frame: Sendable, Hashable {
        /// Names of values in text.
        case info(ByteBuffer)
        /// A message about users.
        case security(ByteBuffer)
        /// A request for records.
        case message(ByteBuffer)
        /// Such a request compressed, which the Community Edition refuses.
        case compressed
    }

    /// Why a server closes the connection.
    package enum Violation: Error, Sendable, Hashable {
        /// Another version of the protocol, or not the protocol at all.
        case version(UInt8)
        /// A type of message that there is not.
        case type(UInt8)
        /// A message longer than allowed, in bytes.
        case length(Int)
    }

    private var buffer = ByteBuffer()
    private let bodyBytesMax: Int

    /// A framer at the beginning of a connection.
    ///
    /// - Parameter bodyBytesMax: the longest body to accept, in bytes.
    package init(bodyBytesMax: Int = AerospikeLimits.messageBytesMax) {
        self.bodyBytesMax = bodyBytesMax
    }

    /// How many bytes arrived that no frame was made of yet.
    package var bufferedBytes: Int { buffer.readableBytes }

    /// Whether a request is there whole, or something that ends the connection.
    package var hasFrame: Bool {
        guard let word = buffer.getInteger(at: buffer.readerIndex, as: UInt64.self) else { return false }
        guard (try? RequestFramer.check(word, bodyBytesMax: bodyBytesMax)) != nil else { return true }
        return buffer.readableBytes - ProtoHeader.byteCount >= Int(word & 0xffff_ffff_ffff)
    }

    /// Takes in what arrived.
    package mutating func feed(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            buffer.discardReadBytes()
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The next request, or nil until more arrives.
    package mutating func next() throws(Violation) -> Frame? {
        guard let word = buffer.getInteger(at: buffer.readerIndex, as: UInt64.self) else { return nil }
        try RequestFramer.check(word, bodyBytesMax: bodyBytesMax)
        let length = Int(word & 0xffff_ffff_ffff)
        guard buffer.readableBytes - ProtoHeader.byteCount >= length else { return nil }
        buffer.moveReaderIndex(forwardBy: ProtoHeader.byteCount)
        guard let body = buffer.readSlice(length: length) else { return nil }
        switch ProtoHeader.Kind(rawValue: UInt8(truncatingIfNeeded: word >> 48)) {
        case .info: return .info(body)
        case .security: return .security(body)
        case .message: return .message(body)
        default: return .compressed
        }
    }

    private static func check(_ word: UInt64, bodyBytesMax: Int) throws(Violation) {
        let version = UInt8(truncatingIfNeeded: word >> 56)
        let kind = ProtoHeader.Kind(rawValue: UInt8(truncatingIfNeeded: word >> 48))
        // Old clients send messages about users as version 0.
        guard version == ProtoHeader.version || version == 0 && kind == .security else { throw .version(version) }
        switch kind {
        case .info, .security, .message, .compressedMessage: break
        default: throw .type(kind.rawValue)
        }
        let length = Int(word & 0xffff_ffff_ffff)
        guard length <= bodyBytesMax else { throw .length(length) }
    }
}
