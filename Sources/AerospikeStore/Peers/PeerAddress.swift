/// Where a process takes messages of its peers.
package struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
    /// The host's name or address.
    package let host: String
    /// The port, from 1 to 65535.
    package let port: Int

    /// An address; nil if it cannot be one.
    package init?(host: String, port: Int) {
        guard !host.isEmpty, host.utf8.count <= 255, (1...65_535).contains(port) else { return nil }
        self.host = host
        self.port = port
    }

    /// Host and port.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
