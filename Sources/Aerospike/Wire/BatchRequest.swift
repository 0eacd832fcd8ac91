package import NIOCore

/// Calls on many records of one node, in one message (aerospike-server 8.1, base/batch.c).
package struct BatchRequest: Sendable {
    /// How the server is to go about it (base/batch.c, "Batch parent flags").
    package struct Flags: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Work on records in memory in the receiving thread.
        package static let inlineInMemory = Flags(rawValue: 0x1)
        /// The same for records on a device.
        package static let inlineOnDevice = Flags(rawValue: 0x2)
        /// Go on after a record that failed.
        package static let respondAllKeys = Flags(rawValue: 0x4)
    }

    /// Bits before each part (base/batch.c, "as_batch_input repeat (or not) flags").
    private enum Part {
        static let isRepeat: UInt8 = 0x1
        static let hasInfo: UInt8 = 0x2
        static let hasGeneration: UInt8 = 0x4
        static let hasExpiration: UInt8 = 0x8
    }

    /// The parts, each with the index by which the reply names it.
    package var parts: [(index: UInt32, request: RecordRequest)]
    package var flags: Flags
    package var filter: Exp<Bool>?

    package init(
        _ parts: [(index: UInt32, request: RecordRequest)],
        flags: Flags = [.inlineInMemory, .respondAllKeys],
        filter: Exp<Bool>? = nil
    ) {
        self.parts = parts
        self.flags = flags
        self.filter = filter
    }

    /// Writes the batch as one message.
    ///
    /// A part that asks the same of another record than the part before it is written as its digest alone.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/invalidArgument``; nothing is written then.
    package func write(into buffer: inout ByteBuffer, timeoutMilliseconds: UInt32) throws(AerospikeError) {
        guard !parts.isEmpty else { throw .invalid("A batch names at least one record.") }
        let start = buffer.beginMessage()
        var header = MessageHeader()
        header.read = .batch
        header.timeoutOrIndex = timeoutMilliseconds
        header.fieldCount = 1
        if let filter {
            buffer.writeField(.filter) { $0.writeBytes(filter.packed) }
            header.fieldCount += 1
        }
        let fieldStart = buffer.writerIndex
        buffer.writeInteger(UInt32(0))
        buffer.writeInteger(FieldType.batch.rawValue)
        buffer.writeInteger(UInt32(truncatingIfNeeded: parts.count))
        buffer.writeInteger(flags.rawValue)
        do {
            var previous: RecordRequest?
            for (index, request) in parts {
                buffer.writeInteger(index)
                buffer.writeDigest(request.key.digest)
                if let previous, request.asksTheSame(as: previous) {
                    buffer.writeInteger(Part.isRepeat)
                } else {
                    try write(request, into: &buffer)
                }
                previous = request
            }
        } catch {
            buffer.moveWriterIndex(to: start)
            throw error
        }
        buffer.setInteger(UInt32(truncatingIfNeeded: buffer.writerIndex - fieldStart - 4), at: fieldStart)
        buffer.endMessage(at: start, header: header)
    }

    private func write(_ request: RecordRequest, into buffer: inout ByteBuffer) throws(AerospikeError) {
        try request.check()
        let header = request.header
        var part = Part.hasInfo | Part.hasExpiration
        if request.isWrite {
            part |= Part.hasGeneration
        }
        buffer.writeInteger(part)
        buffer.writeInteger(header.read.rawValue)
        buffer.writeInteger(header.write.rawValue)
        buffer.writeInteger(header.info.rawValue)
        if request.isWrite {
            // A batch has 16 bits for it, which is also what a record keeps of it.
            buffer.writeInteger(UInt16(truncatingIfNeeded: header.generation))
        }
        buffer.writeInteger(header.expiration)
        let countsAt = buffer.writerIndex
        buffer.writeInteger(UInt16(0))
        buffer.writeInteger(header.operationCount)
        // The namespace is to be first; the digest went before.
        var fieldCount: UInt16 = 2
        buffer.writeField(.namespace, request.key.namespace)
        buffer.writeField(.set, request.key.setName)
        if request.sendsUserKey, let userKey = request.key.userKey {
            buffer.writeUserKey(userKey)
            fieldCount += 1
        }
        fieldCount += buffer.writeExtraFields(of: request)
        for operation in request.operations {
            try buffer.writeOperation(operation)
        }
        buffer.setInteger(fieldCount, at: countsAt)
    }
}

extension RecordRequest {
    /// Whether another record is asked the very same, so that a batch need not say it twice.
    fileprivate func asksTheSame(as other: RecordRequest) -> Bool {
        // A part that sends its own key differs in it.
        !sendsUserKey && !other.sendsUserKey && key.namespace == other.key.namespace
            && key.setName == other.key.setName && read == other.read && write == other.write && info == other.info
            && generation == other.generation && expiration == other.expiration && filter == other.filter
            && program == other.program && operations == other.operations
    }
}
