import AerospikeTestKit
import AerospikeTestSupport
import Testing

/// A client that others wrote, on one node and on several.
struct PythonClientTests {
    @Test(
        .enabled(if: PythonProgram.hasClient, "\(PythonProgram.remedy)"),
        arguments: [1, 3]
    )
    func aClientUsesAllThatItHas(nodes: Int) async throws {
        try await TestCluster.withCluster(nodes: nodes, replicationFactor: min(2, nodes)) { cluster in
            let ports = cluster.seeds.map { "\($0.port)" }
            let (status, output) = try await PythonProgram.run(
                script: "Tests/AerospikeTestKitTests/Clients/aerospike_client.py",
                ports
            )
            #expect(status == 0 && output == "ok\n", "\(output)")
            #expect(cluster.counters.unknownRequests == [])
            for node in 0..<nodes {
                #expect(cluster.counters(ofNode: node).calls > 0)
            }
            // A client that knows where records are asks nobody else.
            #expect(cluster.counters.proxied == 0)
        }
    }
}
