import Glibc

/// Where a server listens: `HOST:PORT`, `[IPV6]:PORT`, `HOST`, `:PORT` or `unix:PATH`.
enum ServerAddress: Equatable, CustomStringConvertible {
    case tcp(host: String, port: UInt16)
    case unix(path: String)

    static let defaultPort: UInt16 = 11300
    static let `default` = ServerAddress.tcp(host: "127.0.0.1", port: defaultPort)
    /// The longest path that fits `sockaddr_un`, its closing NUL left out.
    static let unixPathBytesMax = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// The address in `text`, or nil where it is none.
    init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard (1...Self.unixPathBytesMax).contains(path.utf8.count) else { return nil }
            self = .unix(path: path)
            return
        }
        var host = Substring(text)
        var port: Substring?
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":"), !host.isEmpty else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.lastIndex(of: ":"), text.firstIndex(of: ":") == colon {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !text.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }) else { return nil }
        var number = Self.defaultPort
        if let port {
            guard let parsed = UInt16(port), parsed > 0 else { return nil }
            number = parsed
        }
        self = .tcp(host: host.isEmpty ? "127.0.0.1" : String(host), port: number)
    }

    var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
