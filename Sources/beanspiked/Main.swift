import ArgumentParser
import Beanspike
import BeanspikeCore
import BeanspikeServer
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Puts a server together: listens, drops privileges, opens the store, serves, closes the store.
@main
enum Main {
    // Not `async`: the first thread of an asynchronous program ends where that waits, and keeps, in the eyes of `ps`,
    // the user that the others gave up with -u.
    static func main() {
        Process.configureMemory()
        let command = parse()
        if command.showsVersion {
            Output.print("beanspiked \(BeanspikeServer.version)")
            exit(0)
        }
        do {
            try start(command)
        } catch let error as JobStoreError {
            fail(error.message)
        } catch let error as BeanspikeServerError {
            fail(error.message)
        } catch {
            fail("\(error)")
        }
        exit(0)
    }

    /// The command line, or its end: 0 where help was asked for, 2 where it makes no sense.
    private static func parse() -> Beanspiked {
        do {
            return try Beanspiked.parse()
        } catch {
            let isHelp = Beanspiked.exitCode(for: error) == .success
            let message = Beanspiked.fullMessage(for: error)
            Output.print(message, to: isHelp ? STDOUT_FILENO : STDERR_FILENO)
            exit(isHelp ? 0 : 2)
        }
    }

    private static func start(_ command: Beanspiked) throws {
        let logger = command.logger
        if command.doesNotCompact { logger.warning("-n is taken and does nothing: the journal is always compacted") }
        if command.bodyBytesMax > UInt64(Limits.bodyBytesMaxCeiling) {
            logger.warning("-z is too large", metadata: ["used": "\(Limits.bodyBytesMaxCeiling)"])
        }
        let location = try command.location(environment: Process.environment())

        let group = MultiThreadedEventLoopGroup(numberOfThreads: command.threads)
        let address = ListenAddress(command.address, port: Int(command.port))
        let listener = try group.any().makeFutureWithTask { try await ServerListener.bind(address, group: group) }
            .wait()
        if let user = command.user { try Process.become(user: user) }
        // One thread does it all: what passes between two costs more than the work is, and on few processors there is
        // nothing to gain.
        let storeLoop = command.threads == 1 ? group.any() : nil
        try group.any().makeFutureWithTask { try await serve(command, listener, location, storeLoop, logger) }.wait()
    }

    private static func serve(
        _ command: Beanspiked,
        _ listener: ServerListener,
        _ location: StoreLocation,
        _ storeLoop: (any EventLoop)?,
        _ logger: Logger
    ) async throws {
        if case .aerospike = location, !command.embeddedFlags.isEmpty {
            logger.warning(
                "flags of the embedded store do nothing on Aerospike",
                metadata: ["flags": "\(command.embeddedFlags.joined(separator: " "))"]
            )
        }
        let store = try await location.open(command.storeOptions, on: storeLoop, logger: logger)
        let server = BeanspikeServer(
            listener: listener,
            store: store,
            options: command.serverOptions,
            logger: logger,
            whenReady: { Output.print("beanspiked listening on \($0)") }
        )
        // Trapped before anybody can know that we run.
        let drainSignals = DrainSignals(
            signals: await UnixSignalsSequence(trapping: .sigusr1, .sigusr2),
            server: server
        )
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: drainSignals),
                    .init(service: server),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        let served: Result<Void, any Error>
        do {
            served = .success(try await services.run())
        } catch {
            served = .failure(error)
        }
        try await store.close()
        try served.get()
    }

    private static func fail(_ message: String) -> Never {
        Output.print("beanspiked: \(message)", to: STDERR_FILENO)
        exit(1)
    }
}

/// Turns jobs away from SIGUSR1 until SIGUSR2.
struct DrainSignals: Service {
    let signals: UnixSignalsSequence
    let server: BeanspikeServer

    func run() async throws {
        for await signal in signals.cancelOnGracefulShutdown() {
            if signal == .sigusr1 { server.isDraining = true }
            if signal == .sigusr2 { server.isDraining = false }
        }
    }
}
