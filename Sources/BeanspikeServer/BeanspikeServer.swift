public import BeanspikeCore
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle

/// A server that speaks beanstalkd's protocol to clients and ``JobStore`` to a store.
///
/// It serves from ``run()`` until the service group stops it. Then it accepts no more connections, lets what was
/// submitted be answered, and closes the connections. The store stays open: it is its owner's to close.
public final class BeanspikeServer: Service, Sendable {
    /// What `stats` calls the version.
    public static let version = "beanspike-0.1.0"

    private let listener: ServerListener
    private let loops: [ServerLoop]
    private let counters: ServerCounters
    private let options: ServerOptions
    private let logger: Logger
    private let whenReady: @Sendable (ListenAddress) -> Void

    /// A server that does not serve yet.
    ///
    /// - Parameters:
    ///   - listener: The bound socket.
    ///   - store: Where jobs are kept.
    ///   - options: How clients are treated.
    ///   - logger: Where what an operator should know goes.
    ///   - whenReady: Called once connections are accepted.
    public init(
        listener: ServerListener,
        store: any JobStore,
        options: ServerOptions = ServerOptions(),
        logger: Logger,
        whenReady: @escaping @Sendable (ListenAddress) -> Void = { _ in }
    ) {
        let counters = ServerCounters(bodyBytesMax: options.bodyBytesMax, connectionsMax: options.connectionsMax)
        self.listener = listener
        self.counters = counters
        self.options = options
        self.logger = logger
        self.whenReady = whenReady
        var loops: [ServerLoop] = []
        for eventLoop in listener.group.makeIterator() {
            loops.append(ServerLoop(eventLoop: eventLoop, store: store, counters: counters, options: options))
        }
        self.loops = loops
    }

    /// Whether jobs are turned away with `DRAINING`.
    ///
    /// May be set from any thread.
    public var isDraining: Bool {
        get { counters.isDraining }
        set {
            counters.isDraining = newValue
            logger.notice("drain mode", metadata: ["on": "\(newValue)"])
        }
    }

    /// Serves until the task is cancelled or the service group shuts down.
    public func run() async throws {
        listener.acceptor.start(loops: loops, counters: counters, logger: logger)
        do {
            try await listener.channel.setOption(.autoRead, value: true).get()
        } catch {
            throw BeanspikeServerError(
                .cannotListen,
                "cannot accept connections on \(listener.address): \(error)",
                cause: error
            )
        }
        logger.info("serving", metadata: ["address": "\(listener.address)"])
        whenReady(listener.address)
        // Cancellation ends it too: a stop in haste is a stop all the same.
        try? await gracefulShutdown()
        logger.info("stopping")
        await listener.close()
        for loop in loops {
            let grace = options.stopGrace
            try? await loop.eventLoop.flatSubmit { loop.stop(grace: grace) }.get()
        }
        logger.info("stopped")
    }
}
