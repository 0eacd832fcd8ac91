import Aerospike

/// Info requests that change what every node knows: indexes, programs, truncation.
extension SimulatedCluster {
    mutating func changeMetadata(
        _ request: InfoRequest,
        node: Int,
        nowNanoseconds: Int64
    ) throws(InfoError) -> String? {
        switch request.name {
        case "sindex-create": return try createIndex(request)
        case "sindex-delete": return try deleteIndex(request)
        case "sindex-exists", "sindex-stat":
            let name = try request.required("indexname")
            let namespace = try request.required("namespace", "ns", else: .namespaceNotFound)
            guard let store = nodes[node].stores[namespace] else {
                throw InfoError(.namespaceNotFound, "namespace not found on node")
            }
            if request.name == "sindex-exists" { return "\(store.indexes[name] != nil)" }
            return try InfoRequest.statistics(ofIndex: name, of: store)
        case "sindex", "sindex-list": return try listIndexes(request, node: node)
        case "truncate":
            let namespace = try request.required("namespace", else: .namespaceNotFound)
            let setName = try request.required("set")
            return try truncate(namespace, setName, request, nowNanoseconds)
        case "truncate-namespace":
            let namespace = try request.required("namespace", else: .namespaceNotFound)
            guard request["set"] == nil else { throw InfoError(.invalidRequest, "unexpected set name") }
            return try truncate(namespace, nil, request, nowNanoseconds)
        case "udf-put": return putProgram(request)
        case "udf-remove":
            guard let name = request["filename"] else { return "error=invalid_filename" }
            metadata.programs[name] = nil
            return "ok"
        case "udf-get":
            guard let name = request["filename"] else { return "error=invalid_filename" }
            guard let program = metadata.programs[name] else { return "error=not_found" }
            return "type=\(program.type);content=\(program.contentBase64);"
        case "udf-list":
            return metadata.programs.sorted { $0.key < $1.key }
                .map { "filename=\($0.key),hash=\($0.value.hash),type=\($0.value.type);" }.joined()
        default: return nil
        }
    }

    // MARK: Indexes

    private mutating func createIndex(_ request: InfoRequest) throws(InfoError) -> String {
        let name = try request.required("indexname")
        guard name.utf8.count < 256 else { throw InfoError(.invalidRequest, "'indexname' value too long") }
        let namespace = try request.required("namespace", "ns", else: .namespaceNotFound)
        let index = try request.index(named: name)
        var indexes = metadata.indexes[namespace] ?? []
        if let known = indexes.first(where: { $0.name == name }) {
            guard known == index else {
                throw InfoError(.indexFound, "'indexname' already exists with different definition")
            }
            return "ok"
        }
        // Another name for what is indexed already takes the place of the one before.
        let same = indexes.firstIndex { $0.indexesTheSame(as: index) }
        if let same {
            dropIndex(indexes[same].name, namespace)
            indexes[same] = index
        } else {
            indexes.append(index)
        }
        // A server takes indexes of namespaces that it does not have, too.
        for node in nodes.indices {
            do {
                try nodes[node].stores[namespace]?.createIndex(index)
            } catch {
                throw InfoError(error.code, "already at sindex definition limit")
            }
        }
        metadata.indexes[namespace] = indexes
        return "ok"
    }

    private mutating func deleteIndex(_ request: InfoRequest) throws(InfoError) -> String {
        let name = try request.required("indexname")
        let namespace = try request.required("namespace", "ns", else: .namespaceNotFound)
        metadata.indexes[namespace]?.removeAll { $0.name == name }
        dropIndex(name, namespace)
        return "ok"
    }

    private mutating func dropIndex(_ name: String, _ namespace: String) {
        for node in nodes.indices {
            nodes[node].stores[namespace]?.dropIndex(name)
        }
    }

    private func listIndexes(_ request: InfoRequest, node: Int) throws(InfoError) -> String {
        var wanted = request["namespace", "ns"]
        if request.name == "sindex", !request.rest.isEmpty {
            let parts = request.rest.split(separator: "/", maxSplits: 1).map(String.init)
            guard let store = parts.first.flatMap({ nodes[node].stores[$0] }) else { return "ns_type=unknown" }
            if parts.count == 2 { return try InfoRequest.statistics(ofIndex: parts[1], of: store) }
            wanted = parts[0]
        } else if let wanted, nodes[node].stores[wanted] == nil {
            throw InfoError(.namespaceNotFound, "namespace not found on node")
        }
        let isBase64 = request["b64"] == "true"
        return metadata.indexes.sorted { $0.key < $1.key }
            .filter { (wanted == nil || wanted == $0.key) && nodes[node].stores[$0.key] != nil }
            .flatMap { namespace, indexes in
                indexes.map { InfoRequest.describe($0, namespace: namespace, isBase64: isBase64) }
            }
            .joined(separator: ";")
    }

    // MARK: Truncation

    private mutating func truncate(
        _ namespace: String,
        _ setName: String?,
        _ request: InfoRequest,
        _ nowNanoseconds: Int64
    ) throws(InfoError) -> String {
        var threshold = nowNanoseconds
        if let text = request["lut"] {
            let time = Int64(text) ?? (UInt64(text) == nil ? 0 : .max)
            guard time > NamespaceStore.epochNanoseconds else {
                throw InfoError(.invalidRequest, "would truncate to 0")
            }
            guard time <= nowNanoseconds else { throw InfoError(.invalidRequest, "would truncate in the future") }
            threshold = time
        }
        metadata.truncations.append(
            SystemMetadata.Truncation(namespace: namespace, setName: setName, beforeNanoseconds: threshold)
        )
        for node in nodes.indices where nodes[node].state == .running {
            applyTruncations(to: node, nowNanoseconds)
        }
        return "ok"
    }

    /// Truncates what a node has that it was not told of yet.
    mutating func applyTruncations(to node: Int, _ nowNanoseconds: Int64) {
        for truncation in metadata.truncations[min(nodes[node].truncationCount, metadata.truncations.count)...] {
            guard let store = nodes[node].stores[truncation.namespace] else { continue }
            for partitionID in 0..<Digest.partitionCount where store.recordCount(inPartition: partitionID) > 0 {
                for record in store.records(inPartition: partitionID) where truncation.removes(record) {
                    let change = RecordChange(digest: record.key.digest, old: record, new: nil)
                    nodes[node].disk.note(change, truncation.namespace, nowNanoseconds)
                }
            }
            nodes[node].stores[truncation.namespace]?
                .truncate(set: truncation.setName, beforeNanoseconds: truncation.beforeNanoseconds)
        }
        nodes[node].truncationCount = metadata.truncations.count
    }

    // MARK: Programs

    private mutating func putProgram(_ request: InfoRequest) -> String {
        guard let name = request["filename"], let dot = name.firstIndex(of: "."), dot != name.startIndex,
            name.index(after: dot) != name.endIndex
        else { return "error=invalid_filename" }
        guard let length = request["content-len"].flatMap(Int.init), length % 4 == 0 else {
            return "error=invalid_content_len"
        }
        let type = request["udf-type"] ?? "LUA"
        guard type == "LUA" else { return "error=invalid_udf_type" }
        guard let content = request["content"], content.utf8.count == length else { return "error=invalid_content" }
        guard let bytes = Base64.decode(content) else { return "error=invalid_base64_content" }
        if let line = ProgramSource(text: String(decoding: bytes, as: UTF8.self)).lineOfError {
            let message = Base64.encode(Array("a block does not end".utf8))
            return "error=compile_error;file=\(name);line=\(line);message=\(message)"
        }
        metadata.programs[name] = SystemMetadata.Program(type: type, contentBase64: content)
        return "ok"
    }
}
