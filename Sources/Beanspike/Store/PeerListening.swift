import BeanspikeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where a process that shares a queue takes the messages of the others; they say that there is work, so that nobody who
/// waits for it has to ask the cluster all the time.
public enum PeerListening: Equatable, Sendable {
    /// On the address that this machine has towards the cluster, on any port that is free.
    case automatic
    /// Nowhere: who waits here for what is put through another process asks the cluster from time to time.
    case off
    /// On an address of this machine, and on a port; 0 for any that is free.
    case address(host: String, port: Int)

    /// Reads `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT` or `off`.
    ///
    /// - Parameter text: the text.
    public init?(_ text: String) {
        guard text != "off" else {
            self = .off
            return
        }
        var host = Substring(text)
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty, host.utf8.count <= 255, host.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
        var number = 0
        if let port {
            guard !port.isEmpty, port.utf8.allSatisfy({ (48...57).contains($0) }), let given = UInt16(port) else {
                return nil
            }
            number = Int(given)
        }
        self = .address(host: String(host), port: number)
    }

    /// What to listen on, and what others are told.
    struct Resolved: Equatable {
        var host: String
        var port: Int
        /// Nil where it is the same as the host.
        var advertisedHost: String?
    }

    /// Finds the address to listen on; nil for none.
    ///
    /// - Parameters:
    ///   - nodes: nodes of the cluster.
    ///   - advertisedHost: what others are told; nil for what is found.
    /// - Returns: where to listen.
    /// - Throws: `JobStoreError` with `cannotOpen` where this machine has no address towards any of the nodes.
    func resolve(towards nodes: [StoreLocation.Node], advertisedHost: String?) throws(JobStoreError) -> Resolved? {
        switch self {
        case .off: return nil
        case .automatic:
            return Resolved(host: try Self.ownAddress(towards: nodes), port: 0, advertisedHost: advertisedHost)
        case .address(let host, let port):
            // Nobody can connect to "all addresses".
            let isEvery = host == "0.0.0.0" || host == "::"
            let told = advertisedHost == nil && isEvery ? try Self.ownAddress(towards: nodes) : advertisedHost
            return Resolved(host: host, port: port, advertisedHost: told)
        }
    }

    /// The address that this machine has towards the cluster, one that other machines can reach where there is one.
    private static func ownAddress(towards nodes: [StoreLocation.Node]) throws(JobStoreError) -> String {
        let addresses = nodes.compactMap { ownAddress(towards: $0) }
        guard let first = addresses.first else {
            throw JobStoreError(
                .cannotOpen,
                "This machine has no way to \(nodes.map(\.host).joined(separator: ", ")). Check the names and the network."
            )
        }
        return addresses.first { !$0.hasPrefix("127.") && $0 != "::1" } ?? first
    }

    /// The address from which this machine would speak to a node; nothing is sent.
    private static func ownAddress(towards node: StoreLocation.Node) -> String? {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        #else
            hints.ai_socktype = SOCK_DGRAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(node.host, String(node.port), &hints, &list) == 0 else { return nil }
        defer { freeaddrinfo(list) }
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            let descriptor = socket(entry.pointee.ai_family, entry.pointee.ai_socktype, 0)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            guard connect(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) == 0 else { continue }
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let isNamed = withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    getsockname(descriptor, address, &length) == 0
                        && getnameinfo(address, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0
                }
            }
            if isNamed {
                return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
        }
        return nil
    }
}
