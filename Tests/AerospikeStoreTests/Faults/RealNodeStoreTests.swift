import Aerospike
import BeanspikeCore
import Foundation
import JobStoreTestKit
import Testing

@testable import AerospikeStore

/// The same on real nodes, which are killed, stopped and started again under load.
@Suite(
    .enabled(
        if: RealNodes.isAvailable,
        "set AEROSPIKE_UP to a program that starts a cluster, and AEROSPIKE_ASD to the server's (see RealNodes)"
    ),
    .serialized
)
struct RealNodeStoreTests {
    /// As long as a node takes to go and to come back.
    private static var plan: FaultRun.Plan {
        var plan = FaultRun.Plan()
        plan.instances = 2
        plan.sessionsPerInstance = 6
        plan.callsPerSession = 250
        plan.pauseMax = .milliseconds(40)
        plan.callTimeout = .seconds(2)
        plan.deathInterval = .seconds(2)
        plan.drainLimit = .seconds(40)
        plan.replyLimit = .seconds(30)
        return plan
    }

    /// Runs schedules one after the other on one cluster.
    private func rounds(
        _ setup: RealNodes.Setup,
        _ plan: FaultRun.Plan = Self.plan,
        name: String,
        disturb: @escaping @Sendable (RealNodes, FaultRun, UInt64) async throws -> Void,
        calm: @escaping @Sendable (RealNodes) async throws -> Void
    ) async throws {
        let seeds = StoreFailureTests.Schedules(1).seeds
        try await RealNodes.with(setup) { nodes in
            for seed in seeds {
                try await nodes.waitUntilMigrated()
                let cluster = StoreCluster(seeds: nodes.seeds, nodes: nil)
                let ledger = try await FaultRun.run(plan, seed: seed, on: cluster) { run in
                    try await Task.sleep(for: .milliseconds(1_500))
                    run.ledger.faultBegins()
                    try await disturb(nodes, run, seed)
                } calm: { _ in
                    try await calm(nodes)
                }
                for violation in ledger.violations.prefix(8) { Issue.record("\(name), seed \(seed): \(violation)") }
                let counts = ledger.counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                print(
                    "\(name), seed \(seed): \(ledger.violations.count) violations, nothing done for "
                        + "\(ledger.longestGap) at most; \(counts.joined(separator: ", "))"
                )
                for (failure, count) in ledger.failures.sorted(by: { $0.value > $1.value }).prefix(4) {
                    print("    \(count) × \(failure)")
                }
            }
        }
    }

    /// 3. kill −9 of one of three nodes under load.
    @Test(.timeLimit(.minutes(20))) func aNodeIsKilled() async throws {
        try await rounds(.init(), name: "kill -9") { nodes, _, seed in
            try nodes.kill(Int(seed % 3))
        } calm: {
            try await $0.up()
        }
    }

    /// 3. SIGTERM of one of three nodes under load.
    @Test(.timeLimit(.minutes(20))) func aNodeIsTerminated() async throws {
        try await rounds(.init(), name: "SIGTERM") { nodes, _, seed in
            try nodes.terminate(Int(seed % 3))
        } calm: {
            try await $0.up()
        }
    }

    /// 3. A node that was killed joins again under load, with nothing in it.
    @Test(.timeLimit(.minutes(20))) func aNodeJoins() async throws {
        var plan = Self.plan
        plan.callsPerSession = 400
        try await rounds(.init(), plan, name: "join") { nodes, run, seed in
            try nodes.kill(Int(seed % 3))
            try await Task.sleep(for: .seconds(4))
            run.ledger.faultBegins()
            try await nodes.up()
        } calm: {
            try await $0.waitUntilMigrated()
        }
    }

    /// 2. A node is stopped past the time-out, and goes on.
    ///
    /// A call that it had read just before is carried out on its stale copy and may win by its time, as docs/guarantees.md
    /// says: a violation here may, seldom, be the cluster's.
    @Test(.timeLimit(.minutes(20))) func aNodeIsStopped() async throws {
        try await rounds(.init(), name: "SIGSTOP") { nodes, _, seed in
            try nodes.suspend(Int(seed % 3))
            try await Task.sleep(for: .seconds(4))
            try nodes.resume(Int(seed % 3))
        } calm: {
            try await $0.waitUntilMigrated()
        }
    }

    /// 4. A node comes back with what it had on its disk.
    @Test(.timeLimit(.minutes(20))) func aStaleNodeRejoins() async throws {
        var plan = Self.plan
        plan.callsPerSession = 400
        try await rounds(.init(storage: "file"), plan, name: "a stale node rejoins") { nodes, _, seed in
            try nodes.kill(Int(seed % 3))
            try await Task.sleep(for: .seconds(4))
            try await nodes.up()
        } calm: {
            try await $0.waitUntilMigrated()
        }
    }

    /// 5. A clean restart of a node with file storage, after most was deleted: nothing comes back.
    @Test(.timeLimit(.minutes(20))) func aCleanRestartBringsNothingBack() async throws {
        let setup = RealNodes.Setup(nodes: 1, replicas: 1, storage: "file")
        try await rounds(setup, name: "clean restart") { nodes, _, _ in
            try await Task.sleep(for: .seconds(2))
            try nodes.terminate(0)
            try await Task.sleep(for: .seconds(2))
            try await nodes.up()
        } calm: { nodes in
            try nodes.terminate(0)
            try await Task.sleep(for: .seconds(2))
            try await nodes.up()
        }
    }

    /// 6. kill −9 at one replica with file storage: what is lost is counted, and all goes on.
    @Test(.timeLimit(.minutes(20))) func aRollBackLeavesTheRestWhole() async throws {
        var plan = Self.plan
        plan.mayLose = true
        let setup = RealNodes.Setup(nodes: 1, replicas: 1, storage: "file")
        try await rounds(setup, plan, name: "kill -9 at one replica") { nodes, _, _ in
            try await Task.sleep(for: .seconds(2))
            try nodes.kill(0)
            // While its process ends, the program takes it for one that runs.
            try await Task.sleep(for: .seconds(1))
            try await nodes.up()
        } calm: { _ in
        }
    }
}
