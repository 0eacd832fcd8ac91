import Aerospike
import AerospikeTestKit
import BeanspikeCore
import JobStoreTestKit
import Synchronization
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

    /// Which of the records by which a dead process's jobs are found a node is wrong about.
    enum Misplaced: CaseIterable {
        case process
        case footprint
        case segment
    }

    /// What a node does not find a few times, though it is there, is found: nobody would look for the jobs once more.
    @Test(
        .enabled(if: StoreCluster.live == nil, "only nodes in process are wrong as a test names it"),
        .timeLimit(.minutes(1)),
        arguments: Misplaced.allCases
    )
    func jobsOfTheDeadAreFoundThoughANodeIsWrong(misplaced: Misplaced) async throws {
        let cluster = try await StoreCluster.start()
        let prefix = "t\(UInt32.random(in: 0...UInt32.max))"
        let first = try await cluster.openStore(prefix) { $0.deathInterval = .seconds(1) }
        let second = try await cluster.openStore(prefix) { $0.deathInterval = .seconds(1) }
        let mine = TestClient(first).openSession()
        let other = TestClient(second).openSession()
        let job = try await other.put(ttr: 0)
        #expect(try await mine.reserve().id == job)
        let layout = StoreLayout(namespace: StoreCluster.namespace, prefix: prefix)
        let process = first.processNumber
        let key =
            switch misplaced {
            case .process: layout.processKey(process)
            case .footprint: layout.footprintKey(process: process, page: 0)
            case .segment: layout.segmentKey(try #require(JobPlace(job)).segment)
            }
        await first.abandon()
        cluster.nodes?.inject(
            Fault(.answer(.notFound, isApplied: false), count: 5) { [digest = key.digest] in
                $0.kind == .write && $0.digest == digest
            }
        )
        #expect(try await other.reserve(.microseconds(15_000_000)).id == job)
        try await other.expect(.delete(job), .deleted)
        try await second.close()
        await cluster.stop()
    }

    /// A process whose record is not found a few times goes on, and keeps what it holds.
    @Test(
        .enabled(if: StoreCluster.live == nil, "only nodes in process are wrong as a test names it"),
        .timeLimit(.minutes(1))
    )
    func aProcessOutlivesANodeThatIsWrongAboutIt() async throws {
        let cluster = try await StoreCluster.start()
        let prefix = "t\(UInt32.random(in: 0...UInt32.max))"
        let store = try await cluster.openStore(prefix) { $0.deathInterval = .seconds(2) }
        let session = TestClient(store).openSession()
        let job = try await session.put(ttr: 0)
        _ = try await session.reserve()
        let process = store.processNumber
        let asked = Mutex(0)
        let digest = StoreLayout(namespace: StoreCluster.namespace, prefix: prefix).processKey(process).digest
        cluster.nodes?.inject(
            Fault(.answer(.notFound, isApplied: false), count: .max) { request in
                guard request.digest == digest else { return false }
                return asked.withLock { asked in
                    asked += 1
                    return asked <= 4
                }
            }
        )
        // The fifth is found, and the next beat is the same process's.
        try await eventually("it beats on under its number") { asked.withLock { $0 } >= 6 }
        #expect(store.processNumber == process)
        try await session.expect(.delete(job), .deleted)
        try await store.close()
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
