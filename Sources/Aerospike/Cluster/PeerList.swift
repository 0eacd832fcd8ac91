/// What a node says of the others of its cluster: the answer to `peers-clear-std`, `peers-tls-alt` and their like.
///
/// The form is `generation,port,[[name,TLS name,[address,…]],…]`, where an address is a name or number, one of IPv6 in
/// brackets, and a port after a colon if it is not that of the list (aerospike-client-c 7.5, as_peers.c).
package struct PeerList: Sendable, Hashable {
    /// Where a node listens.
    package struct Address: Sendable, Hashable {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// Another node.
    package struct Peer: Sendable, Hashable {
        package var name: String
        /// The name that its certificate is for; empty if it has none.
        package var tlsName: String
        package var addresses: [Address]
    }

    /// A number that changes when the list does.
    package var generation: Int
    package var peers: [Peer]

    /// Reads a list.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply``.
    package init(parsing text: String) throws(AerospikeError) {
        var reader = Reader(text)
        generation = try reader.number(upTo: ",")
        let port = try reader.text(upTo: ",")
        let defaultPort = port.isEmpty ? 3000 : try Reader.port(port)
        var peers: [Peer] = []
        try reader.list { reader throws(AerospikeError) in
            try reader.expect("[")
            var peer = Peer(
                name: try reader.text(upTo: ","),
                tlsName: try reader.text(upTo: ","),
                addresses: []
            )
            try reader.list { reader throws(AerospikeError) in
                peer.addresses.append(try reader.address(defaultPort: defaultPort))
            }
            try reader.expect("]")
            peers.append(peer)
        }
        guard reader.isAtEnd else { throw .malformed("a list of peers with more after it") }
        self.peers = peers
    }

    /// Reads a node's own addresses: the answer to `service-clear-std` and its like, with commas or semicolons between.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply``.
    package static func addresses(
        parsing text: String,
        defaultPort: Int = 3000
    ) throws(AerospikeError) -> [Address] {
        var addresses: [Address] = []
        for part in text.split(whereSeparator: { $0 == "," || $0 == ";" }) {
            var reader = Reader(String(part))
            addresses.append(try reader.address(defaultPort: defaultPort))
            guard reader.isAtEnd else { throw .malformed("an address with more after it") }
        }
        return addresses
    }
}

extension PeerList {
    /// Walks through the characters of a list.
    fileprivate struct Reader {
        private var rest: Substring

        init(_ text: String) {
            rest = Substring(text)
        }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func expect(_ character: Character) throws(AerospikeError) {
            guard rest.first == character else {
                throw .malformed("a list of peers without '\(character)' where it belongs")
            }
            rest.removeFirst()
        }

        mutating func text(upTo end: Character) throws(AerospikeError) -> String {
            guard let index = rest.firstIndex(of: end) else {
                throw .malformed("a list of peers that ends before '\(end)'")
            }
            defer { rest = rest[rest.index(after: index)...] }
            return String(rest[..<index])
        }

        mutating func number(upTo end: Character) throws(AerospikeError) -> Int {
            let text = try text(upTo: end)
            guard let number = Int(text) else { throw .malformed("'\(text)' where a number belongs") }
            return number
        }

        static func port(_ text: some StringProtocol) throws(AerospikeError) -> Int {
            guard let port = Int(text), (1...65535).contains(port) else {
                throw .malformed("'\(text)' where a port belongs")
            }
            return port
        }

        /// Elements between brackets, with commas between them.
        mutating func list(
            _ element: (inout Reader) throws(AerospikeError) -> Void
        ) throws(AerospikeError) {
            try expect("[")
            if rest.first == "]" {
                rest.removeFirst()
                return
            }
            while true {
                try element(&self)
                if rest.first == "]" {
                    rest.removeFirst()
                    return
                }
                try expect(",")
            }
        }

        mutating func address(defaultPort: Int) throws(AerospikeError) -> Address {
            var address = Address(host: "", port: defaultPort)
            if rest.first == "[" {
                rest.removeFirst()
                address.host = try text(upTo: "]")
            } else {
                address.host = String(rest.prefix { !",:]".contains($0) })
                rest = rest.dropFirst(address.host.count)
            }
            guard !address.host.isEmpty else { throw .malformed("an address without a host") }
            if rest.first == ":" {
                rest.removeFirst()
                let digits = rest.prefix { !",]".contains($0) }
                address.port = try Reader.port(digits)
                rest = rest.dropFirst(digits.count)
            }
            return address
        }
    }
}
