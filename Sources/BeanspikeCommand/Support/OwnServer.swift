import Beanspike
import BeanspikeCore
import BeanspikeServer
import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// A server inside of this process, for `--store`: the store that a URL names, on a socket that nobody else sees.
///
/// Every command speaks to a server; so with a store it brings its own, and what a command does is the same either way.
final class OwnServer: Sendable {
    /// Where to connect to.
    let address: ServerAddress
    private let directory: String
    private let group: MultiThreadedEventLoopGroup
    private let store: any JobStore
    private let serving: Task<Void, Never>

    /// The server of this process, if it has one.
    private static let current = Mutex<OwnServer?>(nil)

    /// The address of a server for the store, which is started where there is none yet.
    static func address(of url: String) throws -> ServerAddress {
        try current.withLock { current in
            let server = try current ?? OwnServer(url)
            current = server
            return server.address
        }
    }

    /// Ends it, if it was started: what the command reserved is ready for others.
    static func stop() throws {
        let server = current.withLock { current in
            defer { current = nil }
            return current
        }
        try server?.stop()
    }

    private init(_ url: String) throws {
        let location: StoreLocation
        do throws(JobStoreError) { location = try StoreLocation(url) } catch {
            throw CommandError.misused(error.message)
        }
        var template = Array("/tmp/beanspike-XXXXXX".utf8CString)
        // Only this user can enter it.
        guard let made = mkdtemp(&template) else {
            throw CommandError.failed(
                "No directory for a socket can be made in /tmp: \(String(cString: strerror(errno)))."
            )
        }
        directory = String(cString: made)
        let path = "\(directory)/socket"
        address = .unix(path: path)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            (store, serving) = try Self.start(location, path, group)
        } catch {
            rmdir(directory)
            throw (error as? JobStoreError).map { CommandError.failed($0.message) } ?? error
        }
    }

    /// Opens the store and serves it; returns when connections are taken.
    private static func start(
        _ location: StoreLocation,
        _ path: String,
        _ group: MultiThreadedEventLoopGroup
    ) throws -> (any JobStore, Task<Void, Never>) {
        // What goes wrong is said by the command's one line.
        let logger = Logger(label: "beanspike") { _ in SwiftLogNoOpLogHandler() }
        return try group.any().makeFutureWithTask {
            let store = try await location.open(on: group.any(), logger: logger)
            do {
                let listener = try await ServerListener.bind(.unix(path: path), group: group)
                let (ready, isReady) = AsyncStream<Void>.makeStream()
                let server = BeanspikeServer(
                    listener: listener,
                    store: store,
                    // A command's bodies are as long as they are.
                    options: BeanspikeServer.Options(bodyBytesMax: Limits.bodyBytesMaxCeiling),
                    logger: logger
                ) { _ in isReady.finish() }
                // Owned by the server of this process, which ends it.
                let serving = Task {
                    try? await server.run()
                    isReady.finish()
                }
                for await _ in ready {}
                return (store, serving)
            } catch {
                try? await store.close()
                throw error
            }
        }.wait()
    }

    private func stop() throws {
        defer {
            if case .unix(let path) = address { unlink(path) }
            rmdir(directory)
            try? group.syncShutdownGracefully()
        }
        do {
            try group.any().makeFutureWithTask { [serving, store] in
                serving.cancel()
                await serving.value
                try await store.close()
            }.wait()
        } catch {
            throw CommandError.failed((error as? JobStoreError)?.message ?? "\(error)")
        }
    }
}
