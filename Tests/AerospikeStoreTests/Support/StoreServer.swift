import Aerospike
import AerospikeStore
import AerospikeTestKit
import Glibc
import Logging
import NIOCore
import Testing

/// A server that a test of the store runs against: nodes in process, or those that `AEROSPIKE_HOST` names.
struct StoreServer: Sendable {
    /// The nodes in process; nil if they are real.
    let cluster: TestCluster?
    let client: AerospikeClient
    /// Sets that the test has for itself; few, since a server never forgets the name of one.
    let layout = StoreLayout(namespace: "test", prefix: "t\(UInt8.random(in: 0 ... .max))-")

    /// The addresses in `AEROSPIKE_HOST`: `host[:port],…`.
    static let namedSeeds: [AerospikeClientConfiguration.Host] = {
        let text = getenv("AEROSPIKE_HOST").map { String(cString: $0) } ?? ""
        return text.split(separator: ",").map { part in
            let words = part.split(separator: ":")
            return .init(String(words[0]), port: words.count > 1 ? Int(words[1]) ?? 3000 : 3000)
        }
    }()

    static var hasNamedServer: Bool { !namedSeeds.isEmpty }

    /// Runs something against nodes in process.
    static func withNodes(
        _ count: Int = 1,
        _ configuration: TestCluster.Configuration = .init(),
        _ body: @Sendable (StoreServer) async throws -> Void
    ) async throws {
        try await TestCluster.withCluster(
            nodes: count,
            replicationFactor: min(2, count),
            configuration: configuration
        ) { cluster in
            let seeds = cluster.seeds.map { AerospikeClientConfiguration.Host($0.host, port: $0.port) }
            try await run(seeds, cluster, body)
            #expect(cluster.counters.unknownRequests == [])
        }
    }

    /// Runs something against the real server.
    static func withNamedServer(_ body: @Sendable (StoreServer) async throws -> Void) async throws {
        try await run(namedSeeds, nil, body)
    }

    private static func run(
        _ seeds: [AerospikeClientConfiguration.Host],
        _ cluster: TestCluster?,
        _ body: @Sendable (StoreServer) async throws -> Void
    ) async throws {
        var configuration = AerospikeClientConfiguration(seeds: seeds)
        configuration.connectTimeout = .seconds(10)
        try await AerospikeClient.withClient(configuration, logger: quiet, timeout: .seconds(30)) { client in
            let server = StoreServer(cluster: cluster, client: client)
            // A test that failed before may have left its queue there.
            _ = try await client.delete(server.layout.queueKey)
            try await body(server)
            _ = try await client.delete(server.layout.queueKey)
        }
    }

    /// Says nothing: what matters is in the tests' results.
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
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

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func add(_ event: Event) {
        continuation.yield(event)
    }

    /// The next thing that happens, or has happened and was not asked for yet.
    func next() async throws -> Event {
        for await event in stream { return event }
        throw CancellationError()
    }

    /// The next thing of a kind; what comes before it is passed over.
    func next(where isWanted: @Sendable (Event) -> Bool) async throws -> Event {
        while true {
            let event = try await next()
            if isWanted(event) { return event }
        }
    }
}
