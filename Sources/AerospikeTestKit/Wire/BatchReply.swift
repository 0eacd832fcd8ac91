import Aerospike
package import NIOCore

/// The reply to a batch, put together from the answers to its parts.
package struct BatchReply: Sendable {
    /// How long a message grows before another is begun (aerospike-server 8.1, base/batch.c, `BATCH_BLOCK_SIZE`).
    private static let messageBytes = 128 * 1024

    private let flags: BatchRequest.Flags
    private var buffer = ByteBuffer()
    private var protoStart = 0
    private var code = ResultCode.ok

    /// The reply to a batch of these flags, which may have failed on the way.
    package init(to batch: BatchMessage) {
        flags = batch.flags
        code = batch.failure?.code ?? .ok
        protoStart = buffer.beginProto()
    }

    /// Adds the answer to the part of that index.
    package mutating func add(_ answer: RecordAnswer, index: UInt32) {
        if buffer.writerIndex - protoStart > BatchReply.messageBytes {
            buffer.endProto(at: protoStart)
            protoStart = buffer.beginProto()
        }
        buffer.writeMessage(answer, batchIndex: index)
        switch answer.code {
        case .ok, .notFound, .filteredOut: break
        default:
            // Unless told to go on, a server tells nothing but the failure, though it carries out every part.
            if !flags.contains(.respondAllKeys) {
                code = answer.code
            }
        }
    }

    /// The whole reply, with the message that ends it.
    package consuming func finish() -> ByteBuffer {
        if code != .ok {
            buffer.clear()
        } else if buffer.writerIndex - protoStart > ProtoHeader.byteCount {
            buffer.endProto(at: protoStart)
        } else {
            buffer.moveWriterIndex(to: protoStart)
        }
        buffer.writeReply(code, isLast: true)
        return buffer
    }
}
