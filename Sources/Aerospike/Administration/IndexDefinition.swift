import NIOCore

/// A secondary index: by which values of a bin, or results of an expression, records are found.
///
/// ```swift
/// IndexDefinition("people_age", namespace: "test", set: "people", bin: "age", type: .integer)
/// IndexDefinition("tags", namespace: "test", set: "posts", bin: "tags", type: .string, of: .listElements)
/// ```
public struct IndexDefinition: Sendable, Hashable {
    /// The type of the values that are indexed; others are left out of the index.
    public enum ValueType: Sendable, Hashable {
        /// Integers.
        case integer
        /// Strings.
        case string
        /// Blobs (servers from 7.0 on).
        case blob
        /// Points and regions as GeoJSON.
        case geoJSON
    }

    /// Where the values come from.
    enum Source: Sendable, Hashable {
        case bin(String, context: [CollectionContext])
        case expression([UInt8])
    }

    /// The index's name, which is its own in the namespace.
    public var name: String
    /// The namespace.
    public var namespace: String
    /// The set whose records are indexed; empty for the whole namespace.
    public var setName: String
    /// The type of the values.
    public var type: ValueType
    /// What of a list or map is indexed.
    public var collection: IndexedCollection
    let source: Source

    /// An index of a bin.
    ///
    /// - Parameters:
    ///   - name: the index's name, of at most 63 bytes.
    ///   - namespace: the namespace.
    ///   - setName: the set whose records are indexed; empty for the whole namespace.
    ///   - bin: the bin.
    ///   - type: the type of the values.
    ///   - collection: what of a list or map is indexed.
    ///   - context: where inside the bin the values are (servers from 6.1 on).
    public init(
        _ name: String,
        namespace: String,
        set setName: String = "",
        bin: String,
        type: ValueType,
        of collection: IndexedCollection = .none,
        at context: [CollectionContext] = []
    ) {
        self.name = name
        self.namespace = namespace
        self.setName = setName
        self.type = type
        self.collection = collection
        source = .bin(bin, context: context)
    }

    /// An index of what an expression results in (servers from 8.1 on).
    ///
    /// - Parameters:
    ///   - name: the index's name, of at most 63 bytes.
    ///   - namespace: the namespace.
    ///   - setName: the set whose records are indexed; empty for the whole namespace.
    ///   - expression: the expression; a record for which it has no result is left out.
    ///   - type: the type of the values.
    ///   - collection: what of a list or map is indexed.
    public init<Output>(
        _ name: String,
        namespace: String,
        set setName: String = "",
        expression: Exp<Output>,
        type: ValueType,
        of collection: IndexedCollection = .none
    ) {
        self.name = name
        self.namespace = namespace
        self.setName = setName
        self.type = type
        self.collection = collection
        source = .expression(expression.packed)
    }
}

extension IndexDefinition {
    /// From this version on commands say `namespace` and `bin`, and expressions can be indexed.
    static let newCommands = ServerVersion(8, 1)

    /// The command that creates the index, in the words of a server's version (aerospike-server 8.1, base/thr_info.c,
    /// `cmd_sindex_create`; aerospike-client-c 7.5, aerospike_index.c).
    package func createCommand(_ version: ServerVersion) throws(AerospikeError) -> InfoCommand {
        try Key.check(namespace: namespace, setName: setName)
        let isNew = version >= Self.newCommands
        var bin: String?
        var oldBin: String?
        var context: String?
        var expression: String?
        switch source {
        case .bin(let name, let steps):
            guard (1...AerospikeLimits.binNameBytesMax).contains(name.utf8.count) else {
                throw .invalid("A bin's name has 1 to \(AerospikeLimits.binNameBytesMax) bytes, not '\(name)'.")
            }
            if isNew {
                bin = name
            } else {
                guard !name.utf8.contains(UInt8(ascii: ",")) else {
                    throw .invalid("'\(name)' has a comma, which servers before 8.1 cannot index.")
                }
                oldBin = "\(name),\(type.word(version))"
            }
            if !steps.isEmpty {
                var buffer = ByteBuffer()
                buffer.packContext(steps)
                context = Base64.encode(Array(buffer.readableBytesView))
            }
        case .expression(let packed):
            guard isNew else {
                throw AerospikeError(
                    .unsupportedFeature,
                    "Servers before 8.1 index no expressions; this is \(version)."
                )
            }
            expression = Base64.encode(packed)
        }
        return try InfoCommand(
            "sindex-create",
            [
                isNew ? "namespace" : "ns": namespace,
                "set": setName.isEmpty ? nil : setName,
                "indexname": name,
                "context": context,
                "exp": expression,
                "indextype": collection.word,
                "indexdata": oldBin,
                "bin": bin,
                "type": isNew ? type.word(version) : nil,
            ]
        )
    }

    /// The command that drops an index.
    package static func dropCommand(
        _ name: String,
        namespace: String,
        _ version: ServerVersion
    ) throws(AerospikeError) -> InfoCommand {
        try InfoCommand(
            "sindex-delete",
            [version >= newCommands ? "namespace" : "ns": namespace, "indexname": name]
        )
    }

    /// The command that tells how an index is doing.
    package static func statusCommand(
        _ name: String,
        namespace: String,
        _ version: ServerVersion
    ) throws(AerospikeError) -> InfoCommand {
        guard version >= newCommands else { return try InfoCommand("sindex", path: [namespace, name]) }
        return try InfoCommand("sindex-stat", ["namespace": namespace, "indexname": name])
    }

    /// Whether a node that answered so has built the index.
    package static func isReady(_ status: String) throws(AerospikeError) -> Bool {
        if let error = InfoMessage.error(in: status) {
            // The news of a new index takes a moment to reach every node.
            guard error.code == .indexNotFound else { throw error }
            return false
        }
        guard let percent = InfoPairs(status)["load_pct"].flatMap({ Int($0) }) else {
            throw .malformed("the state of an index without load_pct")
        }
        return percent >= 100
    }
}

extension IndexDefinition.ValueType {
    /// The word for the type; servers from 8.1.3 on say `integer` (aerospike-client-c 7.5, aerospike_index.c).
    fileprivate func word(_ version: ServerVersion) -> String {
        switch self {
        case .integer: version >= ServerVersion(8, 1, 3) ? "INTEGER" : "NUMERIC"
        case .string: "STRING"
        case .blob: "BLOB"
        case .geoJSON: "GEO2DSPHERE"
        }
    }
}

extension IndexedCollection {
    fileprivate var word: String? {
        switch self {
        case .none: nil
        case .listElements: "LIST"
        case .mapKeys: "MAPKEYS"
        case .mapValues: "MAPVALUES"
        }
    }
}
