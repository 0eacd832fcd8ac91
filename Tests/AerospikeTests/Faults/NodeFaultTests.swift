import Aerospike
import Logging
import Testing

/// What calls come to when nodes fail under load.
enum NodeFaultCase {
    /// Codes that a call may come to while nodes fail.
    static let codes: Set<ResultCode> = [
        .connection, .timeout, .invalidNode, .maxErrorRate, .partitionUnavailable, .keyBusy, .queueFull,
    ]

    /// Lets a fault happen under load, and checks every answer.
    static func run(_ fault: NodeFault, on cluster: any FaultyCluster) async throws -> LoadReport {
        PartitionProbe.prepare()
        try await fault.prepare(cluster)
        let configuration = AerospikeClientConfiguration(seeds: cluster.seeds)
        return try await AerospikeClient.withClient(configuration) { client in
            let seed = UInt64.random(in: 0..<1_000_000)
            let load = FaultLoad(client, seed: seed, letsWritesBeLate: fault.letsWritesBeLate)
            let report = try await load.run { load in
                await load.calls(1000)
                load.faultBegins()
                try await fault.begin(cluster)
                try await load.waitForAllPartitions()
                await load.calls(3000)
                try await fault.end(cluster)
                try await PartitionProbe.run(client)
                await load.calls(3000)
            }
            print("A node is \(fault.rawValue) (seed \(seed)): \(report)")
            #expect(report.violations.isEmpty, "seed \(seed)")
            #expect(report.codes.isSubset(of: codes), "seed \(seed): \(report)")
            // Few: of 24 tasks each may fail a few times until its cluster goes on without the node.
            #expect(report.failureCount <= 24 * 8, "seed \(seed): \(report)")
            return report
        }
    }
}

/// The same on real nodes.
@Suite(
    .enabled(
        if: RealCluster.isAvailable,
        "set AEROSPIKE_UP to a program that starts a cluster, and AEROSPIKE_ASD to the server's (see RealCluster)"
    ),
    .serialized
)
struct RealNodeFaultTests {
    @Test(.timeLimit(.minutes(2)), arguments: NodeFault.allCases)
    func errorsAreFewAndRightAndCallsWorkAgainSoon(fault: NodeFault) async throws {
        try await RealCluster.withCluster { cluster in
            let report = try await NodeFaultCase.run(fault, on: cluster)
            #expect(report.failuresLasted <= .seconds(3), "\(report)")
            #expect(report.recovery <= .seconds(4), "\(report)")
        }
    }
}
