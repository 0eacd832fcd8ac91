import Aerospike
import NIOCore

/// The reply to a query, put together record by record.
struct QueryReply {
    /// How long a message grows before another is begun (aerospike-server 8.1, query/query.c, `QUERY_CHUNK_LIMIT`).
    private static let messageBytes = 1024 * 1024

    private let isShort: Bool
    private var buffer = ByteBuffer()
    private var protoStart = 0

    init(isShort: Bool) {
        self.isShort = isShort
        protoStart = buffer.beginProto()
    }

    /// Says that a partition is not answered for.
    mutating func addFailure(ofPartition partitionID: Int, _ code: ResultCode) {
        var header = MessageHeader()
        header.info = .partitionDone
        header.resultCode = UInt8(truncatingIfNeeded: code.rawValue)
        header.generation = UInt32(truncatingIfNeeded: partitionID)
        buffer.writeMessageHeader(header)
    }

    /// Adds a record (base/proto.c, `as_msg_make_response_bufbuilder`).
    mutating func add(_ record: StoredRecord, indexedValue: Int64?, _ query: QueryMessage) {
        var bins = query.omitsBins ? [] : record.bins
        if !query.omitsBins, let names = query.binNames {
            bins = names.compactMap { name in record.bins.first { $0.name == name } }
            // A record with none of the bins that were asked for is left out.
            guard !bins.isEmpty else { return }
        }
        var header = MessageHeader()
        header.read = query.omitsBins ? .noBins : []
        header.generation = UInt32(record.generation)
        header.expiration = record.voidTime
        header.operationCount = UInt16(truncatingIfNeeded: bins.count)
        let key = record.key
        header.fieldCount = 2 + (key.setName.isEmpty ? 0 : 1) + (key.userKey == nil ? 0 : 1)
        header.fieldCount += indexedValue == nil ? 0 : 1
        buffer.writeMessageHeader(header)
        buffer.writeField(.namespace, key.namespace)
        buffer.writeField(.digest) { $0.writeDigest(key.digest) }
        if !key.setName.isEmpty {
            buffer.writeField(.set, key.setName)
        }
        if let userKey = key.userKey {
            buffer.writeUserKey(userKey)
        }
        if let indexedValue {
            buffer.writeField(.indexedValues) { $0.writeInteger(indexedValue, endianness: .little) }
        }
        for bin in bins {
            buffer.writePlace(.read, bin)
        }
        if buffer.writerIndex - protoStart > QueryReply.messageBytes {
            endProto()
            protoStart = buffer.beginProto()
        }
    }

    /// The whole reply, with the message that ends it.
    consuming func finish() -> ByteBuffer {
        if isShort {
            var header = MessageHeader()
            header.info = .last
            buffer.writeMessageHeader(header)
            endProto()
        } else {
            endProto()
            buffer.writeReply(.ok, isLast: true)
        }
        return buffer
    }

    /// Ends the message, or if there is nothing in it takes it back.
    private mutating func endProto() {
        if buffer.writerIndex - protoStart > ProtoHeader.byteCount {
            buffer.endProto(at: protoStart)
        } else {
            buffer.moveWriterIndex(to: protoStart)
        }
    }
}
