import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import Logging
import NIOCore
import Testing

/// What the suite runs against: the nodes that `AEROSPIKE_HOST` names, or in-process ones.
///
/// On nodes that others use too it keeps to the namespace `test`, and to sets whose names begin with `swift-`.
struct ServerUnderTest: Sendable, CustomTestStringConvertible {
    /// How many nodes to start in process; nil for those named.
    var nodeCount: Int?

    var testDescription: String {
        nodeCount.map { "\($0) in process" } ?? "AEROSPIKE_HOST"
    }

    /// One in-process node and three of them, or whatever is named.
    static let all: [ServerUnderTest] =
        !RealServer.isNamed
        ? [ServerUnderTest(nodeCount: 1), ServerUnderTest(nodeCount: 3)] : [ServerUnderTest(nodeCount: nil)]

    /// The nodes in process, and whatever is named as well.
    static let allAndInProcess: [ServerUnderTest] =
        [ServerUnderTest(nodeCount: 1), ServerUnderTest(nodeCount: 3)]
        + (RealServer.isNamed ? [ServerUnderTest(nodeCount: nil)] : [])

    /// The addresses in `AEROSPIKE_HOST`.
    static var namedSeeds: [AerospikeClientConfiguration.Host] {
        RealServer.addresses.map { .init($0.host, port: $0.port) }
    }

    /// Runs something with a client of the server.
    func withClient(
        _ configure: (inout AerospikeClientConfiguration) -> Void = { _ in },
        _ body: @Sendable (AerospikeClient) async throws -> Void
    ) async throws {
        guard let nodeCount else {
            var configuration = AerospikeClientConfiguration(seeds: ServerUnderTest.namedSeeds)
            try await run(&configuration, configure, body)
            return
        }
        try await TestCluster.withCluster(nodes: nodeCount, replicationFactor: min(2, nodeCount)) { cluster in
            var configuration = AerospikeClientConfiguration(seeds: cluster.seeds.map { .init($0.host, port: $0.port) })
            try await run(&configuration, configure, body)
            #expect(cluster.counters.unknownRequests == [])
        }
    }

    private func run(
        _ configuration: inout AerospikeClientConfiguration,
        _ configure: (inout AerospikeClientConfiguration) -> Void,
        _ body: @Sendable (AerospikeClient) async throws -> Void
    ) async throws {
        // What is measured here is never time: a machine that has much else to do is to pass as well.
        configuration.call.timeout = .seconds(120)
        configuration.connectTimeout = .seconds(120)
        configuration.stallTimeout = .seconds(120)
        configure(&configuration)
        try await AerospikeClient.withClient(
            configuration,
            logger: ServerUnderTest.logger,
            timeout: .seconds(120),
            body
        )
    }

    /// Says nothing: what matters is in the tests' results.
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// A set of records that a test has for itself.
struct TestSet: Sendable {
    let name: String

    init(_ test: String) {
        // Runs of the suite at the same time do not meet.
        name = "swift-\(test)-\(UInt32.random(in: 0 ... .max))"
    }

    func key(_ userKey: UserKey) -> Key {
        Key(namespace: "test", set: name, userKey)
    }

    func key(_ number: Int) -> Key {
        key(.integer(Int64(number)))
    }

    /// Deletes records when a test is done with them, so that nothing gathers on a server that stays.
    func remove(_ keys: some Sequence<Key>, from client: AerospikeClient) async {
        _ = try? await client.batch(keys.map { BatchCall.delete($0) })
    }
}
