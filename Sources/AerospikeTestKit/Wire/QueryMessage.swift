package import Aerospike
package import NIOCore

/// A query as a server reads it out of a request's fields (aerospike-server 8.1, query/query.c).
package struct QueryMessage: Sendable, Hashable {
    /// Which query it is.
    package enum Purpose: Sendable, Hashable {
        /// Answers records.
        case records
        /// Applies the request's operations to each record.
        case operations
        /// Runs a program for each record.
        case program
    }

    /// What a secondary index is asked for.
    package struct Range: Sendable, Hashable {
        package var binName: String
        package var type: SecondaryIndex.ValueType
        /// The least and the greatest value; the same for text and bytes.
        package var first: Value
        package var last: Value
        /// The index's name; nil to find one by what it indexes.
        package var indexName: String?
        package var collection: IndexedCollection
        package var context: ByteBuffer?
        package var expression: ByteBuffer?

        /// Whether several values may be in it, so that a list with several of them is found more than once.
        package var isRange: Bool { first != last }

        /// Whether a value is in it.
        package func contains(_ value: Value) -> Bool {
            switch (value, first, last) {
            case (.integer(let value), .integer(let first), .integer(let last)): first <= value && value <= last
            default: value == first
            }
        }
    }

    /// A partition that is asked for.
    package struct Partition: Sendable, Hashable {
        package var id: Int
        /// The last record that was answered before, to go on after.
        package var resumption: QueryRequest.Resumption?
    }

    package var purpose: Purpose
    /// The set; empty for all records.
    package var setName: String
    /// The partitions, in the order of their numbers; nil for all that the node serves.
    package var partitions: [Partition]?
    package var range: Range?
    package var filter: ByteBuffer?
    /// The most records to answer; 0 for any number.
    package var recordsMax: UInt64
    /// The bins to answer; nil for all.
    package var binNames: [String]?
    package var omitsBins: Bool
    package var isShort: Bool
    package var taskID: UInt64

    /// Reads a query.
    ///
    /// - Parameter request: a request of the kind ``RequestMessage/Kind/query``.
    /// - Throws: ``Refusal`` with the code that a real server answers.
    package init(_ request: RequestMessage) throws(Refusal) {
        purpose = try QueryMessage.purpose(of: request)
        setName = request.setName
        isShort = request.header.read.contains(.shortQuery)
        omitsBins = request.header.read.contains(.noBins)
        filter = request.filter
        taskID = try request.integer(.taskID, as: UInt64.self) ?? 0
        recordsMax = 0
        guard setName.utf8.count <= AerospikeLimits.setNameBytesMax else {
            throw Refusal(.invalidRequest, "a set's name of \(setName.utf8.count) bytes")
        }
        if purpose == .records {
            guard request.header.info.contains(.partitionDone) else {
                throw Refusal(.unsupportedFeature, "a query that does not ask for each partition's end")
            }
            partitions = try QueryMessage.partitions(of: request)
        } else if isShort {
            throw Refusal(.invalidRequest, "a short query that writes")
        }
        range = try QueryMessage.range(of: request)
        if try request.integer(.recordsPerSecond, as: UInt32.self) != nil, isShort {
            throw Refusal(.invalidRequest, "a short query that is to be slow")
        }
        _ = try request.integer(.socketTimeout, as: UInt32.self)
        if purpose == .records {
            guard partitions != nil else { throw Refusal(.unsupportedFeature, "a query of no partitions") }
            recordsMax = try request.integer(.recordsMax, as: UInt64.self) ?? 0
            if request.fields.contains(where: { $0.type.rawValue == 40 }) {
                throw .unknown("the names of bins in a field, which only old clients send")
            }
            if !request.operations.isEmpty {
                binNames = request.operations.filter(\.hasValidBinName).map(\.binName)
            }
        }
        if let filter {
            do {
                try ExpressionEvaluator.check(filter)
            } catch {
                throw error.isUnknown ? error : Refusal(.invalidRequest, error.reason)
            }
        }
    }

    private static func purpose(of request: RequestMessage) throws(Refusal) -> Purpose {
        guard request.field(.udfPackage) != nil else { return request.isWrite ? .operations : .records }
        switch try request.integer(.udfOperation, as: UInt8.self) {
        case 1: throw .unknown("aggregations")
        case 2: return .program
        default: throw Refusal(.invalidRequest, "a program of no known purpose")
        }
    }

    private static func partitions(of request: RequestMessage) throws(Refusal) -> [Partition]? {
        var partitions: [Int: Partition] = [:]
        func add(_ partition: Partition) throws(Refusal) {
            guard partition.id < Digest.partitionCount,
                partitions.updateValue(partition, forKey: partition.id) == nil
            else { throw Refusal(.invalidRequest, "partition \(partition.id) is none, or asked for twice") }
        }
        if var ids = request.field(.partitionIDs) {
            guard (1...Digest.partitionCount).contains(ids.readableBytes / 2) else {
                throw Refusal(.invalidRequest, "no partitions, or too many")
            }
            while let id = ids.readInteger(endianness: .little, as: UInt16.self) {
                try add(Partition(id: Int(id)))
            }
        }
        var indexedValues = request.field(.indexedValues)
        if var digests = request.field(.digests) {
            let count = digests.readableBytes / Digest.byteCount
            guard (1...Digest.partitionCount).contains(count) else {
                throw Refusal(.invalidRequest, "no partitions, or too many")
            }
            if request.field(.indexRange) != nil, indexedValues?.readableBytes ?? 0 != count * 8 {
                throw Refusal(.invalidRequest, "digests without as many values")
            }
            while let digest = digests.readDigest() {
                let value = indexedValues?.readInteger(endianness: .little, as: UInt64.self) ?? 0
                let resumption = QueryRequest.Resumption(digest: digest, indexedValue: value)
                try add(Partition(id: digest.partitionID, resumption: resumption))
            }
        } else if indexedValues != nil {
            throw Refusal(.invalidRequest, "values without digests")
        }
        return partitions.isEmpty ? nil : partitions.values.sorted { $0.id < $1.id }
    }

    private static func range(of request: RequestMessage) throws(Refusal) -> Range? {
        guard let field = request.field(.indexRange) else { return nil }
        let indexName = try request.indexName()
        let expression = request.field(.indexExpression)
        guard indexName == nil || expression == nil else {
            throw Refusal(.invalidRequest, "an index by its name and by its expression")
        }
        var range = try bounds(field, isNamed: indexName != nil || expression != nil)
        range.indexName = indexName
        range.expression = expression
        range.context = request.field(.indexContext)
        if let type = request.field(.indexType) {
            guard let raw = type.getInteger(at: type.readerIndex, as: UInt8.self),
                let collection = IndexedCollection(rawValue: raw)
            else { throw Refusal(.invalidRequest, "an index of no known type") }
            range.collection = collection
        }
        guard range.context == nil || indexName == nil && expression == nil else {
            throw Refusal(.invalidRequest, "an index by its name or expression, and a way into the bin")
        }
        return range
    }

    private static func bounds(_ field: ByteBuffer, isNamed: Bool) throws(Refusal) -> Range {
        var bytes = field
        guard let (count, nameLength) = bytes.readMultipleIntegers(as: (UInt8, UInt8).self), count == 1,
            (nameLength == 0) == isNamed, nameLength <= AerospikeLimits.binNameBytesMax,
            let binName = bytes.readString(length: Int(nameLength)), let type = bytes.readInteger(as: UInt8.self),
            let first = bytes.readLengthPrefixedSlice(as: UInt32.self)
        else { throw Refusal(.invalidRequest, "a range that makes no sense") }
        func range(_ type: SecondaryIndex.ValueType, _ first: Value, _ last: Value) -> Range {
            Range(binName: binName, type: type, first: first, last: last, collection: .none)
        }
        switch ParticleType(rawValue: type) {
        case .integer:
            guard let last = bytes.readLengthPrefixedSlice(as: UInt32.self), first.readableBytes == 8,
                last.readableBytes == 8, let least = first.getInteger(at: first.readerIndex, as: Int64.self),
                let greatest = last.getInteger(at: last.readerIndex, as: Int64.self), least <= greatest
            else { throw Refusal(.invalidRequest, "a range of integers that makes no sense") }
            return range(.integer, .integer(least), .integer(greatest))
        case .string, .blob:
            guard first.readableBytes < SecondaryIndex.valueBytesMax else {
                throw Refusal(.invalidRequest, "a value of \(first.readableBytes) bytes to be found")
            }
            if type == ParticleType.blob.rawValue {
                return range(.blob, .blob(first), .blob(first))
            }
            guard let text = String(validating: first.readableBytesView, as: UTF8.self) else {
                throw .unknown("text that is not UTF-8")
            }
            return range(.string, .string(text), .string(text))
        case .geoJSON: throw .unknown("queries by place")
        default: throw Refusal(.invalidRequest, "a range of values of type \(type)")
        }
    }
}

extension RequestMessage {
    /// A field that holds one big-endian integer; nil if there is none.
    ///
    /// - Throws: ``Refusal`` if it is of another length.
    fileprivate func integer<Integer: FixedWidthInteger>(
        _ type: FieldType,
        as integer: Integer.Type
    ) throws(Refusal) -> Integer? {
        guard var field = field(type) else { return nil }
        guard field.readableBytes == MemoryLayout<Integer>.size, let value = field.readInteger(as: integer) else {
            throw Refusal(.invalidRequest, "\(field.readableBytes) bytes where a field has a number")
        }
        return value
    }

    fileprivate func indexName() throws(Refusal) -> String? {
        guard var field = field(.indexName) else { return nil }
        guard (1..<SecondaryIndex.nameBytesMax).contains(field.readableBytes) else {
            throw Refusal(.invalidRequest, "an index's name of \(field.readableBytes) bytes")
        }
        return field.readString(length: field.readableBytes)
    }
}
