import Aerospike
import AerospikeTestKit
import Testing

/// What the test kit's documentation shows compiles, and means what it says.
struct TestKitDocumentationTests {
    /// The steps of "Testing with faults".
    @Test func testingWithFaults() async throws {
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2) { cluster in
            var configuration = AerospikeClientConfiguration(
                seeds: cluster.seeds.map { .init($0.host, port: $0.port) }
            )
            // A machine that has much else to do is to pass as well.
            configuration.call.timeout = .seconds(120)
            configuration.call.tryTimeout = .seconds(30)
            configuration.connectTimeout = .seconds(120)
            try await AerospikeClient.withClient(
                configuration,
                logger: ServerUnderTest.logger,
                timeout: .seconds(120)
            ) { client in
                let key = Key(namespace: "test", set: "people", "ann")
                try await client.put(key, ["visits": 1])
                #expect(try await client.get(key)?["visits"] == 1)

                cluster.inject(Fault(.swallowReply(then: .close)) { $0.kind == .write })
                do throws(AerospikeError) {
                    try await client.add(key, ["visits": 1])
                    Issue.record("A write without an answer came to something.")
                } catch {
                    #expect(error.inDoubt)
                }
                #expect(try await client.get(key)?["visits"] == 2)

                cluster.inject(Fault(.answer(.keyBusy, isApplied: false)) { $0.kind == .write })
                try await client.add(key, ["visits": 1])
                #expect(try await client.get(key)?["visits"] == 3)
                #expect(cluster.faultsLeft == 0)

                await cluster.kill(1)
                #expect(try await client.get(key)?["visits"] == 3)
                try await cluster.restart(1)
            }
            #expect(cluster.counters.unknownRequests == [])
        }
    }
}
