import Logging
import NIOCore
import Synchronization

/// Puts new connections on the loop that they belong to.
final class Acceptor: Sendable {
    /// There are as many connections as may be, or the server is not running.
    struct Refused: Error {}

    private struct Server {
        var loops: [ObjectIdentifier: ServerLoop] = [:]
        var counters: ServerCounters?
        var logger: Logger?
    }

    private let server = Mutex(Server())

    /// Says where connections go.
    func start(loops: [ServerLoop], counters: ServerCounters, logger: Logger) {
        server.withLock {
            for loop in loops { $0.loops[ObjectIdentifier(loop.eventLoop)] = loop }
            $0.counters = counters
            $0.logger = logger
        }
    }

    /// Takes a connection in.
    ///
    /// Called on its own event loop.
    ///
    /// - Throws: ``Refused``: the channel is then closed.
    func accept(_ channel: any Channel) throws {
        let (loop, counters, logger) = server.withLock {
            ($0.loops[ObjectIdentifier(channel.eventLoop)], $0.counters, $0.logger)
        }
        guard let loop, let counters else { throw Refused() }
        guard counters.admit() else {
            logger?.info("connection refused: too many connections (-c)")
            throw Refused()
        }
        do {
            try channel.pipeline.syncOperations.addHandler(ConnectionHandler(loop: loop))
        } catch {
            counters.leave(isProducer: false, isWorker: false)
            throw error
        }
    }

    /// Notes that a connection could not be accepted.
    func report(_ error: any Error) {
        guard !(error is Refused) else { return }
        let logger = server.withLock { $0.logger }
        logger?.warning("cannot accept a connection", metadata: ["error": "\(error)"])
    }
}

/// Hears of connections that could not be accepted.
final class AcceptErrorHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let acceptor: Acceptor

    init(acceptor: Acceptor) { self.acceptor = acceptor }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { acceptor.report(error) }
}
