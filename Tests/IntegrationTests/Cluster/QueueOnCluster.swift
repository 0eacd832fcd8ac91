import Aerospike
import AerospikeTestKit
import Foundation

/// A queue of its own on an Aerospike cluster, and the servers of it: nodes in this process, or real ones.
final class QueueOnCluster: Sendable {
    /// Where the nodes are.
    enum Place: String, Sendable, CaseIterable, CustomStringConvertible {
        /// In this process.
        case inProcess = "in process"
        /// Where AEROSPIKE_HOST says (`host[:port],…`).
        case live = "AEROSPIKE_HOST"

        var description: String { rawValue }

        /// The places that there are now.
        static let all: [Place] = liveHosts == nil ? [.inProcess] : [.inProcess, .live]
        static let liveHosts = ProcessInfo.processInfo.environment["AEROSPIKE_HOST"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The namespace's URL.
    let url: String
    /// What the names of the queue's sets begin with.
    ///
    /// A server takes 4,095 sets and never forgets one, so there are few
    /// prefixes: nobody else's now, as far as can be told, and emptied at the start.
    let setPrefix = "i\(getpid() % 32)-"
    private let nodes: TestCluster?

    /// Starts nodes, or finds real ones.
    private init(_ place: Place, settingsLoseJobs: Bool) async throws {
        switch place {
        case .inProcess:
            var configuration = TestCluster.Configuration()
            if !settingsLoseJobs { configuration.namespaces[1].conflictResolution = .lastUpdateTime }
            let nodes = try await TestCluster.start(nodes: 2, replicationFactor: 2, configuration: configuration)
            self.nodes = nodes
            url = "aerospike://\(nodes.seeds.map { "\($0.host):\($0.port)" }.joined(separator: ","))/beanspike"
        case .live:
            nodes = nil
            url = "aerospike://\(Place.liveHosts ?? "127.0.0.1")/test"
            try await emptySets()
        }
    }

    /// Empties the sets of the prefix on the real nodes.
    private func emptySets() async throws {
        let hosts = (Place.liveHosts ?? "127.0.0.1").split(separator: ",").map { host in
            let parts = host.split(separator: ":")
            return AerospikeClientConfiguration.Host(
                String(parts[0]),
                port: parts.count > 1 ? Int(parts[1]) ?? 3_000 : 3_000
            )
        }
        try await AerospikeClient.withClient(AerospikeClientConfiguration(seeds: hosts)) { client in
            for set in ["queue", "tubes", "registry", "leaves", "segments", "bodies", "processes"] {
                try await client.truncate(namespace: "test", set: setPrefix + set)
            }
        }
    }

    /// Runs a test on a queue, on a thread of its own.
    static func with(
        _ place: Place,
        settingsLoseJobs: Bool = false,
        _ body: @escaping @Sendable (QueueOnCluster) throws -> Void
    ) async throws {
        let queue = try await QueueOnCluster(place, settingsLoseJobs: settingsLoseJobs)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await onThread { try body(queue) })
        } catch {
            outcome = .failure(error)
        }
        await queue.nodes?.stop()
        try outcome.get()
    }

    /// Starts a server of the queue.
    func server(_ arguments: [String] = []) throws -> ServerProcess {
        // One real node that keeps all in memory is no place for jobs that matter.
        let options = ["--set-prefix", setPrefix] + (nodes == nil ? ["--accept-risks"] : [])
        return try ServerProcess(store: url, arguments: options + arguments)
    }
}
