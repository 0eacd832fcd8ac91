package import NIOCore

/// Cuts what a node sends into messages, in whatever pieces it arrives.
///
/// It keeps no copy of what it has given out, waits for no more than one message at a time, and never looks at a byte
/// twice but for the headers of the message that is arriving. After it has thrown, the connection is of no more use.
package struct ReplyDecoder: Sendable {
    /// Something that arrived whole.
    package enum Frame: Sendable, Hashable {
        /// The body of an info reply.
        case info(ByteBuffer)
        /// The body of a reply about users.
        case security(ByteBuffer)
        /// A message; whether it is the last that its header of 8 bytes announced.
        ///
        /// The reply to a call on one record is one message. That to a batch or query goes on, over several headers, to
        /// the message that ``ReplyMessage/isLast``.
        case message(ReplyMessage, endsBody: Bool)
    }

    /// Where in a message the decoder has come to.
    private enum State: Sendable {
        /// Waits for 8 bytes. Can transition to `body` and `messages`.
        case header
        /// Waits for a whole body of text. Can transition to `header`.
        case body(ProtoHeader)
        /// Reads messages until so many bytes are used up. Can transition to `header`.
        case messages(remaining: Int, Scan)
    }

    /// How far into a message the lengths of its parts have been followed.
    private struct Scan: Sendable {
        var header: MessageHeader?
        /// Bytes known to belong to the message.
        var length = MessageHeader.byteCount
        var fieldsLeft = 0
        var operationsLeft = 0
    }

    private var state = State.header
    private var buffer = ByteBuffer()
    private let bodyBytesMax: Int

    /// A decoder at the beginning of a connection.
    ///
    /// - Parameter bodyBytesMax: the longest body to accept, in bytes.
    package init(bodyBytesMax: Int = AerospikeLimits.messageBytesMax) {
        self.bodyBytesMax = bodyBytesMax
    }

    /// How many bytes arrived that no frame was made of yet.
    package var bufferedBytes: Int { buffer.readableBytes }

    /// Whether a message has begun to arrive and is not whole.
    package var isMidMessage: Bool {
        if case .header = state { buffer.readableBytes > 0 } else { true }
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

    /// The next frame, or nil until more arrives.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply`` or ``ResultCode/unsupportedFeature``.
    package mutating func next() throws(AerospikeError) -> Frame? {
        while true {
            switch state {
            case .header:
                guard let word = buffer.readInteger(as: UInt64.self) else {
                    // The channel reads into it again if nobody else has it.
                    if buffer.readableBytes == 0 {
                        buffer = ByteBuffer()
                    }
                    return nil
                }
                let header = try ProtoHeader(word: word, bodyBytesMax: bodyBytesMax)
                if header.kind == .message {
                    guard header.bodyByteCount >= MessageHeader.byteCount else {
                        throw .malformed("a message of \(header.bodyByteCount) bytes, fewer than its header has")
                    }
                    state = .messages(remaining: header.bodyByteCount, Scan())
                } else {
                    state = .body(header)
                }
            case .body(let header):
                guard let body = buffer.readSlice(length: header.bodyByteCount) else { return nil }
                state = .header
                return header.kind == .info ? .info(body) : .security(body)
            case .messages(let remaining, var scan):
                let isWhole = try advance(&scan, remaining: remaining)
                guard isWhole, let header = scan.header, var body = buffer.readSlice(length: scan.length) else {
                    state = .messages(remaining: remaining, scan)
                    return nil
                }
                body.moveReaderIndex(forwardBy: MessageHeader.byteCount)
                let remaining = remaining - scan.length
                state = remaining == 0 ? .header : .messages(remaining: remaining, Scan())
                return .message(ReplyMessage(header: header, body: body), endsBody: remaining == 0)
            }
        }
    }

    /// Follows the lengths of a message's parts as far as they have arrived; true when the whole message has.
    private func advance(_ scan: inout Scan, remaining: Int) throws(AerospikeError) -> Bool {
        let start = buffer.readerIndex
        if scan.header == nil {
            guard remaining >= MessageHeader.byteCount else {
                throw .malformed("\(remaining) bytes left where a message's header belongs")
            }
            guard let header = try buffer.messageHeader(at: start) else { return false }
            scan.header = header
            scan.fieldsLeft = Int(header.fieldCount)
            scan.operationsLeft = Int(header.operationCount)
        }
        while scan.fieldsLeft + scan.operationsLeft > 0 {
            // Every part begins with the length of its rest.
            guard scan.length + 4 <= remaining else { throw .malformed("a message longer than was announced") }
            guard let length = buffer.getInteger(at: start + scan.length, as: UInt32.self) else { return false }
            // A field has its type, an operation its kind, type, flags and name's length.
            guard length >= (scan.fieldsLeft > 0 ? 1 : 4), scan.length + 4 + Int(length) <= remaining else {
                throw .malformed("a part of \(length) bytes in a message that has \(remaining - scan.length) left")
            }
            scan.length += 4 + Int(length)
            if scan.fieldsLeft > 0 {
                scan.fieldsLeft -= 1
            } else {
                scan.operationsLeft -= 1
            }
        }
        return buffer.readableBytes >= scan.length
    }
}
