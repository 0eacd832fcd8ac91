import NIOCore
import NIOPosix
import NIOSSL

/// The sockets at which a node listens: one in clear, and one for TLS if it has certificates.
struct NodeListener: Sendable {
    private let channels: [any Channel]

    private init(channels: [any Channel]) {
        self.channels = channels
    }

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - node: the node's place in the cluster.
    ///   - port: the port in clear.
    ///   - tls: the port for TLS and what is needed there.
    ///   - host: who carries the requests out.
    ///   - group: on whose event loops.
    /// - Returns: the sockets, when they listen.
    static func open(
        node: Int,
        port: Int,
        tls: (port: Int, context: NIOSSLContext)?,
        host: ClusterHost,
        group: any EventLoopGroup
    ) -> EventLoopFuture<NodeListener> {
        var futures = [bootstrap(node: node, tls: nil, host: host, group: group).bind(host: "127.0.0.1", port: port)]
        if let tls {
            futures.append(
                bootstrap(node: node, tls: tls.context, host: host, group: group)
                    .bind(host: "127.0.0.1", port: tls.port)
            )
        }
        return EventLoopFuture.whenAllSucceed(futures, on: group.any()).map { NodeListener(channels: $0) }
    }

    private static func bootstrap(
        node: Int,
        tls: NIOSSLContext?,
        host: ClusterHost,
        group: any EventLoopGroup
    ) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let bytesPerRead = host.bytesPerRead(node: node)
                    if bytesPerRead > 0 {
                        try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
                        let allocator = FixedSizeRecvByteBufferAllocator(capacity: bytesPerRead)
                        try channel.syncOptions?.setOption(.recvAllocator, value: allocator)
                    }
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        NodeConnectionHandler(host: host, node: node, isTLS: tls != nil)
                    )
                }
            }
    }

    /// Lets connections that are made wait, or takes them.
    func setAccepting(_ isAccepting: Bool) -> [EventLoopFuture<Void>] {
        channels.map { $0.setOption(.autoRead, value: isAccepting) }
    }

    /// Stops listening: connections are refused.
    func close() -> [EventLoopFuture<Void>] {
        channels.map { channel in channel.close().flatMapErrorThrowing { _ in } }
    }
}
