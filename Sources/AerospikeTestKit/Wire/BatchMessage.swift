package import Aerospike
import NIOCore

/// The parts of a batch as a server reads them (aerospike-server 8.1, base/batch.c).
///
/// Each part is a request of its own, so that parts may be answered by different nodes; ``BatchReply`` puts the answers
/// together.
package struct BatchMessage: Sendable {
    /// One call of the batch.
    package struct Part: Sendable {
        /// By which the reply names it.
        package var index: UInt32
        package var request: RequestMessage
    }

    /// The parts up to the first that makes no sense.
    package private(set) var parts: [Part] = []
    /// Why the parts after ``parts`` are missing: they are carried out, but the reply tells only of this.
    package private(set) var failure: Refusal?
    package let flags: BatchRequest.Flags

    /// Reads the parts of a batch.
    ///
    /// - Parameters:
    ///   - message: a request of the kind ``RequestMessage/Kind/batch``.
    ///   - partsMax: the most parts, batch-max-requests of the server's configuration; 0 for any number.
    ///   - knowsNamespace: whether the node has a namespace of that name.
    /// - Throws: ``Refusal`` if nothing of the batch is to be carried out.
    package init(
        _ message: RequestMessage,
        partsMax: Int = 5000,
        knowsNamespace: (String) -> Bool
    ) throws(Refusal) {
        let field = message.fields.last { $0.type == .batch || $0.type == BatchMessage.fieldWithSet }
        guard var bytes = field?.bytes, let count = bytes.readInteger(as: UInt32.self),
            let flags = bytes.readInteger(as: UInt8.self), count > 0
        else { throw Refusal(.invalidRequest, "a batch of no parts") }
        guard partsMax == 0 || count <= partsMax else {
            throw Refusal(.batchTooLarge, "a batch of \(count) parts")
        }
        self.flags = BatchRequest.Flags(rawValue: flags)
        if let filter = message.filter {
            do {
                try ExpressionEvaluator.check(filter)
            } catch {
                throw error.isUnknown ? error : Refusal(.invalidRequest, error.reason)
            }
        }
        var previous: RequestMessage?
        do {
            while parts.count < count {
                let (part, request) = try BatchMessage.readPart(
                    from: &bytes,
                    after: previous,
                    of: message,
                    knowsNamespace: knowsNamespace
                )
                parts.append(part)
                previous = request
            }
        } catch {
            failure = error
        }
    }

    /// An older form of the field, with the sets in the parts, as every batch has them now.
    private static let fieldWithSet = FieldType(rawValue: 42)

    /// Bits before each part (base/batch.c, "as_batch_input repeat (or not) flags").
    private enum Flag {
        static let isRepeat: UInt8 = 0x1
        static let hasInfo: UInt8 = 0x2
        static let hasGeneration: UInt8 = 0x4
        static let hasExpiration: UInt8 = 0x8
        static let hasTransaction: UInt8 = 0x10
    }

    private static func readPart(
        from bytes: inout ByteBuffer,
        after previous: RequestMessage?,
        of message: RequestMessage,
        knowsNamespace: (String) -> Bool
    ) throws(Refusal) -> (Part, RequestMessage) {
        guard let index = bytes.readInteger(as: UInt32.self), let digest = bytes.readDigest(),
            let flags = bytes.readInteger(as: UInt8.self)
        else { throw Refusal(.invalidRequest, "a batch of fewer parts than it says") }
        var request: RequestMessage
        if flags & Flag.isRepeat != 0 {
            guard let previous else { throw Refusal(.invalidRequest, "a first part that repeats the one before") }
            guard previous.field(.userKey) == nil else {
                throw Refusal(.invalidRequest, "a part that repeats another's key")
            }
            request = previous
        } else {
            guard let read = bytes.readPartRequest(flags: flags, of: message) else {
                throw Refusal(.invalidRequest, "a part longer than its batch")
            }
            guard read.fields.first?.type == .namespace, let namespace = read.namespace, knowsNamespace(namespace)
            else { throw Refusal(.invalidRequest, "a part of a batch for an unknown namespace") }
            request = read
        }
        request.partDigest = digest
        return (Part(index: index, request: request), request)
    }

    fileprivate static func header(
        of bytes: inout ByteBuffer,
        flags: UInt8,
        message: RequestMessage
    ) -> MessageHeader? {
        var header = MessageHeader()
        guard let read = bytes.readInteger(as: UInt8.self) else { return nil }
        // Answers to parts are never compressed and never for XDR.
        header.read = ReadFlags(rawValue: read & 0x6f)
        header.info = message.header.info.intersection([.strongReadType, .strongReadRelax])
        if flags & Flag.hasInfo != 0 {
            guard let (write, info) = bytes.readMultipleIntegers(as: (UInt8, UInt8).self) else { return nil }
            header.write = WriteFlags(rawValue: write)
            header.info = InfoFlags(rawValue: info)
        }
        if flags & Flag.hasTransaction != 0 {
            guard let transaction = bytes.readInteger(as: UInt8.self) else { return nil }
            header.transaction = transaction
        }
        if flags & Flag.hasGeneration != 0 {
            guard let generation = bytes.readInteger(as: UInt16.self) else { return nil }
            header.generation = UInt32(generation)
        }
        if flags & Flag.hasExpiration != 0 {
            guard let expiration = bytes.readInteger(as: UInt32.self) else { return nil }
            header.expiration = expiration
        }
        guard let (fields, operations) = bytes.readMultipleIntegers(as: (UInt16, UInt16).self) else { return nil }
        header.timeoutOrIndex = message.header.timeoutOrIndex
        // Old clients say that there is no field and send the namespace all the same.
        header.fieldCount = max(1, fields)
        header.operationCount = operations
        return header
    }
}

extension ByteBuffer {
    /// Reads a part that does not repeat another; nil if it is longer than its batch.
    fileprivate mutating func readPartRequest(flags: UInt8, of message: RequestMessage) -> RequestMessage? {
        guard let header = BatchMessage.header(of: &self, flags: flags, message: message) else { return nil }
        var request = RequestMessage(header: header, fields: [], operations: [])
        for _ in 0..<header.fieldCount {
            guard let field = readRequestField() else { return nil }
            request.fields.append(field)
        }
        for _ in 0..<header.operationCount {
            guard let operation = readRequestOperation() else { return nil }
            request.operations.append(operation)
        }
        // A filter of the whole batch is for every part that has none of its own.
        if let filter = message.filter, request.filter == nil {
            request.fields.append(RequestMessage.Field(.filter, filter))
        }
        return request
    }
}
