package import NIOCore

/// One message of a reply: its header, and its fields and operations as the bytes that they are.
package struct ReplyMessage: Sendable, Hashable {
    package var header: MessageHeader
    /// The fields and operations, whose lengths are checked already.
    package var body: ByteBuffer

    package init(header: MessageHeader, body: ByteBuffer) {
        self.header = header
        self.body = body
    }

    /// What it says the call, or this record of it, came to.
    package var resultCode: ResultCode { ResultCode(rawValue: Int(header.resultCode)) }

    /// Whether it ends a reply of many messages.
    package var isLast: Bool { header.info.contains(.last) }

    /// The partition that it says something about, in a query's reply: that the node does not serve it.
    ///
    /// The number is in the place of the generation (aerospike-server 8.1, base/proto.c, `as_msg_pid_done_bufbuilder`).
    package var donePartitionID: UInt32? {
        header.info.contains(.partitionDone) ? header.generation : nil
    }

    /// The record's place in the batch, in a batch's reply.
    package var batchIndex: UInt32 { header.timeoutOrIndex }

    /// The record, whichever way it was asked for.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply``.
    package func record() throws(AerospikeError) -> Record {
        var body = body
        try skipFields(of: &body)
        var record = Record(
            bins: [],
            generation: header.generation,
            voidTimeSeconds: header.expiration
        )
        record.bins.reserveCapacity(Int(header.operationCount))
        for _ in 0..<header.operationCount {
            record.bins.append(try readBin(from: &body))
        }
        return record
    }

    /// The record that answers a request: one bin for each operation, where the request promises that.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply``.
    package func record(answering request: RecordRequest) throws(AerospikeError) -> Record {
        var record = try record()
        guard request.answersEachOperation else { return record }
        var answers = record.bins[...]
        record.bins = request.operations.map { operation in
            // A touch has no place in the reply (aerospike-server 8.1, transaction/write.c), and a single read of what
            // does not exist has none either.
            let hasAnswer = operation.kind != .touch && !answers.isEmpty
            return hasAnswer ? answers.removeFirst() : Bin(operation.binName, .null)
        }
        let placeCount = request.operations.count { $0.kind != .touch }
        let isSilentRead = header.operationCount == 0 && placeCount == 1 && !request.isWrite
        guard header.operationCount == placeCount || isSilentRead else {
            throw .malformed("\(header.operationCount) answers to \(placeCount) operations")
        }
        return record
    }

    /// The key that a query's reply names its record by.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply`` if it names no digest.
    package func key() throws(AerospikeError) -> (key: Key, indexedValue: UInt64?) {
        var namespace = ""
        var setName = ""
        var digest: Digest?
        var userKey: UserKey?
        var indexedValue: UInt64?
        var body = body
        for _ in 0..<header.fieldCount {
            var (type, field) = try readField(from: &body)
            switch type {
            case .namespace: namespace = field.readString(length: field.readableBytes) ?? ""
            case .set: setName = field.readString(length: field.readableBytes) ?? ""
            case .digest: digest = field.readDigest()
            case .indexedValues: indexedValue = field.readInteger(endianness: .little)
            case .userKey:
                guard let particle = field.readInteger(as: UInt8.self) else { throw .malformed("a key without a type") }
                switch try field.readParticle(ParticleType(rawValue: particle)) {
                case .integer(let integer): userKey = .integer(integer)
                case .string(let string): userKey = .string(string)
                case .blob(let bytes): userKey = .blob(bytes)
                default: break
                }
            default: break
            }
        }
        guard let digest else { throw .malformed("a record without a digest") }
        return (Key(namespace: namespace, set: setName, digest: digest, userKey: userKey), indexedValue)
    }

    private func skipFields(of body: inout ByteBuffer) throws(AerospikeError) {
        for _ in 0..<header.fieldCount {
            _ = try readField(from: &body)
        }
    }

    private func readField(from body: inout ByteBuffer) throws(AerospikeError) -> (FieldType, ByteBuffer) {
        guard let length = body.readInteger(as: UInt32.self), length > 0, let type = body.readInteger(as: UInt8.self),
            let data = body.readSlice(length: Int(length) - 1)
        else { throw .malformed("a field longer than its message") }
        return (FieldType(rawValue: type), data)
    }

    private func readBin(from body: inout ByteBuffer) throws(AerospikeError) -> Bin {
        guard let length = body.readInteger(as: UInt32.self), var operation = body.readSlice(length: Int(length)),
            let (_, type, flags, nameLength) = operation.readMultipleIntegers(
                as: (UInt8, UInt8, UInt8, UInt8).self
            ),
            let name = operation.readString(length: Int(nameLength)),
            // The lowest bit says that a time of update, which only XDR uses, goes before the value.
            operation.readSlice(length: flags & 1 == 0 ? 0 : 8) != nil
        else { throw .malformed("an operation longer than its message") }
        return Bin(name, try operation.readParticle(ParticleType(rawValue: type)))
    }
}
