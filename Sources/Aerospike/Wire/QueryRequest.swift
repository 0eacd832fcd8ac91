package import NIOCore

/// A query of some partitions of a namespace, by its primary index or a secondary one.
package struct QueryRequest: Sendable {
    /// What a secondary index is asked for.
    package struct Range: Sendable, Hashable {
        /// The name of the bin; empty if the index is named instead.
        package var binName: String
        /// The name of the index; empty to find one by the bin.
        package var indexName: String
        /// The least and the greatest value, both included: integers, or the same string or blob twice.
        package var bounds: (Value, Value)
        /// What of a list or map is indexed.
        package var collection: IndexedCollection
        /// Where inside the bin the indexed value is.
        package var context: [CollectionContext]

        package init(
            bin binName: String,
            from first: Value,
            through last: Value,
            indexName: String = "",
            collection: IndexedCollection = .none,
            context: [CollectionContext] = []
        ) {
            self.binName = binName
            self.indexName = indexName
            bounds = (first, last)
            self.collection = collection
            self.context = context
        }

        package static func == (left: Range, right: Range) -> Bool {
            left.binName == right.binName && left.indexName == right.indexName && left.bounds == right.bounds
                && left.collection == right.collection && left.context == right.context
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(binName)
            hasher.combine(indexName)
            hasher.combine(bounds.0)
            hasher.combine(bounds.1)
        }
    }

    /// A partition to go on with after a record that arrived already.
    package struct Resumption: Sendable, Hashable {
        package var digest: Digest
        /// The indexed value of that record, for a query by a secondary index.
        package var indexedValue: UInt64

        package init(digest: Digest, indexedValue: UInt64 = 0) {
            self.digest = digest
            self.indexedValue = indexedValue
        }
    }

    package var namespace: String
    package var setName: String
    package var taskID: UInt64
    /// Partitions from their beginning.
    package var partitionIDs: [UInt16] = []
    /// Partitions to go on with.
    package var resumptions: [Resumption] = []
    package var range: Range?
    package var filter: Exp<Bool>?
    /// The bins to return: nil for all, none for only what is known about the records.
    package var binNames: [String]?
    package var recordsMax: UInt64 = 0
    package var recordsPerSecond: UInt32 = 0
    package var socketTimeoutMilliseconds: UInt32 = 30_000
    package var isShort = false

    package init(namespace: String, set setName: String = "", taskID: UInt64) {
        self.namespace = namespace
        self.setName = setName
        self.taskID = taskID
    }

    /// Writes the query as one message.
    ///
    /// Servers of version 6 and later ask for the partitions and for `PARTITION_DONE` in the third byte of flags, and
    /// answer 16 without them (aerospike-server 8.1, query/query.c).
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/invalidArgument``; nothing is written then.
    package func write(into buffer: inout ByteBuffer, timeoutMilliseconds: UInt32) throws(AerospikeError) {
        try Key.check(namespace: namespace, setName: setName)
        guard !(partitionIDs.isEmpty && resumptions.isEmpty) else {
            throw .invalid("A query names at least one partition.")
        }
        let start = buffer.beginMessage()
        var header = MessageHeader()
        header.read = isShort ? [.read, .shortQuery] : .read
        header.info = .partitionDone
        header.timeoutOrIndex = timeoutMilliseconds
        header.fieldCount = writeFields(into: &buffer)
        if let binNames {
            if binNames.isEmpty {
                header.read.formUnion(.noBins)
            }
            do {
                for name in binNames {
                    try buffer.writeOperation(.get(name))
                }
            } catch {
                buffer.moveWriterIndex(to: start)
                throw error
            }
            header.operationCount = UInt16(truncatingIfNeeded: binNames.count)
        }
        buffer.endMessage(at: start, header: header)
    }

    /// Writes the fields that say which records are wanted, and tells how many they are.
    func writeFields(into buffer: inout ByteBuffer) -> UInt16 {
        var count: UInt16 = 0
        func field(_ body: (inout ByteBuffer) -> Void) {
            body(&buffer)
            count += 1
        }
        field { $0.writeField(.namespace, namespace) }
        if !setName.isEmpty {
            field { $0.writeField(.set, setName) }
        }
        field { $0.writeField(.taskID, taskID) }
        if let range {
            if range.collection != .none {
                field { $0.writeField(.indexType, range.collection.rawValue) }
            }
            field { $0.writeField(.indexRange) { $0.writeIndexRange(range) } }
            if !range.context.isEmpty {
                field { $0.writeField(.indexContext) { $0.packContext(range.context) } }
            }
            if !range.indexName.isEmpty {
                field { $0.writeField(.indexName, range.indexName) }
            }
        }
        if !partitionIDs.isEmpty {
            field { buffer in
                buffer.writeField(.partitionIDs) { buffer in
                    for id in partitionIDs { buffer.writeInteger(id, endianness: .little) }
                }
            }
        }
        if !resumptions.isEmpty {
            field { buffer in
                buffer.writeField(.digests) { buffer in
                    for resumption in resumptions { buffer.writeDigest(resumption.digest) }
                }
            }
            if range != nil {
                field { buffer in
                    buffer.writeField(.indexedValues) { buffer in
                        for resumption in resumptions {
                            buffer.writeInteger(resumption.indexedValue, endianness: .little)
                        }
                    }
                }
            }
        }
        if recordsMax > 0 {
            field { $0.writeField(.recordsMax, recordsMax) }
        }
        if recordsPerSecond > 0 {
            field { $0.writeField(.recordsPerSecond, recordsPerSecond) }
        }
        field { $0.writeField(.socketTimeout, socketTimeoutMilliseconds) }
        if let filter {
            field { $0.writeField(.filter) { $0.writeBytes(filter.packed) } }
        }
        return count
    }
}

/// What of a list or map a secondary index covers (aerospike-server 8.1, sindex/sindex.h, `as_sindex_type`).
public enum IndexedCollection: UInt8, Sendable, Hashable {
    /// The bin's value itself.
    case none = 0
    /// The elements of a list.
    case listElements = 1
    /// The keys of a map.
    case mapKeys = 2
    /// The values of a map.
    case mapValues = 3
}

extension ByteBuffer {
    /// Writes the one range that a query by a secondary index has: a count, a bin's name, a type and two bounds.
    fileprivate mutating func writeIndexRange(_ range: QueryRequest.Range) {
        writeInteger(UInt8(1))
        writeInteger(UInt8(truncatingIfNeeded: range.binName.utf8.count))
        writeString(range.binName)
        writeInteger(range.bounds.0.particleType.rawValue)
        for bound in [range.bounds.0, range.bounds.1] {
            let start = writerIndex
            writeInteger(UInt32(0))
            if case .geoJSON(let text) = bound {
                writeString(text)
            } else {
                writeParticle(bound)
            }
            setInteger(UInt32(truncatingIfNeeded: writerIndex - start - 4), at: start)
        }
    }
}
