package import Aerospike
package import NIOCore

/// A request for records as a server reads it: the header, the fields and the operations.
///
/// Every length is checked here, so that nothing behind it can run over the end of what arrived.
package struct RequestMessage: Sendable, Hashable {
    /// A field, as it arrived.
    package struct Field: Sendable, Hashable {
        package var type: FieldType
        package var bytes: ByteBuffer

        package init(_ type: FieldType, _ bytes: ByteBuffer) {
            self.type = type
            self.bytes = bytes
        }
    }

    /// What a request is about.
    package enum Kind: Sendable, Hashable {
        /// One record.
        case record
        /// The records that a field names one by one: see ``BatchMessage``.
        case batch
        /// The records of partitions: see ``QueryMessage``.
        case query
    }

    package var header: MessageHeader
    package var fields: [Field]
    package var operations: [RequestOperation]
    /// The record, where the request names none itself, as in a part of a batch.
    package var partDigest: Digest?

    package init(header: MessageHeader, fields: [Field], operations: [RequestOperation], partDigest: Digest? = nil) {
        self.header = header
        self.fields = fields
        self.operations = operations
        self.partDigest = partDigest
    }

    /// Reads the body of a message: what follows the 8 bytes of ``ProtoHeader``.
    ///
    /// - Throws: ``Refusal`` with the code that a real server answers; the connection may go on.
    package init(body: ByteBuffer) throws(Refusal) {
        var body = body
        header = try RequestMessage.readHeader(of: &body)
        fields = []
        operations = []
        for _ in 0..<header.fieldCount {
            guard let field = body.readRequestField() else {
                throw Refusal(.invalidRequest, "a field longer than its message")
            }
            fields.append(field)
        }
        // Only its fields are looked at in a batch (base/batch.c, `as_batch_queue_task`).
        guard !header.read.contains(.batch) else { return }
        for _ in 0..<header.operationCount {
            guard let operation = body.readRequestOperation() else {
                throw Refusal(.invalidRequest, "an operation longer than its message")
            }
            operations.append(operation)
        }
        guard body.readableBytes == 0 else {
            throw Refusal(.invalidRequest, "\(body.readableBytes) bytes after the last operation")
        }
    }

    /// Whether the body of a message says that it is a batch, whose refusals are marked as the last of a reply.
    package static func isBatch(body: ByteBuffer) -> Bool {
        guard let flags = body.getInteger(at: body.readerIndex + 1, as: UInt8.self) else { return false }
        return ReadFlags(rawValue: flags).contains(.batch)
    }

    private static func readHeader(of body: inout ByteBuffer) throws(Refusal) -> MessageHeader {
        do {
            guard let header = try body.messageHeader(at: body.readerIndex) else {
                throw Refusal(.invalidRequest, "\(body.readableBytes) bytes where a message's header belongs")
            }
            body.moveReaderIndex(forwardBy: MessageHeader.byteCount)
            return header
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(.invalidRequest, "\(error)")
        }
    }
}

// MARK: What the fields say

extension RequestMessage {
    /// What the request is about (aerospike-server 8.1, base/service.c and base/transaction.h).
    package var kind: Kind {
        if header.read.contains(.batch) {
            return .batch
        }
        return partDigest == nil && field(.digest) == nil ? .query : .record
    }

    /// The first field of a type.
    package func field(_ type: FieldType) -> ByteBuffer? {
        fields.first { $0.type == type }?.bytes
    }

    /// The namespace named; nil if none is, or not in UTF-8.
    package var namespace: String? {
        field(.namespace).flatMap(RequestMessage.text)
    }

    /// The set named; empty if none is.
    package var setName: String {
        field(.set).flatMap(RequestMessage.text) ?? ""
    }

    /// The record's digest; nil if none of the right length is given.
    package var digest: Digest? {
        partDigest ?? field(.digest).flatMap { Digest($0.readableBytesView) }
    }

    /// The partition of the record that is asked for.
    package var partitionID: Int? { digest?.partitionID }

    /// Whether it is for the master of the partition.
    package var isWrite: Bool { header.write.contains(.write) }

    /// The filter expression, packed.
    package var filter: ByteBuffer? { field(.filter) }

    /// The key that the application calls the record by, if it was sent.
    ///
    /// - Throws: ``Refusal`` if it is of no type that this node stores.
    package func userKey() throws(Refusal) -> UserKey? {
        guard var bytes = field(.userKey) else { return nil }
        guard let type = bytes.readInteger(as: UInt8.self) else {
            // rw_utils.c, `get_msg_key`.
            throw Refusal(.unsupportedFeature, "a key of no bytes")
        }
        switch ParticleType(rawValue: type) {
        case .integer:
            guard bytes.readableBytes == 8, let integer = bytes.readInteger(as: Int64.self) else {
                throw Refusal(
                    .unsupportedFeature,
                    "a key of \(bytes.readableBytes) bytes that is said to be an integer"
                )
            }
            return .integer(integer)
        case .string:
            guard let text = RequestMessage.text(bytes) else {
                throw .unknown("keys of text that is not UTF-8")
            }
            return .string(text)
        case .blob: return .blob(bytes)
        default: throw .unknown("keys of type \(type)")
        }
    }

    private static func text(_ bytes: ByteBuffer) -> String? {
        String(validating: bytes.readableBytesView, as: UTF8.self)
    }
}

extension ByteBuffer {
    /// Reads one field: the length of its rest, its type, its bytes; nil if its length is not right.
    mutating func readRequestField() -> RequestMessage.Field? {
        guard let length = readInteger(as: UInt32.self), length > 0, let type = readInteger(as: UInt8.self),
            let bytes = readSlice(length: Int(length) - 1)
        else { return nil }
        return RequestMessage.Field(FieldType(rawValue: type), bytes)
    }
}
