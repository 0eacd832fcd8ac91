import Aerospike

/// Info requests about configuration, and about the connection.
extension SimulatedCluster {
    mutating func configure(_ request: InfoRequest, on connection: inout NodeConnection) throws(InfoError) -> String? {
        switch request.name {
        case "user-agent-set":
            guard connection.userAgent == nil else { throw InfoError(.invalidRequest, "already set") }
            let value = try request.required("value")
            guard let bytes = Base64.decode(value) else {
                throw InfoError(.invalidRequest, "'value' invalid base64")
            }
            connection.userAgent = String(decoding: bytes, as: UTF8.self)
            return "ok"
        case "get-config", "config-get": return try getConfiguration(request, node: connection.node)
        case "set-config", "config-set": return try setConfiguration(request, node: connection.node)
        default: return nil
        }
    }

    private func getConfiguration(_ request: InfoRequest, node: Int) throws(InfoError) -> String {
        switch request["context"] {
        case "namespace":
            let name = try request.required("namespace", "id", else: .namespaceNotFound)
            guard let namespace = configuration.namespaces.first(where: { $0.name == name }) else {
                throw InfoError(.namespaceNotFound, "namespace not found on node")
            }
            return settings(of: namespace, node: node).joined(separator: ";")
        case "service", nil:
            return [
                "batch-max-requests=\(configuration.batchRecordsMax)", "cluster-name=\(configuration.clusterName)",
                "min-cluster-size=\(configuration.clusterSizeMin)", "node-id=\(nodes[node].name)",
                "proto-fd-idle-ms=0", "proto-fd-max=\(configuration.connectionsMax)",
                "transaction-max-ms=\(configuration.transactionTimeout.inNanoseconds / 1_000_000)",
            ].joined(separator: ";")
        default: throw InfoError(.invalidRequest, "invalid context")
        }
    }

    private mutating func setConfiguration(_ request: InfoRequest, node: Int) throws(InfoError) -> String {
        guard let context = request["context"] else { throw InfoError(.invalidRequest, "missing 'context'") }
        guard context == "namespace", let name = request["namespace", "id"] else {
            complain(node, "info \(request.text.prefix(200))")
            throw InfoError(.invalidRequest, "invalid set-config parameter")
        }
        guard var settings = nodes[node].stores[name]?.configuration else {
            throw InfoError(.namespaceNotFound, "namespace not found on node")
        }
        if let seconds = request["default-ttl"].flatMap(UInt32.init) {
            settings.defaultTimeToLiveSeconds = seconds
        } else if let bytes = request["max-record-size"].flatMap(Int.init), bytes > 0 {
            settings.recordBytesMax = bytes
        } else if let flag = request["disallow-null-setname"].flatMap(Bool.init) {
            settings.requiresSetName = flag
        } else if let percent = request["default-read-touch-ttl-pct"].flatMap(UInt32.init), percent <= 100 {
            settings.readTouchPercent = percent
        } else {
            complain(node, "info \(request.text.prefix(200))")
            throw InfoError(.invalidRequest, "invalid set-config parameter")
        }
        nodes[node].stores[name]?.configuration = settings
        return "ok"
    }
}
