package import NIOCore

/// The 22 bytes at the head of a request or reply (aerospike-server 8.1, base/proto.h, `as_msg`).
package struct MessageHeader: Sendable, Hashable {
    /// The length of the header, in bytes, which is also its first byte.
    package static let byteCount = 22

    package var read: ReadFlags = []
    package var write: WriteFlags = []
    package var info: InfoFlags = []
    package var transaction: UInt8 = 0
    package var resultCode: UInt8 = 0
    package var generation: UInt32 = 0
    /// In a request the record's time to live, in seconds; in a reply the time at which it ends, in seconds of the
    /// server's epoch.
    package var expiration: UInt32 = 0
    /// In a request the time left for it, in milliseconds; in a batch's reply the record's place in the batch.
    package var timeoutOrIndex: UInt32 = 0
    package var fieldCount: UInt16 = 0
    package var operationCount: UInt16 = 0

    package init() {}
}

/// What a request reads (`as_msg.info1`).
package struct ReadFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// It reads.
    package static let read = ReadFlags(rawValue: 1 << 0)
    /// Every bin.
    package static let allBins = ReadFlags(rawValue: 1 << 1)
    /// A query that is expected to find little.
    package static let shortQuery = ReadFlags(rawValue: 1 << 2)
    /// A batch.
    package static let batch = ReadFlags(rawValue: 1 << 3)
    /// No bins, only what is known about the record.
    package static let noBins = ReadFlags(rawValue: 1 << 5)
    /// Ask every replica while partitions move (available namespaces).
    package static let consistencyAll = ReadFlags(rawValue: 1 << 6)
}

/// What a request writes (`as_msg.info2`).
package struct WriteFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// It writes.
    package static let write = WriteFlags(rawValue: 1 << 0)
    /// It deletes the record.
    package static let delete = WriteFlags(rawValue: 1 << 1)
    /// Only if the record has the generation given.
    package static let generation = WriteFlags(rawValue: 1 << 2)
    /// Only if the generation given is newer than the record's.
    package static let generationNewer = WriteFlags(rawValue: 1 << 3)
    /// A delete leaves a tombstone (Enterprise Edition).
    package static let durableDelete = WriteFlags(rawValue: 1 << 4)
    /// Only if there is no such record.
    package static let createOnly = WriteFlags(rawValue: 1 << 5)
    /// A long query that need not be exact while partitions move.
    package static let relaxLongQuery = WriteFlags(rawValue: 1 << 6)
    /// Every operation has its place in the reply, in the order of the request.
    package static let respondAllOperations = WriteFlags(rawValue: 1 << 7)
}

/// The rest of what a request or reply says of itself (`as_msg.info3`).
package struct InfoFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The last message of a reply of many.
    package static let last = InfoFlags(rawValue: 1 << 0)
    /// Answer when the master has written, before its replicas have.
    package static let commitMaster = InfoFlags(rawValue: 1 << 1)
    /// In a query's reply: a partition is done.
    ///
    /// In its request: tell so.
    package static let partitionDone = InfoFlags(rawValue: 1 << 2)
    /// Only if there is such a record.
    package static let updateOnly = InfoFlags(rawValue: 1 << 3)
    /// Create the record, or put it in the place of the one there is.
    package static let createOrReplace = InfoFlags(rawValue: 1 << 4)
    /// Put the record in the place of the one there is, which must be.
    package static let replaceOnly = InfoFlags(rawValue: 1 << 5)
    /// One of two bits that choose how a strongly consistent namespace is read.
    package static let strongReadType = InfoFlags(rawValue: 1 << 6)
    /// The other of those two bits.
    package static let strongReadRelax = InfoFlags(rawValue: 1 << 7)
}

extension ByteBuffer {
    /// Leaves room for the two headers of a message and tells where it begins.
    package mutating func beginMessage() -> Int {
        let start = writerIndex
        writeRepeatingByte(0, count: ProtoHeader.byteCount + MessageHeader.byteCount)
        return start
    }

    /// Writes the two headers of the message that began at `start` and ends here.
    package mutating func endMessage(at start: Int, header: MessageHeader) {
        let body = writerIndex - start - ProtoHeader.byteCount
        setInteger(ProtoHeader(kind: .message, bodyByteCount: body).word, at: start)
        setMessageHeader(header, at: start + ProtoHeader.byteCount)
    }

    private mutating func setMessageHeader(_ header: MessageHeader, at index: Int) {
        let flags =
            UInt64(UInt8(MessageHeader.byteCount)) << 56 | UInt64(header.read.rawValue) << 48
            | UInt64(header.write.rawValue) << 40 | UInt64(header.info.rawValue) << 32
            | UInt64(header.transaction) << 24 | UInt64(header.resultCode) << 16
            | UInt64(header.generation >> 16)
        setMultipleIntegers(
            flags,
            UInt16(truncatingIfNeeded: header.generation),
            header.expiration,
            header.timeoutOrIndex,
            header.fieldCount,
            header.operationCount,
            at: index
        )
    }

    /// Reads a header of 22 bytes; nil if there are fewer.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply`` if it says that it is of another length.
    package func messageHeader(at index: Int) throws(AerospikeError) -> MessageHeader? {
        guard
            let (flags, generationLow, expiration, timeoutOrIndex, fieldCount, operationCount) = getMultipleIntegers(
                at: index,
                as: (UInt64, UInt16, UInt32, UInt32, UInt16, UInt16).self
            )
        else { return nil }
        guard flags >> 56 == MessageHeader.byteCount else {
            throw .malformed("a header of \(flags >> 56) bytes instead of \(MessageHeader.byteCount)")
        }
        var header = MessageHeader()
        header.read = ReadFlags(rawValue: UInt8(truncatingIfNeeded: flags >> 48))
        header.write = WriteFlags(rawValue: UInt8(truncatingIfNeeded: flags >> 40))
        header.info = InfoFlags(rawValue: UInt8(truncatingIfNeeded: flags >> 32))
        header.transaction = UInt8(truncatingIfNeeded: flags >> 24)
        header.resultCode = UInt8(truncatingIfNeeded: flags >> 16)
        header.generation = UInt32(truncatingIfNeeded: flags & 0xffff) << 16 | UInt32(generationLow)
        header.expiration = expiration
        header.timeoutOrIndex = timeoutOrIndex
        header.fieldCount = fieldCount
        header.operationCount = operationCount
        return header
    }
}
