import AerospikeTestKit
import Beanspike
import BeanspikeCore
import Testing

@Suite("What a store's place promises")
struct StoreExaminationTests {
    @Test("memory keeps nothing, and that is no failure")
    func memory() async throws {
        let examination = try await StoreLocation.memory.examine()
        #expect(examination.level == .warning)
        #expect(examination.promise.contains("nothing outlasts it"))
    }

    @Test("a directory that cannot be used is refused")
    func embedded() async throws {
        let examination = try await StoreLocation.embedded(directory: "/proc").examine()
        #expect(examination.level == .refused)
        #expect(examination.promise == "no store can be opened here")
    }

    @Test("a cluster is asked for its settings")
    func aerospike() async throws {
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2) { cluster in
            let nodes = cluster.seeds.map { StoreLocation.Node(host: $0.host, port: $0.port) }
            let location = StoreLocation.aerospike(nodes: nodes, namespace: "beanspike")
            let examination = try await location.examine(timeout: .seconds(60))
            #expect(examination.level == .refused)
            #expect(examination.promise.hasPrefix("3 nodes of 8.1.0.3, 2 copies of each job"))
            let finding = examination.findings.first { $0.level == .refused }
            #expect(finding?.subject == "conflict-resolution-policy")
        }
    }

    @Test("a cluster that cannot be reached is an error that says where it was sought")
    func unreachable() async throws {
        // A port that was a node's a moment ago.
        let port = try await TestCluster.withCluster { try #require($0.seeds.first).port }
        let location = StoreLocation.aerospike(nodes: [.init(host: "127.0.0.1", port: port)], namespace: "jobs")
        let error = try await #require(throws: JobStoreError.self) {
            try await location.examine(timeout: .milliseconds(500))
        }
        #expect(error.code == .cannotOpen)
        #expect(error.message.hasPrefix("Cannot ask aerospike://127.0.0.1:\(port)/jobs: "))
    }
}
