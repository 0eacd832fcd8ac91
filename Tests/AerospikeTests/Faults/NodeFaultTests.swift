import Aerospike
import AerospikeTestKit
import Testing

/// What calls come to when nodes fail under load.
enum NodeFaultCase {
    /// Codes that a call may come to while nodes fail.
    static let codes: Set<ResultCode> = [
        .connection, .timeout, .invalidNode, .maxErrorRate, .partitionUnavailable, .keyBusy, .queueFull,
    ]

    /// Lets a node fail under load, and checks every answer.
    static func run(_ fault: NodeFault, on cluster: any FaultyCluster) async throws -> LoadReport {
        PartitionProbe.prepare()
        try await fault.prepare(cluster)
        let report = try await underLoad(
            on: cluster,
            "a node is \(fault.rawValue)",
            letsWritesBeLate: true,
            bringsStaleCopies: fault.bringsStaleCopies
        ) { load in
            try await fault.begin(cluster)
            if fault == .joined {
                // It takes a node seconds to start, before it begins to join.
                load.faultBegins()
            }
            try await load.waitForAllPartitions()
            await load.calls(3000)
            try await fault.end(cluster)
            try await PartitionProbe.run(load.client)
            await load.calls(3000)
        }
        #expect(report.codes.isSubset(of: codes), "\(report)")
        // Few: each of 24 tasks may fail a few times until the cluster goes on without the node.
        #expect(report.failureCount <= 24 * 8, "\(report)")
        return report
    }

    /// Lets something happen under load, and checks every answer.
    static func underLoad(
        on cluster: any FaultyCluster,
        _ name: String,
        seed: UInt64 = .random(in: 0..<1_000_000),
        letsWritesBeLate: Bool = false,
        bringsStaleCopies: Bool = false,
        _ body: (FaultLoad) async throws -> Void
    ) async throws -> LoadReport {
        let configuration = AerospikeClientConfiguration(seeds: cluster.seeds)
        return try await AerospikeClient.withClient(configuration, timeout: .seconds(60)) { client in
            // Whatever was prepared is over.
            try await PartitionProbe.run(client)
            let load = FaultLoad(
                client,
                seed: seed,
                letsWritesBeLate: letsWritesBeLate,
                bringsStaleCopies: bringsStaleCopies
            )
            let report = try await load.run { load in
                await load.calls(1000)
                load.faultBegins()
                try await body(load)
                // Whatever happened, all is well after it.
                await load.calls(500)
            }
            print("\(name) (seed \(seed)): \(report)")
            #expect(report.violations.isEmpty, "seed \(seed)")
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
        }
    }
}

/// On nodes in this process.
@Suite(.serialized)
struct NodeFaultTests {
    @Test(.timeLimit(.minutes(1)), arguments: NodeFault.allCases)
    func errorsAreFewAndRight(fault: NodeFault) async throws {
        try await InProcessCluster.withCluster { cluster in
            _ = try await NodeFaultCase.run(fault, on: cluster)
        }
    }

    /// Every connection is cut again and again while calls are under way.
    @Test(.timeLimit(.minutes(1))) func connectionsThatAreCutCostNoMoreThanWhatWasUnderWay() async throws {
        try await InProcessCluster.withCluster { cluster in
            let cuts = 10
            let report = try await NodeFaultCase.underLoad(on: cluster, "all connections are cut \(cuts) times") {
                load in
                for _ in 0..<cuts {
                    for node in 0..<3 {
                        await cluster.cluster.cutConnections(toNode: node)
                    }
                    await load.calls(200)
                }
            }
            #expect(report.codes.isSubset(of: [.connection, .timeout]), "\(report)")
            // Each task has one call under way when a connection is cut, and connections that break at once are not made
            // anew at once.
            #expect(report.failureCount <= cuts * 24 * 3, "\(report)")
        }
    }

    /// A node that goes leaves partitions on their way: nothing is at the place where it belongs for long.
    @Test(.timeLimit(.minutes(1))) func partitionsThatMoveHarmNothing() async throws {
        try await InProcessCluster.withCluster { cluster in
            let report = try await NodeFaultCase.underLoad(on: cluster, "partitions are held on their way") { load in
                cluster.cluster.holdMigrations()
                await cluster.kill(2)
                try await load.waitForAllPartitions()
                try await cluster.restart(2)
                await load.calls(500)
                cluster.cluster.releaseMigrations()
                try await load.waitForAllPartitions()
            }
            #expect(report.codes.isSubset(of: NodeFaultCase.codes))
        }
    }

    /// What goes wrong with single requests, by chance.
    @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 3, 4]) func requestsThatGoWrongAreToldAsTheyAre(seed: UInt64)
        async throws
    {
        try await InProcessCluster.withCluster { cluster in
            let codes: [ResultCode] = [
                .timeout, .keyBusy, .deviceOverload, .partitionUnavailable, .outOfSpace, .recordTooBig, .forbidden,
                .filteredOut,
            ]
            let report = try await NodeFaultCase.underLoad(
                on: cluster,
                "requests go wrong",
                seed: seed,
                letsWritesBeLate: true
            ) { load in
                var faults = RandomFaults(seed: seed)
                faults.swallowReply = 0.002
                faults.dropRequest = 0.002
                faults.cutReply = 0.002
                faults.delayReply = 0.02
                faults.answerCode = 0.02
                faults.resultCodes = codes
                cluster.cluster.setRandomFaults(faults)
                await load.calls(4000)
                cluster.cluster.setRandomFaults(nil)
            }
            #expect(report.codes.isSubset(of: NodeFaultCase.codes.union(codes)), "\(report)")
            // Codes that say that nothing was done leave no doubt.
            let certain: Set<ResultCode> = [.outOfSpace, .recordTooBig, .forbidden, .filteredOut, .keyBusy]
            #expect(!report.failures.keys.contains { certain.contains($0.code) && $0.inDoubt && $0.call != "batch" })
        }
    }
}
