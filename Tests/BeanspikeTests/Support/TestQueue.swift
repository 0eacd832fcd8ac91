import AerospikeTestKit
import Beanspike
import BeanspikeCore
import Foundation
import Logging
import Testing

/// A store that tests run on: in memory, in a directory, and on a cluster: in process, or the one that `AEROSPIKE_HOST` names
/// (`host[:port],…`).
enum TestQueue: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory
    case embedded
    case aerospike

    var testDescription: String { rawValue }

    /// Says nothing: what matters is in the tests' results.
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs something with a connection to a queue of its own.
    func withConnection(
        _ configuration: Connection.Configuration = .init(),
        _ body: @Sendable (Connection) async throws -> Void
    ) async throws {
        try await withConnections(1, configuration) { try await body($0[0]) }
    }

    /// Runs something with connections to one queue: on a cluster each is a process of it.
    func withConnections(
        _ count: Int,
        _ configuration: Connection.Configuration = .init(),
        _ body: @Sendable ([Connection]) async throws -> Void
    ) async throws {
        switch self {
        case .memory:
            try await Self.share(.memory, count, configuration, body)
        case .embedded:
            let directory = FileManager.default.temporaryDirectory
                .appendingPathComponent("beanspike-\(UInt64.random(in: 0 ... .max))").path
            defer { try? FileManager.default.removeItem(atPath: directory) }
            try await Self.share(.embedded(directory: directory), count, configuration, body)
        case .aerospike:
            try await Self.withNodes { nodes in
                var configuration = configuration
                configuration.store.setPrefix = "t\(UInt32.random(in: 0 ... .max))"
                configuration.store.acceptsRisks = true
                configuration.store.peerListening = .address(host: "127.0.0.1", port: 0)
                var connections: [Connection] = []
                for _ in 0..<count {
                    connections.append(
                        try await Connection.dial(
                            .aerospike(nodes: nodes, namespace: "test"),
                            configuration: configuration,
                            logger: Self.quiet
                        )
                    )
                }
                try await Self.run(connections, body)
            }
        }
    }

    private static func share(
        _ location: StoreLocation,
        _ count: Int,
        _ configuration: Connection.Configuration,
        _ body: @Sendable ([Connection]) async throws -> Void
    ) async throws {
        let store = try await location.open()
        let connections = (0..<count).map { _ in
            Connection(store: store, ownsStore: false, configuration: configuration, logger: quiet)
        }
        do {
            try await run(connections, body)
        } catch {
            try? await store.close()
            throw error
        }
        try await store.close()
    }

    private static func run(
        _ connections: [Connection],
        _ body: @Sendable ([Connection]) async throws -> Void
    ) async throws {
        do {
            try await body(connections)
        } catch {
            for connection in connections { try? await connection.close() }
            throw error
        }
        for connection in connections { try await connection.close() }
    }

    /// The nodes that `AEROSPIKE_HOST` names, or one in process.
    static func withNodes(_ body: @Sendable ([StoreLocation.Node]) async throws -> Void) async throws {
        if let hosts = ProcessInfo.processInfo.environment["AEROSPIKE_HOST"], !hosts.isEmpty {
            return try await body(
                hosts.split(separator: ",").map { host in
                    let parts = host.split(separator: ":")
                    return .init(host: String(parts[0]), port: parts.count > 1 ? Int(parts[1]) ?? 3_000 : 3_000)
                }
            )
        }
        try await TestCluster.withCluster(nodes: 1) { cluster in
            try await body(cluster.seeds.map { .init(host: $0.host, port: $0.port) })
        }
    }
}

/// Runs something that must throw this kind of error.
func expect(
    _ code: BeanspikeError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("nothing was thrown, not \(code)", sourceLocation: sourceLocation)
    } catch {
        #expect((error as? BeanspikeError)?.code == code, "\(error)", sourceLocation: sourceLocation)
    }
}

/// Waits until something is so that nobody tells of.
func eventually(
    _ what: Comment,
    within limit: Duration = .seconds(20),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ isSo: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await isSo() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record(what, sourceLocation: sourceLocation)
}

/// What happened, in order, for tests that wait for it.
final class Happenings<Event: Sendable>: Sendable {
    private let stream: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func add(_ event: Event) { continuation.yield(event) }

    /// The next thing that happens, or has happened and was not asked for yet.
    func next() async throws -> Event {
        for await event in stream { return event }
        throw CancellationError()
    }
}
