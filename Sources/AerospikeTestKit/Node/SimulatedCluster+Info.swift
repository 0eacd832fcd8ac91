import Aerospike
import NIOCore

/// Answers to the info protocol, in the form of aerospike-server 8.1 (base/thr_info.c).
extension SimulatedCluster {
    /// Answers some names; all that a server deems useful, if there are none.
    mutating func answerInfo(
        _ commands: [String],
        on connection: inout NodeConnection,
        nowNanoseconds: Int64
    ) -> ByteBuffer {
        var body = ByteBuffer()
        body.writeInteger(UInt64(0))
        if let refusal = checkSession(of: connection, nowNanoseconds) {
            body.writeString("\(InfoError(refusal, "not authenticated"))\n")
        } else {
            for command in commands.isEmpty ? InfoCommands.summary : commands {
                let request = InfoRequest(command)
                let answer = answer(request, on: &connection, nowNanoseconds: nowNanoseconds)
                body.writeString("\(command)\t\(answer)\n")
            }
        }
        let length = body.writerIndex - ProtoHeader.byteCount
        body.setInteger(ProtoHeader(kind: .info, bodyByteCount: length).word, at: 0)
        return body
    }

    private mutating func answer(
        _ request: InfoRequest,
        on connection: inout NodeConnection,
        nowNanoseconds: Int64
    ) -> String {
        let node = connection.node
        if let answer = describeNode(request, node: node) {
            return answer
        }
        if let answer = describeCluster(request, node: node) {
            return answer
        }
        if let answer = describeNamespaces(request, node: node, nowNanoseconds: nowNanoseconds) {
            return answer
        }
        do {
            if let answer = try changeMetadata(request, node: node, nowNanoseconds: nowNanoseconds) {
                return answer
            }
            if let answer = try configure(request, on: &connection) {
                return answer
            }
        } catch {
            return "\(error)"
        }
        if InfoCommands.enterpriseOnly.contains(request.name), !configuration.saysEnterprise {
            return "\(InfoError(.enterpriseOnly, "enterprise only"))"
        }
        // What a real server would answer here is not known, which a test must not miss. Names that it does not know
        // either are merely counted.
        if InfoCommands.notDone.contains(request.name) || InfoCommands.enterpriseOnly.contains(request.name) {
            complain(node, "info \(request.text.prefix(200))")
        }
        return "\(InfoError(.invalidRequest, "unrecognized command"))"
    }

    /// What a node says of itself.
    private func describeNode(_ request: InfoRequest, node: Int) -> String? {
        let edition = configuration.saysEnterprise ? "Enterprise" : "Community"
        switch request.name {
        case "node", "name", "get-sl": return nodes[node].name
        case "build": return configuration.build
        case "edition": return "Aerospike \(edition) Edition"
        case "version": return "Aerospike \(edition) Edition build \(configuration.build)"
        case "build_arch": return "x86_64"
        case "build_os": return "testkit"
        case "build_ee_sha", "build_sha", "build_time": return ""
        case "compatibility-id": return "15"
        case "status": return "ok"
        case "features": return InfoCommands.features
        case "partitions": return "\(Digest.partitionCount)"
        case "services-alumni", "user-agents", "health-outliers", "health-stats": return ""
        case "connection": return "admin=false"
        default: return nil
        }
    }

    /// What a node says of its cluster.
    private func describeCluster(_ request: InfoRequest, node: Int) -> String? {
        let this = nodes[node]
        switch request.name {
        case "cluster-name": return configuration.clusterName
        case "cluster-stable":
            guard let view = this.view, !holdsMigrations || !view.tables.values.contains(where: \.isMoving) else {
                return "\(InfoError(.clusterKeyMismatch, "unstable cluster"))"
            }
            if let size = request["size"].flatMap(Int.init), size != view.members.count {
                return "\(InfoError(.clusterKeyMismatch, "cluster not specified size"))"
            }
            return String(view.clusterKey, radix: 16, uppercase: true)
        case "partition-generation": return "\(this.partitionGeneration)"
        case "peers-generation": return "\(this.peersGeneration)"
        case "rebalance-generation": return "\(this.rebalanceGeneration)"
        case "peers-clear-std": return peerList(of: node, port: \.port)
        case "peers-clear-alt": return peerList(of: node, port: nil)
        case "alumni-clear-std": return peerList(of: node, port: \.port)
        case "alumni-clear-alt": return peerList(of: node, port: nil)
        case "peers-tls-std" where configuration.saysEnterprise: return peerList(of: node, port: \.tlsPort)
        case "peers-tls-alt" where configuration.saysEnterprise: return peerList(of: node, port: nil)
        case "service", "service-clear-std": return address(of: node)
        case "service-clear-alt": return ""
        case "service-tls-std" where configuration.saysEnterprise:
            return this.tlsPort == 0 ? "" : "127.0.0.1:\(this.tlsPort)"
        case "service-tls-alt" where configuration.saysEnterprise: return ""
        case "services": return peers(of: node).map { address(of: $0) }.joined(separator: ";")
        case "racks" where configuration.saysEnterprise, "rack-ids" where configuration.saysEnterprise:
            return racks(of: node, request)
        case "replicas": return replicas(of: node, copiesMax: request["max"].flatMap(Int.init) ?? 0, hasRegime: true)
        case "replicas-all": return replicas(of: node, copiesMax: 0, hasRegime: false)
        case "replicas-master":
            return configuration.namespaces.map { "\($0.name):\(Base64.encode(bitmap(of: node, $0, replica: 0)))" }
                .joined(separator: ";")
        case "recluster": return "ok"
        default: return nil
        }
    }

    private func address(of node: Int) -> String { "127.0.0.1:\(nodes[node].port)" }

    /// The others of a node's cluster: `generation,port,[[name,TLS name,[address]],…]`; no addresses without a port.
    private func peerList(of node: Int, port: KeyPath<SimulatedNode, Int>?) -> String {
        let tlsName = port == \.tlsPort ? configuration.tls?.name ?? "" : ""
        let peers = peers(of: node).compactMap { peer -> String? in
            guard let port, nodes[peer][keyPath: port] != 0 else { return nil }
            return "[\(nodes[peer].name),\(tlsName),[127.0.0.1:\(nodes[peer][keyPath: port])]]"
        }
        let listens = port.map { nodes[node][keyPath: $0] } ?? nodes[node].port
        return "\(nodes[node].peersGeneration),\(listens == 0 ? "" : "\(listens)"),[\(peers.joined(separator: ","))]"
    }

    private func racks(of node: Int, _ request: InfoRequest) -> String {
        let names = ([node] + peers(of: node)).map { nodes[$0].name }.joined(separator: ",")
        let wanted = request["namespace"]
        return configuration.namespaces.filter { wanted == nil || $0.name == wanted }
            .map { "ns=\($0.name):rack_0=\(names)" }.joined(separator: ";")
    }

    private func bitmap(of node: Int, _ namespace: TestCluster.Namespace, replica: Int) -> [UInt8] {
        nodes[node].view?.tables[namespace.name]?.bitmap(of: node, asReplica: replica)
            ?? Array(repeating: 0, count: Digest.partitionCount / 8)
    }

    private func replicas(of node: Int, copiesMax: Int, hasRegime: Bool) -> String {
        configuration.namespaces.map { namespace in
            let factor = nodes[node].view?.tables[namespace.name]?.replicationFactor ?? 0
            let count = copiesMax > 0 ? min(copiesMax, factor) : factor
            let maps = (0..<count).map { Base64.encode(bitmap(of: node, namespace, replica: $0)) }
            return ([namespace.name + (hasRegime ? ":0,\(count)" : ":\(count)")] + maps).joined(separator: ",")
        }.joined(separator: ";")
    }
}

/// An answer that says what is wrong.
struct InfoError: Error, CustomStringConvertible {
    var code: ResultCode
    var message: String

    init(_ code: ResultCode, _ message: String) {
        self.code = code
        self.message = message
    }

    var description: String { "ERROR:\(code.rawValue):\(message)" }
}
