import Aerospike
import AerospikeTestKit
import BeanspikeCore
import Glibc
import Logging
import Testing

@testable import AerospikeStore

/// Settings as they are read from nodes: in this process, and a real one.
@Suite struct SettingsReportTests {
    private static let named = getenv("AEROSPIKE_HOST").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }

    private func withClient(
        _ seeds: [AerospikeClientConfiguration.Host],
        _ body: (AerospikeClient) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try await AerospikeClient.withClient(.init(seeds: seeds), logger: logger, timeout: .seconds(60), body)
    }

    private func withNodes(
        _ count: Int,
        copies: Int,
        _ configure: (inout TestCluster.Configuration) -> Void = { _ in },
        _ body: @Sendable (TestCluster, AerospikeClient) async throws -> Void
    ) async throws {
        var configuration = TestCluster.Configuration()
        for index in configuration.namespaces.indices {
            configuration.namespaces[index].conflictResolution = .lastUpdateTime
        }
        configure(&configuration)
        try await TestCluster.withCluster(nodes: count, replicationFactor: copies, configuration: configuration) {
            cluster in
            try await withClient(cluster.seeds.map { .init($0.host, port: $0.port) }) { client in
                try await body(cluster, client)
            }
            #expect(cluster.counters.unknownRequests == [])
        }
    }

    @Test func everyNodeIsAsked() async throws {
        try await withNodes(3, copies: 2, { $0.clusterSizeMin = 2 }) { cluster, client in
            let report = try await SettingsReport.read(client: client, namespace: "beanspike")
            #expect(report.settings.nodes.map(\.node) == (0..<3).map(cluster.name(ofNode:)).sorted())
            #expect(report.troubles == ["storage-engine": .warning])
            #expect(
                report.promise
                    == "3 nodes of 8.1.0.3, 2 copies of each job, in memory alone: losing any one node loses "
                    + "no job, losing more at once does; in a partition only a side of 2 nodes or more goes on"
            )
        }
    }

    @Test func theDefaultIsRefused() async throws {
        let configure: @Sendable (inout TestCluster.Configuration) -> Void = {
            $0.namespaces[1].conflictResolution = .generation
        }
        try await withNodes(3, copies: 2, configure) { _, client in
            let report = try await SettingsReport.read(client: client, namespace: "beanspike")
            #expect(report.troubles["conflict-resolution-policy"] == .refused)
            #expect(report.troubles["min-cluster-size"] == .warning)
            #expect(report.promise.hasSuffix("a partition can lose acknowledged jobs"))
        }
        try await withNodes(1, copies: 1, configure) { _, client in
            let report = try await SettingsReport.read(client: client, namespace: "beanspike")
            #expect(report.troubles["conflict-resolution-policy"] == .warning)
            #expect(
                report.promise
                    == "1 node of 8.1.0.3, 1 copy of each job, in memory alone: jobs on a node that stops are lost"
            )
        }
    }

    /// What a remedy says to type is what nodes take, and then there is nothing to say any more.
    @Test(arguments: [("max-record-size", "2000"), ("default-ttl", "60")])
    func aRemedyHelps(name: String, bad: String) async throws {
        try await withNodes(3, copies: 2) { cluster, client in
            let wrong = cluster.name(ofNode: 1)
            let command = "set-config:context=namespace;id=test;\(name)=\(bad)"
            #expect(try await client.info([command], node: wrong)[wrong]?[command] == "ok")
            let report = try await SettingsReport.read(client: client, namespace: "test")
            #expect(report.troubles[name] == .refused)
            #expect(report.troubles["\(name) (differs)"] == .warning)
            let remedy = try #require(report[name]?.remedy)
            // One for all nodes, and one for the node that is wrong.
            #expect(remedy.commands.count == 1)
            #expect(remedy.alternatives.count == 1)
            let typed = try #require(remedy.alternatives.first?.split(separator: "'"))
            #expect(typed[0] == "asinfo -h 127.0.0.1 -p \(cluster.seeds[1].port) -v ")
            #expect(try await client.info([String(typed[1])], node: wrong)[wrong]?[String(typed[1])] == "ok")
            let better = try await SettingsReport.read(client: client, namespace: "test")
            #expect(better[name]?.level ?? .fine == .fine)
            #expect(better["\(name) (differs)"] == nil)
        }
    }

    @Test func aNodeThatIsGoneIsNotWaitedForTwice() async throws {
        try await withNodes(3, copies: 2, { $0.clusterSizeMin = 2 }) { cluster, client in
            await cluster.kill(2)
            // Its place in the client's map may be empty by now or not: what the others say is told either way.
            let report = try await SettingsReport.read(client: client, namespace: "beanspike")
            #expect(report.settings.nodes.count == 2)
            #expect(report.troubles["conflict-resolution-policy"] == nil)
        }
    }

    @Test func aNamespaceThatIsNotThereIsRefused() async throws {
        try await withNodes(1, copies: 1) { _, client in
            let report = try await SettingsReport.read(client: client, namespace: "none")
            #expect(report.troubles == ["namespace": .refused])
        }
    }

    @Test(.enabled(if: named != nil, "set AEROSPIKE_HOST to host or host:port of a real server"))
    func aRealServerIsRead() async throws {
        let seeds = try #require(Self.named).split(separator: ",").map { part in
            let words = part.split(separator: ":")
            return AerospikeClientConfiguration.Host(
                String(words[0]),
                port: words.count > 1 ? Int(words[1]) ?? 3000 : 3000
            )
        }
        try await withClient(seeds) { client in
            let report = try await SettingsReport.read(client: client, namespace: "test")
            let configuration = try await client.configuration(ofNamespace: "test")
            #expect(Set(report.settings.nodes.map(\.node)) == Set(configuration.keys))
            for node in report.settings.nodes {
                let told = try #require(configuration[node.node])
                #expect(node.replicationFactor == told.integer("replication-factor"))
                #expect(node.recordBytesMax == told.integer("max-record-size"))
                #expect(node["conflict-resolution-policy"] == told["conflict-resolution-policy"])
                #expect(node.clusterSize == configuration.count)
                #expect(node.version != nil)
            }
            for name in ["nodes", "replication-factor", "storage-engine", "max-record-size", "nsup-period"] {
                #expect(report[name] != nil)
            }
            #expect(report.promise.hasPrefix("\(configuration.count) node"))
        }
    }
}
