import NIOCore
public import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where a server listens.
public enum ListenAddress: Equatable, Sendable, CustomStringConvertible {
    /// A TCP port; 0 takes a free one.
    case tcp(host: String, port: Int)
    /// A Unix socket.
    case unix(path: String)

    /// `-l`: an address, or `unix:` and a path.
    public init(_ text: String, port: Int) {
        if text.hasPrefix("unix:") {
            self = .unix(path: String(text.dropFirst("unix:".count)))
        } else {
            self = .tcp(host: text, port: port)
        }
    }

    /// `127.0.0.1:11300`, `[::1]:11300` or `unix:/run/beanspike.sock`.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// A socket that is bound and takes connections once a server runs on it.
///
/// Binding comes before the server, so that a process may give up its privileges, and open its store without them,
/// in between.
public final class ServerListener: Sendable {
    /// Where it listens, with the port that was taken.
    public let address: ListenAddress
    let channel: any Channel
    let group: MultiThreadedEventLoopGroup
    let acceptor: Acceptor

    private init(
        address: ListenAddress,
        channel: any Channel,
        group: MultiThreadedEventLoopGroup,
        acceptor: Acceptor
    ) {
        self.address = address
        self.channel = channel
        self.group = group
        self.acceptor = acceptor
    }

    /// Binds a socket.
    ///
    /// One that a dead server left at a Unix path is replaced.
    ///
    /// - Parameters:
    ///   - address: Where to listen.
    ///   - group: The event loops that serve the connections.
    /// - Returns: The bound socket.
    /// - Throws: ``BeanspikeServerError/Code/cannotListen``, ``BeanspikeServerError/Code/pathTaken``
    public static func bind(
        _ address: ListenAddress,
        group: MultiThreadedEventLoopGroup
    ) async throws(BeanspikeServerError) -> ServerListener {
        let acceptor = Acceptor()
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        // Without it, a process out of descriptors would try to accept without a pause.
                        AcceptBackoffHandler(), AcceptErrorHandler(acceptor: acceptor),
                    ])
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try acceptor.accept(channel) }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: ConnectionLimits.unreadOutputBytes)
        do {
            switch address {
            case .tcp(let host, let port):
                let channel =
                    try await bootstrap
                    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .childChannelOption(.socketOption(.so_keepalive), value: 1)
                    .bind(host: host, port: port).get()
                let bound = ListenAddress.tcp(host: host, port: channel.localAddress?.port ?? port)
                return ServerListener(address: bound, channel: channel, group: group, acceptor: acceptor)
            case .unix(let path):
                try removeStaleSocket(path)
                let channel = try await bootstrap.bind(unixDomainSocketPath: path).get()
                return ServerListener(address: address, channel: channel, group: group, acceptor: acceptor)
            }
        } catch let error as BeanspikeServerError {
            throw error
        } catch {
            throw BeanspikeServerError(
                .cannotListen,
                "cannot listen on \(address): \(error). Is another server there already? Choose with -l and -p.",
                cause: error
            )
        }
    }

    /// Stops listening.
    ///
    /// A Unix socket's file goes too.
    func close() async {
        try? await channel.close()
        if case .unix(let path) = address { unlink(path) }
    }

    private static func removeStaleSocket(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw BeanspikeServerError(
                .pathTaken,
                "cannot listen on unix:\(path): there is a file that is no socket. Move it, or choose another path."
            )
        }
        unlink(path)
    }
}
