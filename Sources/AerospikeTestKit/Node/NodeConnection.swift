import Aerospike

/// What a node knows of a connection.
package struct NodeConnection: Sendable {
    /// The node's place in the cluster.
    package let node: Int
    /// The connection's number on that node, from 1.
    package let number: Int
    /// The port that the client came to, and from where.
    package let isTLS: Bool
    package let clientAddress: String
    /// How many requests have arrived on it.
    package var requestCount = 0
    /// The user that it was authenticated for, and by which token.
    package var user: String?
    package var sessionToken: [UInt8]?
    /// What the client said that it is.
    package var userAgent: String?

    package init(node: Int, number: Int, isTLS: Bool = false, clientAddress: String = "127.0.0.1:0") {
        self.node = node
        self.number = number
        self.isTLS = isTLS
        self.clientAddress = clientAddress
    }
}
