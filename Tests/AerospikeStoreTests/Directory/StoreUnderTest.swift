import Aerospike
import AerospikeTestKit
import BeanspikeCore
import Glibc
import Logging
import Testing

@testable import AerospikeStore

/// What directories and bodies are tried on: a cluster in process, or the real nodes that `AEROSPIKE_HOST` names.
struct StoreUnderTest: Sendable, CustomTestStringConvertible {
    /// Whether it is the real one.
    let isReal: Bool

    var testDescription: String { isReal ? "AEROSPIKE_HOST" : "in process" }

    /// The nodes in `AEROSPIKE_HOST`: `host[:port],…`.
    static let namedSeeds: [AerospikeClientConfiguration.Host] =
        (getenv("AEROSPIKE_HOST").map { String(cString: $0) } ?? "").split(separator: ",").map { part in
            let words = part.split(separator: ":")
            return .init(String(words[0]), port: words.count > 1 ? Int(words[1]) ?? 3000 : 3000)
        }

    /// A cluster in process, and the real one if one is named.
    static let all: [StoreUnderTest] =
        [StoreUnderTest(isReal: false)] + (namedSeeds.isEmpty ? [] : [StoreUnderTest(isReal: true)])

    /// Runs something with a client of the cluster, in sets that nobody else uses.
    func withClient(
        faults: RandomFaults? = nil,
        _ body: @Sendable (AerospikeClient, StoreLayout) async throws -> Void
    ) async throws {
        let layout = StoreLayout(namespace: "test", prefix: "d\(UInt32.random(in: 0 ... .max)).")
        guard !isReal else {
            try await run(Self.namedSeeds, layout, body)
            return
        }
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2) { cluster in
            cluster.setRandomFaults(faults)
            try await run(cluster.seeds.map { .init($0.host, port: $0.port) }, layout, body)
            #expect(cluster.counters.unknownRequests == [])
        }
    }

    private func run(
        _ seeds: [AerospikeClientConfiguration.Host],
        _ layout: StoreLayout,
        _ body: @Sendable (AerospikeClient, StoreLayout) async throws -> Void
    ) async throws {
        var configuration = AerospikeClientConfiguration(seeds: seeds)
        configuration.call.timeout = .seconds(60)
        configuration.call.triesMax = 50
        // Of a stalled connection no more than this is lost.
        configuration.call.tryTimeout = .milliseconds(500)
        configuration.connectTimeout = .seconds(60)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try await AerospikeClient.withClient(configuration, logger: logger, timeout: .seconds(60)) { client in
            do {
                try await body(client, layout)
            } catch {
                await Self.empty(layout, client)
                throw error
            }
            await Self.empty(layout, client)
        }
    }

    /// Deletes what a test left, so that nothing gathers on a server that stays.
    private static func empty(_ layout: StoreLayout, _ client: AerospikeClient) async {
        for set in StoreLayout.SetName.allCases {
            try? await client.truncate(namespace: layout.namespace, set: layout.name(of: set))
        }
    }
}

extension TubeDirectory {
    /// A directory that is made for a test.
    static func make(_ client: AerospikeClient, _ layout: StoreLayout, _ name: String = "t") async throws
        -> TubeDirectory
    {
        let tube = try #require(TubeName(name))
        return try #require(
            try await open(tube, creates: true, calls: GuardedCalls(client), layout: layout)
        )
    }

    /// Takes a segment into the directory, at the next place.
    func add(_ segment: Int, key: DirectoryKey) async throws -> Int {
        let position = try await takePlaces(1)[0]
        let added = try await add([NewSegment(segment, at: position, key: key)])
        return try #require(added.first).position
    }
}

extension AerospikeClient {
    /// Checks how many messages something takes.
    func expect(
        requests: Int,
        at location: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async throws {
        let count = try await self.requests(body)
        #expect(count == requests, sourceLocation: location)
    }

    /// How many messages something takes.
    func requests(_ body: () async throws -> Void) async throws -> Int {
        let before = statistics.requestCount
        try await body()
        return statistics.requestCount - before
    }
}
