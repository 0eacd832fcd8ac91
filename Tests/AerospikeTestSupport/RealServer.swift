import Glibc

/// The real servers that some tests use, or compare with.
package enum RealServer {
    /// What `AEROSPIKE_HOST` says, `host[:port],…`; nil if nothing.
    package static let variable = getenv("AEROSPIKE_HOST").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }

    /// The addresses of the nodes named; none if there is no variable.
    package static let addresses = (variable ?? "").split(separator: ",").map { part in
        let words = part.split(separator: ":")
        return (host: String(words[0]), port: words.count > 1 ? Int(words[1]) ?? 3000 : 3000)
    }

    /// Whether there is one.
    package static var isNamed: Bool { !addresses.isEmpty }

    /// A connection to the first.
    package static func connect() throws -> RawConnection {
        guard let address = addresses.first else { throw RawConnection.Unexpected.refused }
        return try RawConnection(host: address.host, port: address.port)
    }
}
