import AerospikeTestKit
import BeanspikeCore
import JobStoreTestKit
import Testing

@testable import AerospikeStore

/// Processes that end without a word.
@Suite(.serialized) struct ProcessDeathTests {
    /// What a dead process held comes free, whatever its time to run.
    @Test(.timeLimit(.minutes(1))) func jobsOfTheDeadAreFreed() async throws {
        let cluster = try await StoreCluster.start()
        let prefix = "t\(UInt32.random(in: 0...UInt32.max))"
        let first = try await cluster.openStore(prefix) { $0.deathInterval = .seconds(1) }
        let second = try await cluster.openStore(prefix) { $0.deathInterval = .seconds(1) }
        try await first.waitForPeers(1)
        try await second.waitForPeers(1)
        let mine = TestClient(first).openSession()
        let other = TestClient(second).openSession()
        var ids: Set<JobID> = []
        for number in 0..<200 {
            ids.insert(try await other.put([UInt8(number)], ttr: number.isMultiple(of: 2) ? 0 : 600))
        }
        var taken: Set<JobID> = []
        for _ in 0..<150 { taken.insert(try await mine.reserve().id) }
        for id in ids.subtracting(taken).sorted().prefix(20) {
            guard case .reserved = try await mine.run(.reserveJob(id)) else {
                Issue.record("job \(id) cannot be reserved")
                continue
            }
        }
        await first.abandon()
        let begin = ContinuousClock.now
        var freed: Set<JobID> = []
        var firstAfter: Duration?
        while freed.count < ids.count {
            guard case .reserved(let job) = try await other.run(.reserve(.microseconds(15_000_000))) else { break }
            if taken.contains(job.id), firstAfter == nil { firstAfter = ContinuousClock.now - begin }
            freed.insert(job.id)
            try await other.expect(.delete(job.id), .deleted)
        }
        #expect(freed == ids)
        // The time depends on the machine; what it is to be is in ProcessWatchTests, in simulated time.
        print(
            "the first was free \(firstAfter ?? .zero) after the death and the last was taken by one consumer "
                + "\(ContinuousClock.now - begin) after it, at an interval of 1 s"
        )
        try await second.close()
        await cluster.stop()
    }

    /// Processes die under load, one after the other, while answers get lost.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func processesDieUnderLoad() async throws {
        var plan = StoreFailureTests.longer
        plan.instances = 4
        plan.deathInterval = .seconds(1)
        try await StoreFailureTests.schedules(4, plan, name: "processesDieUnderLoad") { run in
            run.cluster.nodes?.setRandomFaults(StoreFailureTests.faults(run.seed) { $0.swallowReply = 0.05 })
            try await Task.sleep(for: .milliseconds(200))
            await run.abandon(0)
            try await Task.sleep(for: .milliseconds(300))
            await run.abandon(1)
        }
    }

    /// Processes are cut off for longer than their interval, and find that they were taken for dead.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func processesTakenForDeadGiveUpWhatTheyHeld() async throws {
        var plan = StoreFailureTests.longer
        plan.deathInterval = .milliseconds(300)
        plan.callsPerSession = 100
        try await StoreFailureTests.schedules(4, plan, name: "processesTakenForDead") { run in
            for turn in 0..<4 {
                try await Task.sleep(for: .milliseconds(300))
                try await run.markDead(turn % run.plan.instances)
            }
        }
    }
}
