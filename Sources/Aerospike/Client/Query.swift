/// What records are wanted of a namespace or set: all, or those that a secondary index finds.
///
/// ```swift
/// var query = Query(namespace: "test", set: "people")
/// query.range = .between(bin: "age", 18...30)
/// query.filter = .string(bin: "city") == "Oslo"
/// for try await (key, record) in client.query(query) { … }
/// ```
public struct Query: Sendable {
    /// What a secondary index is asked for.
    public struct Range: Sendable, Hashable {
        package var wire: QueryRequest.Range

        /// A bin's integers in a range.
        ///
        /// - Parameters:
        ///   - bin: the indexed bin.
        ///   - values: the values wanted.
        ///   - collection: what of a list or map is indexed.
        ///   - context: where inside the bin the indexed value is.
        /// - Returns: the range.
        public static func between(
            bin: String,
            _ values: ClosedRange<Int>,
            in collection: IndexedCollection = .none,
            at context: [CollectionContext] = []
        ) -> Range {
            Range(
                wire: QueryRequest.Range(
                    bin: bin,
                    from: .integer(Int64(values.lowerBound)),
                    through: .integer(Int64(values.upperBound)),
                    collection: collection,
                    context: context
                )
            )
        }

        /// A bin's values that are the same as one: an integer, a string or a blob.
        ///
        /// - Parameters:
        ///   - bin: the indexed bin.
        ///   - value: the value wanted.
        ///   - collection: what of a list or map is indexed.
        ///   - context: where inside the bin the indexed value is.
        /// - Returns: the range.
        public static func equal(
            bin: String,
            _ value: Value,
            in collection: IndexedCollection = .none,
            at context: [CollectionContext] = []
        ) -> Range {
            Range(
                wire: QueryRequest.Range(
                    bin: bin,
                    from: value,
                    through: value,
                    collection: collection,
                    context: context
                )
            )
        }

        /// Points within a region, or regions that contain a point, both as GeoJSON.
        ///
        /// - Parameters:
        ///   - bin: the indexed bin.
        ///   - geoJSON: the region or point.
        ///   - collection: what of a list or map is indexed.
        ///   - context: where inside the bin the indexed value is.
        /// - Returns: the range.
        public static func geo(
            bin: String,
            _ geoJSON: String,
            in collection: IndexedCollection = .none,
            at context: [CollectionContext] = []
        ) -> Range {
            let value = Value.geoJSON(geoJSON)
            return Range(
                wire: QueryRequest.Range(
                    bin: bin,
                    from: value,
                    through: value,
                    collection: collection,
                    context: context
                )
            )
        }

        /// The same range of an index that is found by its name, not by the bin.
        public func ofIndex(_ name: String) -> Range {
            var named = self
            named.wire.indexName = name
            return named
        }
    }

    /// The namespace.
    public var namespace: String

    /// The set; empty for the whole namespace.
    public var setName: String

    /// The bins to return: nil for all; none for only what is known about the records.
    public var bins: [String]?

    /// What a secondary index is asked for; nil for every record.
    public var range: Range?

    /// What must be true of a record.
    public var filter: Exp<Bool>?

    /// The partitions to look in, from 0 to 4095.
    public var partitions = 0..<Digest.partitionCount

    /// The most records to return; nil for all.
    public var recordsMax: Int?

    /// The most records a second that each node goes through; 0 for as many as it can.
    public var recordsPerSecond = 0

    /// Whether few records are expected, which the server then finds with less ado.
    public var isShort = false

    /// About how many bytes of records are fetched ahead of their use.
    public var pageBytes = 1 << 20

    /// How long one exchange with a node may be without progress, and how often in a row one may fail.
    ///
    /// 30 seconds and 10 times by default, with pauses of up to 500 milliseconds; what is nil is as the client is
    /// configured.
    public var call = Query.defaultCall

    /// A query of all records of a namespace or set.
    ///
    /// - Parameters:
    ///   - namespace: the namespace.
    ///   - setName: the set; empty for the whole namespace.
    public init(namespace: String, set setName: String = "") {
        self.namespace = namespace
        self.setName = setName
    }

    private static var defaultCall: CallPolicy {
        var call = CallPolicy()
        call.timeout = .seconds(30)
        call.triesMax = 10
        call.backoffMax = .milliseconds(500)
        return call
    }
}

/// How far a query has come, partition by partition, so that it can go on there: later, or after a failure.
public struct QueryCursor: Sendable, Hashable {
    /// How far one partition has come.
    enum Progress: Sendable, Hashable {
        case untouched
        /// Records up to this one were returned.
        case after(QueryRequest.Resumption)
        case done
    }

    private var partitions: [UInt16: Progress]

    /// A cursor at the beginning of some partitions.
    package init(_ partitions: Swift.Range<Int>) {
        self.partitions = Dictionary(
            uniqueKeysWithValues: partitions.map { (UInt16(truncatingIfNeeded: $0), .untouched) }
        )
    }

    /// Whether every partition has been looked through.
    public var isDone: Bool { !partitions.values.contains { $0 != .done } }

    /// The partitions that are not done.
    var open: [UInt16] { partitions.filter { $0.value != .done }.keys.sorted() }

    /// A record of a partition was returned.
    mutating func returned(_ digest: Digest, indexedValue: UInt64) {
        let partition = UInt16(truncatingIfNeeded: digest.partitionID)
        guard partitions[partition] != nil else { return }
        partitions[partition] = .after(QueryRequest.Resumption(digest: digest, indexedValue: indexedValue))
    }

    /// A partition was looked through.
    mutating func finished(_ partition: UInt16) {
        guard partitions[partition] != nil else { return }
        partitions[partition] = .done
    }

    /// Adds what is to be asked of one node.
    func ask(_ ids: [UInt16], in request: inout QueryRequest) {
        for id in ids {
            switch partitions[id] {
            case .untouched: request.partitionIDs.append(id)
            case .after(let resumption): request.resumptions.append(resumption)
            case .done, nil: break
            }
        }
    }
}
