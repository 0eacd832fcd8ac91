import Aerospike
import AerospikeTestKit
import BeanspikeCore
import Testing

// What goes wrong with nodes and connections.
extension StoreFailureTests {
    /// 2. A node stopped (SIGSTOP) past the timeout, late duplicates arriving after newer calls.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func aNodeStoppedPastTheTimeout() async throws {
        try await Self.schedules(3, Self.longer, nodes: 2) { run in
            guard let nodes = run.cluster.nodes else { return }
            for turn in 0..<3 {
                try await Task.sleep(for: .milliseconds(150))
                await nodes.suspend(turn % 2)
                try await Task.sleep(for: .milliseconds(450))
                await nodes.resume(turn % 2)
            }
        }
    }

    /// 3. kill −9, SIGTERM and a join under load: nothing acknowledged lost.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func killAndJoinUnderLoad() async throws {
        try await Self.schedules(3, Self.longer, nodes: 3) { run in
            guard let nodes = run.cluster.nodes else { return }
            try await Task.sleep(for: .milliseconds(150))
            await nodes.kill(2)
            try await Task.sleep(for: .milliseconds(300))
            await nodes.agreed()
            _ = try await nodes.join()
            await nodes.agreed()
            try await Task.sleep(for: .milliseconds(150))
            try await nodes.restart(2, .empty)
            await nodes.agreed()
        }
    }

    /// 4. A stale node rejoins.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func aStaleNodeRejoins() async throws {
        try await Self.schedules(3, Self.longer, nodes: 3) { run in
            guard let nodes = run.cluster.nodes else { return }
            for node in [1, 2] {
                try await Task.sleep(for: .milliseconds(150))
                await nodes.kill(node)
                await nodes.agreed()
                try await Task.sleep(for: .milliseconds(400))
                try await nodes.restart(node, .kept)
                await nodes.agreed()
            }
        }
    }

    /// 5. Clean restart of file-backed nodes after mass deletion: no job comes back.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func restartAfterMassDeletion() async throws {
        try await Self.schedules(
            3,
            Self.longer,
            disturb: { run in
                guard let nodes = run.cluster.nodes else { return }
                try await Task.sleep(for: .milliseconds(400))
                await nodes.kill(0)
                try await nodes.restart(0, .deletesComeBack)
                await nodes.agreed()
            },
            calm: { run in
                guard let nodes = run.cluster.nodes else { return }
                await nodes.kill(0)
                try await nodes.restart(0, .deletesComeBack)
                await nodes.agreed()
            }
        )
    }

    /// 6. kill −9 at RF 1 with file storage: the roll-back leaves the invariants whole.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func rollBackAtOneReplica() async throws {
        var plan = Self.longer
        plan.mayLose = true
        try await Self.schedules(3, plan) { run in
            guard let nodes = run.cluster.nodes else { return }
            try await Task.sleep(for: .milliseconds(600))
            await nodes.kill(0)
            try await nodes.restart(0, .forgetting(.milliseconds(300)))
            await nodes.agreed()
        }
    }

    /// 7. A partition, both sides written, healed: loss counted, nothing corrupt.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func aPartitionHealed() async throws {
        var plan = Self.longer
        plan.mayLose = true
        try await Self.schedules(3, plan, nodes: 4) { run in
            guard let nodes = run.cluster.nodes else { return }
            try await Task.sleep(for: .milliseconds(200))
            nodes.partition([0, 1], [2, 3])
            try await Task.sleep(for: .milliseconds(400))
            nodes.heal()
            await nodes.agreed()
        }
    }

    /// 12. A connection killed in mid-pipeline: each call resolved exactly once.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func connectionsKilledInMidPipeline() async throws {
        try await Self.schedules(4, Self.longer) { run in
            guard let nodes = run.cluster.nodes else { return }
            nodes.setRandomFaults(Self.faults(run.seed) { $0.cutReply = 0.03 })
            for _ in 0..<20 {
                try await Task.sleep(for: .milliseconds(30))
                await nodes.cutConnections(toNode: 0)
            }
        }
    }

    /// 13. ±30 s clock skew.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func clocksThirtySecondsApart() async throws {
        try await Self.schedules(3, Self.longer, nodes: 3) { run in
            guard let nodes = run.cluster.nodes else { return }
            nodes.setClockOffset(0, .seconds(30))
            nodes.setClockOffset(1, .seconds(-30))
            nodes.setRandomFaults(Self.faults(run.seed) { $0.swallowReply = 0.02 })
        }
    }

    /// 15. A second node lost during migration.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func aSecondNodeLostDuringMigration() async throws {
        var plan = Self.longer
        plan.mayLose = true
        try await Self.schedules(3, plan, nodes: 4) { run in
            guard let nodes = run.cluster.nodes else { return }
            try await Task.sleep(for: .milliseconds(150))
            nodes.holdMigrations()
            await nodes.kill(3)
            await nodes.agreed()
            try await Task.sleep(for: .milliseconds(150))
            await nodes.kill(2)
            await nodes.agreed()
            try await Task.sleep(for: .milliseconds(150))
            nodes.releaseMigrations()
            try await nodes.restart(3, .empty)
            try await nodes.restart(2, .empty)
            await nodes.agreed()
        }
    }

    /// As long as things take to go wrong.
    static var longer: FaultRun.Plan {
        var plan = FaultRun.Plan()
        plan.callsPerSession = 60
        plan.pauseMax = .milliseconds(30)
        return plan
    }
}
