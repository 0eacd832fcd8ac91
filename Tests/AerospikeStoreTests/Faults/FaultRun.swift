import Aerospike
import AerospikeTestKit
import BeanspikeCore
import Foundation
import JobStoreTestKit
import Synchronization
import Testing

@testable import AerospikeStore

/// Several processes' worth of stores on one cluster, used by many sessions while something goes wrong.
///
/// Afterwards nothing goes wrong any more, all stores but a new one are closed, and whatever is left has to come out of it.
final class FaultRun: Sendable {
    /// What a run is made of.
    struct Plan: Sendable {
        var instances = 3
        var sessionsPerInstance = 3
        var tubes = 2
        var callsPerSession = 40
        /// What each session waits between two calls, at most.
        var pauseMax = Duration.zero
        var deathInterval = Duration.seconds(5)
        var callTimeout = Duration.seconds(1)
        /// How long all jobs may take to come out at the end.
        var drainLimit = Duration.seconds(20)
        /// How long a command may take.
        var replyLimit = Duration.seconds(20)
        /// Whether the cluster may lose or bring back what it had acknowledged: then what is lost is counted.
        var mayLose = false
    }

    let plan: Plan
    let seed: UInt64
    let cluster: StoreCluster
    let ledger: JobLedger
    let prefix = "t\(UInt32.random(in: 0...UInt32.max))"
    private let stores: StoreList

    /// The stores, with what has become of them.
    private final class StoreList: Sendable {
        let state = Mutex<(stores: [AerospikeStore], abandoned: Set<Int>)>(([], []))
    }

    private init(_ plan: Plan, seed: UInt64, on cluster: StoreCluster) {
        self.plan = plan
        self.seed = seed
        self.cluster = cluster
        let stores = StoreList()
        self.stores = stores
        ledger = JobLedger(mayLose: plan.mayLose) { instance in
            let store = stores.state.withLock { $0.stores[instance] }
            return store.isDoubtful ? nil : store.processNumber
        }
    }

    func store(_ instance: Int) -> AerospikeStore { stores.state.withLock { $0.stores[instance] } }

    func isAbandoned(_ instance: Int) -> Bool { stores.state.withLock { $0.abandoned.contains(instance) } }

    /// Lets an instance die without a word.
    func abandon(_ instance: Int) async {
        stores.state.withLock { _ = $0.abandoned.insert(instance) }
        ledger.dies(instance: instance)
        let store = store(instance)
        do {
            try await withLimit(plan.replyLimit, "abandoning instance \(instance)") { await store.abandon() }
        } catch {
            ledger.violate("\(error): \(await store.summary())")
        }
    }

    /// Has an instance taken for dead, though it lives.
    func markDead(_ instance: Int) async throws {
        let number = store(instance).processNumber
        let key = StoreLayout(namespace: StoreCluster.namespace, prefix: prefix).processKey(number)
        var policy = WritePolicy()
        policy.exists = .updateOnly
        try await AerospikeClient.withClient(AerospikeClientConfiguration(seeds: cluster.seeds)) { client in
            do {
                _ = try await client.operate(key, [.put(ProcessRecords.Bin.isDead, 1)], policy: policy)
                ledger.count("taken for dead")
            } catch let error as AerospikeError where error.code == .notFound {
                // It has another number already.
            }
        }
    }

    static func tube(_ number: Int) -> TubeName { TubeName("tube\(number)") ?? .default }

    /// Runs the load, with something that goes wrong beside it, and looks at what came of it.
    ///
    /// - Returns: what contradicts the queue's promises.
    static func run(
        _ plan: Plan,
        seed: UInt64,
        on cluster: StoreCluster,
        disturb: @escaping @Sendable (FaultRun) async throws -> Void = { _ in },
        calm: @escaping @Sendable (FaultRun) async throws -> Void = { run in
            run.cluster.nodes?.setRandomFaults(nil)
            run.cluster.nodes?.clearFaults()
        }
    ) async throws -> JobLedger {
        let run = FaultRun(plan, seed: seed, on: cluster)
        for _ in 0..<plan.instances {
            let store = try await run.open()
            run.stores.state.withLock { $0.stores.append(store) }
        }
        for instance in 0..<plan.instances { try await run.store(instance).waitForPeers(plan.instances - 1) }
        do {
            try await run.load(disturb)
            run.ledger.faultEnds()
            try await calm(run)
            try await run.end()
        } catch {
            run.ledger.violate("\(error)")
        }
        return run.ledger
    }

    private func open() async throws -> AerospikeStore {
        for failures in 1... {
            do {
                return try await cluster.openStore(prefix) { options in
                    options.deathInterval = plan.deathInterval
                    options.callTimeout = plan.callTimeout
                    // Whoever settles a job is expected to ask for the next.
                    if seed % 2 == 1 { options.returnsMin = 0 }
                }
            } catch let error as JobStoreError where error.code == .cannotOpen && failures < 5 {
                // On a machine that is busy a node may be late.
                try await Task.sleep(for: .milliseconds(200))
            }
        }
        throw CancellationError()
    }

    private func load(_ disturb: @escaping @Sendable (FaultRun) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await disturb(self) }
            for instance in 0..<plan.instances {
                let client = TestClient(store(instance), limit: plan.replyLimit)
                for number in 0..<plan.sessionsPerInstance {
                    group.addTask {
                        var session = FaultSession(self, client, instance: instance, number: number)
                        await session.run()
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    // MARK: - The end

    private func end() async throws {
        let (open, abandoned) = stores.state.withLock { ($0.stores, $0.abandoned) }
        for (instance, store) in open.enumerated() where !abandoned.contains(instance) {
            do {
                try await withLimit(plan.replyLimit, "closing instance \(instance)") { try await store.close() }
            } catch let error as JobStoreError {
                // What it could not give back is free when it is dead to the others.
                ledger.failed("close", error)
            } catch {
                ledger.violate("\(error): \(await store.summary())")
            }
        }
        let last = try await self.open()
        do {
            try await drain(TestClient(last, limit: plan.replyLimit))
        } catch {
            ledger.violate("\(error)")
        }
        try await last.close()
    }

    private func drain(_ client: TestClient) async throws {
        let session = client.openSession()
        for tube in 0..<plan.tubes { try await session.expect(.watch(Self.tube(tube)), .watching(tube + 2)) }
        let end = ContinuousClock.now + plan.drainLimit
        var isQuiet = false
        // Jobs whose bodies are lost are buried when they are to be handed out.
        var broken = false
        var kicks = 0
        while !isQuiet, ContinuousClock.now < end {
            switch try await session.run(.reserve(.microseconds(100_000))) {
            case .reserved(let job):
                ledger.drained(job)
                try await session.expect(.delete(job.id), .deleted)
            case .timedOut:
                kicks += 1
                for tube in 0..<plan.tubes where !broken || kicks < 4 {
                    _ = try await session.run(.use(Self.tube(tube)))
                    _ = try await session.run(.kick(10_000))
                }
                isQuiet =
                    try await broken
                    ? kicks >= 4 : present(session) == 0 && ledger.missing.isEmpty
            case .failed(let error) where plan.mayLose && error.code == .readFailed:
                broken = true
                ledger.failed("a reserve at the end", error)
            case let other: throw ConformanceFailure("a reserve at the end was answered with \(other)")
            }
        }
        let missing = ledger.missing
        if plan.mayLose {
            for _ in missing { ledger.count("lost") }
        } else {
            for (number, id) in missing {
                let reply = try await session.run(.jobStatistics(id))
                ledger.violate("job \(number) (id \(id)) did not come out at the end: \(reply)")
            }
        }
        try await checkStatistics(session)
    }

    private func present(_ session: TestSession) async throws -> UInt64 {
        var sum: UInt64 = 0
        for tube in 0..<plan.tubes {
            if case .tubeStatistics(let statistics) = try await session.run(.tubeStatistics(Self.tube(tube))) {
                sum += statistics.jobs.present
            }
        }
        return sum
    }

    private func checkStatistics(_ session: TestSession) async throws {
        for tube in 0..<plan.tubes {
            guard case .tubeStatistics(let statistics) = try await session.run(.tubeStatistics(Self.tube(tube))) else {
                throw ConformanceFailure("no statistics of tube \(tube)")
            }
            let jobs = statistics.jobs
            if plan.mayLose { continue }
            if jobs.present != 0 { ledger.violate("tube \(tube) is not empty at the end: \(jobs)") }
            if !ledger.puts(inTube: tube).contains(Int(jobs.total)) {
                ledger.violate("tube \(tube) counts \(jobs.total) puts of \(ledger.puts(inTube: tube))")
            }
            if jobs.present == 0, jobs.deleted != jobs.total {
                ledger.violate("tube \(tube) counts \(jobs.total) puts and \(jobs.deleted) deletions, and is empty")
            }
            if jobs.present == 0, jobs.bodyBytes != 0 {
                ledger.violate("tube \(tube) counts bytes of no jobs: \(jobs)")
            }
        }
    }
}

/// Runs something, and fails if it takes too long; it goes on then, with nobody to wait for it.
func withLimit(
    _ limit: Duration,
    _ what: String,
    _ body: @escaping @Sendable () async throws -> Void
) async throws {
    let isDone = Mutex(false)
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let once: @Sendable (Result<Void, any Error>) -> Void = { result in
            let isFirst = isDone.withLock { done in
                defer { done = true }
                return !done
            }
            if isFirst { continuation.resume(with: result) }
        }
        let watchdog = Task {
            try await Task.sleep(for: limit)
            once(.failure(ConformanceFailure("\(what) takes longer than \(limit)")))
        }
        Task {
            do {
                try await body()
                once(.success(()))
            } catch {
                once(.failure(error))
            }
            watchdog.cancel()
        }
    }
}
