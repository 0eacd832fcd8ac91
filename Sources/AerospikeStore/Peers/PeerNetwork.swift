package import BeanspikeCore
package import Logging
package import NIOCore
import NIOPosix

/// Direct messages between the processes of a queue, so that a consumer who waits in one need not poll for what another
/// puts.
///
/// Nothing depends on it: news may be lost, and whoever waits looks by itself from time to time.
///
/// ```swift
/// let network = try await PeerNetwork.open(on: eventLoop, host: "10.0.0.5", events: events)
/// let registry = try await ProcessRegistry.open(client: client, layout: layout, address: network.address)
/// network.join(as: registry.number, secret: registry.secret)
/// // The registry's events: peers: { network.setPeers($0) }, reborn: { network.join(as: $0, secret: secret) }
///
/// // On the event loop:
/// network.setWaits(tube, true)
/// if network.peersWaiting(on: tube) { network.tellWork(tube, priority: 10) }
/// ```
package final class PeerNetwork: Sendable {
    /// Where peers reach this process.
    package let address: PeerAddress
    /// Where everything happens.
    package let eventLoop: any EventLoop

    let core: NIOLoopBound<PeerCore>
    private let listener: any Channel

    private init(
        address: PeerAddress,
        eventLoop: any EventLoop,
        core: NIOLoopBound<PeerCore>,
        listener: any Channel
    ) {
        self.address = address
        self.eventLoop = eventLoop
        self.core = core
        self.listener = listener
    }

    /// Listens for peers; nobody is let in before ``join(as:secret:)``.
    ///
    /// - Parameters:
    ///   - eventLoop: where everything happens, one of SwiftNIO's own.
    ///   - host: the address to listen on; the loopback interface by default.
    ///   - port: the port to listen on; 0, the default, for any that is free.
    ///   - advertisedHost: under which host peers reach this process; the address listened on by default.
    ///   - advertisedPort: under which port; the one listened on by default.
    ///   - events: what is told of what peers say.
    ///   - logger: what is told of connections that are cut off.
    /// - Returns: the network.
    /// - Throws: ``JobStoreError`` with `cannotOpen` if the address cannot be listened on.
    package static func open(
        on eventLoop: any EventLoop,
        host: String = "127.0.0.1",
        port: Int = 0,
        advertisedHost: String? = nil,
        advertisedPort: Int? = nil,
        events: PeerEvents,
        logger: Logger = Logger(label: "aerospike-store")
    ) async throws(JobStoreError) -> PeerNetwork {
        do {
            let (core, listener) = try await eventLoop.flatSubmit {
                let core = NIOLoopBound(
                    PeerCore(eventLoop: eventLoop, events: events, logger: logger),
                    eventLoop: eventLoop
                )
                return listen(eventLoop, host, port, core).map { (core, $0) }
            }.get()
            let bound = listener.localAddress?.port ?? port
            guard let address = PeerAddress(host: advertisedHost ?? host, port: advertisedPort ?? bound) else {
                try? await listener.close()
                throw JobStoreError(
                    .badURL,
                    "'\(advertisedHost ?? host)' port \(advertisedPort ?? bound) is no address for peers."
                )
            }
            return PeerNetwork(address: address, eventLoop: eventLoop, core: core, listener: listener)
        } catch let error as JobStoreError {
            throw error
        } catch {
            throw JobStoreError(
                .cannotOpen,
                "Cannot listen for peers on \(host) port \(port): \(error). Name another address or port for them."
            )
        }
    }

    private static func listen(
        _ eventLoop: any EventLoop,
        _ host: String,
        _ port: Int,
        _ core: NIOLoopBound<PeerCore>
    ) -> EventLoopFuture<any Channel> {
        ServerBootstrap(group: eventLoop)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let identity = core.value.identity else { throw ChannelError.connectPending }
                    let connection = PeerConnection(core.value, identity: identity, dialled: nil)
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
            .bind(host: host, port: port)
    }

    // MARK: From any thread

    /// Takes part under a number; connections under an earlier one end.
    ///
    /// - Parameters:
    ///   - process: this process's number.
    ///   - secret: the queue's secret.
    package func join(as process: Int, secret: [UInt8]) {
        run { $0.join(PeerSession.Identity(number: process, secret: secret)) }
    }

    /// Takes note of which peers there are; connections to others end.
    package func setPeers(_ addresses: [Int: PeerAddress]) {
        run { $0.setPeers(addresses) }
    }

    /// Asks all peers.
    ///
    /// - Parameters:
    ///   - question: the question.
    ///   - timeout: how long to wait for those who have not answered; 200 ms by default.
    /// - Returns: the answers of those who answered, by their numbers.
    package func ask(_ question: PeerQuestion, timeout: Duration = .milliseconds(200)) async -> [Int: PeerAnswer] {
        let (seconds, attoseconds) = timeout.components
        let amount = TimeAmount.nanoseconds(min(max(0, seconds), 60) * 1_000_000_000 + attoseconds / 1_000_000_000)
        let answers = eventLoop.flatSubmit { [core] in core.value.ask(question, timeout: amount) }
        return (try? await answers.get()) ?? [:]
    }

    /// Stops listening and ends all connections.
    package func close() async {
        try? await listener.close()
        try? await eventLoop.submit { [core] in core.value.close() }.get()
    }

    private func run(_ body: @escaping @Sendable (PeerCore) -> Void) {
        if eventLoop.inEventLoop {
            body(core.value)
        } else {
            eventLoop.execute { [core] in body(core.value) }
        }
    }

    // MARK: On the event loop

    /// Whether consumers of any peer wait on a tube; on the event loop only.
    package func peersWaiting(on tube: TubeName) -> Bool {
        core.value.waiting[tube] != nil
    }

    /// Tells all peers that consumers of this process wait on a tube, or no longer do; on the event loop only.
    package func setWaits(_ tube: TubeName, _ isWaiting: Bool) {
        core.value.setWaits(tube, isWaiting)
    }

    /// Tells the peers that wait on a tube of a job that is ready; on the event loop only.
    package func tellWork(_ tube: TubeName, priority: UInt32) {
        core.value.tellWork(tube, priority: priority)
    }

    /// Tells all peers that a tube was paused, or is no more; on the event loop only.
    package func tellPause(_ tube: TubeName) {
        core.value.tellPause(tube)
    }
}
