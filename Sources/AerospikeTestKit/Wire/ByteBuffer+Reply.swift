package import Aerospike
package import NIOCore

extension ByteBuffer {
    /// Writes the answer to a call on one record as a message of its own.
    package mutating func writeReply(_ answer: RecordAnswer) {
        let start = beginProto()
        writeMessage(answer, batchIndex: 0)
        endProto(at: start)
    }

    /// Writes an empty message as a reply of its own: a refusal, or what ends a reply of many messages.
    package mutating func writeReply(_ code: ResultCode, isLast: Bool) {
        var header = MessageHeader()
        header.resultCode = UInt8(truncatingIfNeeded: code.rawValue)
        header.info = isLast ? .last : []
        let start = beginProto()
        writeMessageHeader(header)
        endProto(at: start)
    }

    /// Leaves room for the 8 bytes before messages and tells where they are.
    mutating func beginProto() -> Int {
        let start = writerIndex
        writeInteger(UInt64(0))
        return start
    }

    /// Writes the 8 bytes before the messages that began at `start` and end here.
    mutating func endProto(at start: Int) {
        let body = writerIndex - start - ProtoHeader.byteCount
        setInteger(ProtoHeader(kind: .message, bodyByteCount: body).word, at: start)
    }

    /// Writes the answer as one message among others.
    mutating func writeMessage(_ answer: RecordAnswer, batchIndex: UInt32) {
        var header = MessageHeader()
        header.resultCode = UInt8(truncatingIfNeeded: answer.code.rawValue)
        header.generation = answer.generation
        header.expiration = answer.voidTime
        header.timeoutOrIndex = batchIndex
        header.operationCount = UInt16(truncatingIfNeeded: answer.places.count)
        writeMessageHeader(header)
        for place in answer.places {
            writePlace(place.kind, place.bin)
        }
    }

    /// Writes an operation as replies hold it.
    mutating func writePlace(_ kind: Operation.Kind, _ bin: Bin) {
        let start = writerIndex
        writeMultipleIntegers(
            UInt32(0),
            kind.rawValue,
            bin.value.particleType.rawValue,
            UInt8(0),
            UInt8(truncatingIfNeeded: bin.name.utf8.count)
        )
        writeString(bin.name)
        writeParticle(bin.value)
        setInteger(UInt32(truncatingIfNeeded: writerIndex - start - 4), at: start)
    }

    /// Writes the 22 bytes at the head of a message.
    mutating func writeMessageHeader(_ header: MessageHeader) {
        writeMultipleIntegers(
            UInt8(MessageHeader.byteCount),
            header.read.rawValue,
            header.write.rawValue,
            header.info.rawValue,
            header.transaction,
            header.resultCode,
            header.generation,
            header.expiration,
            header.timeoutOrIndex,
            header.fieldCount,
            header.operationCount
        )
    }
}
