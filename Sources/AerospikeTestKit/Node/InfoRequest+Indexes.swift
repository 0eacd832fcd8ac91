import Aerospike
import NIOCore

extension InfoRequest {
    /// The value of a key that must be there; the keys after the first are other names for it.
    func required(_ keys: String..., else code: ResultCode = .invalidRequest) throws(InfoError) -> String {
        for key in keys {
            if let value = self[key] { return value }
        }
        throw InfoError(code, "missing '\(keys.first ?? "")'")
    }

    /// The index that a request to make one defines (aerospike-server 8.1, base/thr_info.c, `cmd_sindex_create`).
    func index(named name: String) throws(InfoError) -> SecondaryIndex {
        var binName = self["bin"]
        var typeName = self["type"]
        if let data = self["indexdata"] {
            guard typeName == nil else {
                throw InfoError(.invalidRequest, "both 'indexdata' and 'type' are specified")
            }
            let parts = data.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw InfoError(.invalidRequest, "'indexdata' missing bin type") }
            guard !parts[0].isEmpty else { throw InfoError(.invalidRequest, "'indexdata' missing bin name") }
            (binName, typeName) = (parts[0], parts[1])
        }
        guard let typeName else { throw InfoError(.invalidRequest, "both 'indexdata' and 'type' are missing") }
        let type: SecondaryIndex.ValueType
        switch typeName.lowercased() {
        case "numeric": type = .integer
        case "string": type = .string
        case "blob": type = .blob
        default:
            throw InfoError(
                .invalidRequest,
                "bad 'type' - must be one of 'numeric', 'string', 'blob', 'geo2dsphere'"
            )
        }
        let expression = try packed("exp")
        guard binName == nil || expression == nil else {
            throw InfoError(.invalidRequest, "both 'bin' and 'exp' are specified")
        }
        guard binName != nil || expression != nil else {
            throw InfoError(.invalidRequest, "both 'bin' and 'exp' are missing")
        }
        return SecondaryIndex(
            name: name,
            set: self["set"],
            bin: binName ?? "",
            type: type,
            collection: try collection(),
            context: try packed("context"),
            expression: expression
        )
    }

    private func collection() throws(InfoError) -> IndexedCollection {
        switch self["indextype"]?.lowercased() {
        case nil, "default": return .none
        case "list": return .listElements
        case "mapkeys": return .mapKeys
        case "mapvalues": return .mapValues
        default:
            throw InfoError(
                .invalidRequest,
                "bad 'indextype' - must be one of 'default', 'list', 'mapkeys', 'mapvalues'"
            )
        }
    }

    private func packed(_ key: String) throws(InfoError) -> ByteBuffer? {
        guard let text = self[key] else { return nil }
        guard let bytes = Base64.decode(text) else { throw InfoError(.invalidRequest, "'\(key)' invalid base64") }
        return ByteBuffer(bytes: bytes)
    }

    /// What a list of indexes says of one.
    static func describe(_ index: SecondaryIndex, namespace: String, isBase64: Bool) -> String {
        let collection =
            switch index.collection {
            case .none: "default"
            case .listElements: "list"
            case .mapKeys: "mapkeys"
            case .mapValues: "mapvalues"
            }
        let context = index.context.map { Base64.encode(Array($0.readableBytesView)) } ?? "null"
        let expression = index.expression.map { Base64.encode(Array($0.readableBytesView)) } ?? "null"
        return """
            ns=\(namespace):indexname=\(index.name):set=\(index.setName ?? "null"):\
            bin=\(index.binName.isEmpty ? "null" : index.binName):type=\(index.type.name):indextype=\(collection):\
            context=\(context):exp=\(expression):state=RW
            """
    }

    /// The statistics of an index; it has no entries of its own, for every query looks anew.
    static func statistics(ofIndex name: String, of store: NamespaceStore) throws(InfoError) -> String {
        guard store.indexes[name] != nil else { throw InfoError(.indexNotFound, "no index") }
        return
            "entries=0;used_bytes=16777216;entries_per_bval=0;entries_per_rec=0;load_pct=100;load_time=0;stat_gc_recs=0"
    }
}
