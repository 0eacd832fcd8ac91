public import BeanspikeCore

/// Which store a URL names: `embedded:DIR`, `memory:` or `aerospike://host[:port][,host[:port]…][/namespace]`.
public enum StoreLocation: Equatable, Sendable, CustomStringConvertible {
    /// A node of an Aerospike cluster.
    public struct Node: Equatable, Sendable {
        /// A name or an address.
        public var host: String
        /// The port of Aerospike's own protocol, 1 to 65535.
        public var port: Int

        /// A node.
        public init(host: String, port: Int = StoreLocation.aerospikePortDefault) {
            self.host = host
            self.port = port
        }
    }

    /// In this process, on disk in this directory.
    case embedded(directory: String)
    /// In this process, in memory alone.
    case memory
    /// On the cluster that these nodes belong to, in this namespace.
    case aerospike(nodes: [Node], namespace: String)

    /// The port of Aerospike where none is named.
    public static let aerospikePortDefault = 3_000
    /// The namespace of Aerospike where none is named.
    public static let aerospikeNamespaceDefault = "beanspike"
    /// The store where nothing names one.
    public static let `default` = StoreLocation.embedded(directory: "./beanspike-data")
    /// What a URL may look like, for messages.
    static let forms = "embedded:DIR, memory: or aerospike://HOST[:PORT][,HOST[:PORT]…][/NAMESPACE]"

    /// Reads a store's URL.
    ///
    /// - Parameter url: The URL.
    /// - Throws: `JobStoreError.Code.badURL`
    public init(_ url: String) throws(JobStoreError) {
        if url == "memory:" {
            self = .memory
        } else if let directory = url.dropping(prefix: "embedded:") {
            guard !directory.isEmpty, !directory.utf8.contains(0) else {
                throw JobStoreError(.badURL, "\"\(url)\" names no directory. Write embedded:DIR.")
            }
            self = .embedded(directory: directory)
        } else if let rest = url.dropping(prefix: "aerospike://") {
            self = try StoreLocation.aerospike(rest, url: url)
        } else {
            throw JobStoreError(.badURL, "\"\(url)\" is no store. Write \(StoreLocation.forms).")
        }
    }

    /// The store that is used where none is named.
    ///
    /// Aerospike where `AEROSPIKE_HOST` is set, otherwise ``default``. `AEROSPIKE_PORT` is a number, or what
    /// Docker's links set: `tcp://172.17.0.5:3000`, which names the host too where `AEROSPIKE_HOST` does not.
    ///
    /// - Parameter environment: The process's variables.
    /// - Throws: `JobStoreError.Code.badURL` where `AEROSPIKE_PORT` is neither.
    public init(environment: [String: String]) throws(JobStoreError) {
        let host = environment["AEROSPIKE_HOST"].flatMap { $0.isEmpty ? nil : $0 }
        let port = environment["AEROSPIKE_PORT"].flatMap { $0.isEmpty ? nil : $0 }
        guard host != nil || port != nil else {
            self = .default
            return
        }
        var node = Node(host: host ?? "127.0.0.1")
        if let port {
            if let link = port.dropping(prefix: "tcp://") {
                let linked = try StoreLocation.node(link, url: port)
                node = Node(host: host ?? linked.host, port: linked.port)
            } else if let number = StoreLocation.portNumber(port) {
                node.port = number
            } else {
                throw JobStoreError(
                    .badURL,
                    "AEROSPIKE_PORT is \"\(port)\". Set it to a number from 1 to 65535, or to tcp://HOST:PORT."
                )
            }
        }
        self = .aerospike(nodes: [node], namespace: StoreLocation.aerospikeNamespaceDefault)
    }

    /// The URL.
    public var description: String {
        switch self {
        case .embedded(let directory): return "embedded:\(directory)"
        case .memory: return "memory:"
        case .aerospike(let nodes, let namespace):
            let list = nodes.map { $0.host.contains(":") ? "[\($0.host)]:\($0.port)" : "\($0.host):\($0.port)" }
            return "aerospike://\(list.joined(separator: ","))/\(namespace)"
        }
    }

    // MARK: - Aerospike

    private static func aerospike(_ rest: String, url: String) throws(JobStoreError) -> StoreLocation {
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var namespace = aerospikeNamespaceDefault
        if parts.count == 2, !parts[1].isEmpty {
            namespace = String(parts[1])
            // Aerospike: 31 bytes at most, without what separates names in its own messages.
            guard namespace.utf8.count <= 31, namespace.utf8.allSatisfy({ isAllowedInNamespace($0) }) else {
                throw JobStoreError(
                    .badURL,
                    "\"\(url)\": \"\(namespace)\" is no namespace: 1 to 31 letters, digits, - and _."
                )
            }
        }
        var nodes: [Node] = []
        for text in parts[0].split(separator: ",", omittingEmptySubsequences: false) {
            nodes.append(try node(String(text), url: url))
        }
        return .aerospike(nodes: nodes, namespace: namespace)
    }

    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
    private static func node(_ text: String, url: String) throws(JobStoreError) -> Node {
        let error = JobStoreError(
            .badURL,
            "\"\(url)\": \"\(text)\" is no host. Write HOST or HOST:PORT with a port from 1 to 65535."
        )
        var host = Substring(text)
        var port: Substring?
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":") else { throw error }
                port = rest.dropFirst()
            }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") }) else {
            throw error
        }
        guard let port else { return Node(host: String(host)) }
        guard let number = portNumber(port) else { throw error }
        return Node(host: String(host), port: number)
    }

    private static func portNumber(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text) else {
            return nil
        }
        return (1...65_535).contains(number) ? number : nil
    }

    private static func isAllowedInNamespace(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }
}

extension String {
    /// What follows the prefix, or nil where the text does not start with it.
    fileprivate func dropping(prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
