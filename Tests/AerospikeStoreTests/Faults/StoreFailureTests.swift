import Aerospike
import AerospikeTestKit
import BeanspikeCore
import Foundation
import JobStoreTestKit
import Synchronization
import Testing

@testable import AerospikeStore

/// What must not happen, whatever happens: an acknowledged job lost, one given to two who live, one back from deletion, or
/// anything that is stuck.
///
/// Many schedules, each made by a seed.
@Suite(.serialized) struct StoreFailureTests {
    /// The cluster's settings, as the queue demands them.
    static var configuration: TestCluster.Configuration {
        var configuration = TestCluster.Configuration()
        for index in configuration.namespaces.indices {
            configuration.namespaces[index].conflictResolution = .lastUpdateTime
        }
        return configuration
    }

    /// Runs schedules, several at once, and records what each violates.
    static func schedules(
        _ count: Int,
        _ plan: FaultRun.Plan = .init(),
        nodes: Int = 1,
        sourceLocation: SourceLocation = #_sourceLocation,
        name: String = #function,
        configure: @escaping @Sendable (inout TestCluster.Configuration) -> Void = { _ in },
        disturb: @escaping @Sendable (FaultRun) async throws -> Void,
        calm: @escaping @Sendable (FaultRun) async throws -> Void = { _ in }
    ) async throws {
        let schedules = Schedules(count)
        let begin = ContinuousClock.now
        var sum: [String: Int] = [:]
        var failures: [String: Int] = [:]
        var failed = 0
        try await withThrowingTaskGroup(of: (UInt64, JobLedger).self) { group in
            var seeds = schedules.seeds.makeIterator()
            func start() {
                guard let seed = seeds.next() else { return }
                group.addTask {
                    var configuration = configuration
                    configure(&configuration)
                    let nodes = try await TestCluster.start(
                        nodes: nodes,
                        replicationFactor: min(2, nodes),
                        configuration: configuration
                    )
                    let cluster = StoreCluster(
                        seeds: nodes.seeds.map { .init($0.host, port: $0.port) },
                        nodes: nodes
                    )
                    let ledger = try await FaultRun.run(plan, seed: seed, on: cluster, disturb: disturb) { run in
                        run.cluster.nodes?.setRandomFaults(nil)
                        run.cluster.nodes?.clearFaults()
                        try await calm(run)
                    }
                    await cluster.stop()
                    return (seed, ledger)
                }
            }
            for _ in 0..<schedules.atOnce { start() }
            while let (seed, ledger) = try await group.next() {
                start()
                sum.merge(ledger.counts, uniquingKeysWith: +)
                failures.merge(ledger.failures, uniquingKeysWith: +)
                if ledger.violations.isEmpty { continue }
                failed += 1
                let list = ledger.violations.prefix(8).joined(separator: "\n    ")
                Issue.record("seed \(seed): \(ledger.violations.count)\n    \(list)", sourceLocation: sourceLocation)
            }
        }
        let counts = sum.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        print(
            "\(name): \(schedules.seeds.count) schedules, \(failed) failed, \(ContinuousClock.now - begin): \(counts)"
        )
        for (failure, count) in failures.sorted(by: { $0.value > $1.value }).prefix(8) {
            print("    \(count) × \(failure)")
        }
    }

    /// How many schedules a test runs, and with which seeds.
    struct Schedules {
        let seeds: Range<UInt64>
        let atOnce: Int

        /// - Parameter count: how many by default; `FAULT_SCHEDULES` multiplies it, and `FAULT_SEED` is the first seed.
        init(_ count: Int) {
            let environment = ProcessInfo.processInfo.environment
            let first = environment["FAULT_SEED"].flatMap(UInt64.init) ?? 1
            let factor = environment["FAULT_SCHEDULES"].flatMap(Double.init) ?? 1
            seeds = first..<first + UInt64(max(1, (Double(count) * factor).rounded()))
            atOnce = environment["FAULT_PARALLEL"].flatMap(Int.init) ?? 4
        }
    }

    static func faults(_ seed: UInt64, _ configure: (inout RandomFaults) -> Void) -> RandomFaults {
        var faults = RandomFaults(seed: seed)
        configure(&faults)
        return faults
    }

    // MARK: - By name

    @Test(.timeLimit(.minutes(30)), .faultSchedules) func nothingGoesWrong() async throws {
        try await Self.schedules(2, nodes: 2) { _ in }
    }

    /// 1. 30% of replies dropped: nothing leaked, nothing twice.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func thirtyPercentOfRepliesDropped() async throws {
        var plan = FaultRun.Plan()
        plan.callsPerSession = 30
        try await Self.schedules(6, plan) { run in
            let dice = Mutex(SeededGenerator(seed: run.seed))
            let fault = Fault(.swallowReply(then: .close), count: .max) { request in
                request.isCall && dice.withLock { Int.random(in: 0..<10, using: &$0) < 3 }
            }
            run.cluster.nodes?.inject(fault)
        }
    }
}
