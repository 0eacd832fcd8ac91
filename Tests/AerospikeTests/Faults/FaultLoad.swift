import Aerospike
import Synchronization

/// Tasks that write and read records of their own, and check every answer.
final class FaultLoad: Sendable {
    let client: AerospikeClient
    private let seed: UInt64
    private let taskCount: Int
    private let letsWritesBeLate: Bool
    private let bringsStaleCopies: Bool
    private let available: AvailableRead
    private let state = Mutex(State())

    private struct State {
        var report = LoadReport()
        var isOver = false
        var waiters: [(callCount: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private static let recordsPerTask = 4
    /// No task makes more calls, whatever happens.
    private static let callsPerTaskMax = 50_000
    /// What a task waits between two calls: the load is to be steady rather than as great as can be.
    private static let pause = Duration.milliseconds(2)

    init(
        _ client: AerospikeClient,
        seed: UInt64,
        taskCount: Int = 24,
        letsWritesBeLate: Bool = false,
        bringsStaleCopies: Bool = false
    ) {
        self.client = client
        self.seed = seed
        self.taskCount = taskCount
        self.letsWritesBeLate = letsWritesBeLate
        self.bringsStaleCopies = bringsStaleCopies
        // All who may have the newest are asked, where one may have an old copy.
        available = bringsStaleCopies ? .all : .one
    }

    /// Runs the load for as long as a function runs, and reads all records afterwards.
    func run(_ body: (FaultLoad) async throws -> Void) async throws -> LoadReport {
        try await withThrowingTaskGroup(of: [RecordLedger].self) { group in
            for task in 0..<taskCount {
                group.addTask {
                    var task = LoadTask(self, task)
                    return await task.run()
                }
            }
            let result: Result<Void, any Error>
            do {
                try await body(self)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            state.withLock { $0.isOver = true }
            var ledgers: [RecordLedger] = []
            for try await part in group {
                ledgers += part
            }
            try result.get()
            try await check(ledgers)
        }
        return state.withLock(\.report)
    }

    /// A fault begins now.
    func faultBegins() {
        state.withLock { state in
            state.report.faultBegan = .now
            state.report.longestCall = .zero
        }
    }

    /// Waits until each partition has taken a write since the fault.
    func waitForAllPartitions() async throws {
        try await PartitionProbe.run(client)
        state.withLock { $0.report.recovery = .now - $0.report.faultBegan }
    }

    /// Waits until so many calls more were made.
    func calls(_ count: Int) async {
        await withCheckedContinuation { continuation in
            state.withLock { $0.waiters.append(($0.report.callCount + count, continuation)) }
        }
    }

    private func check(_ ledgers: [RecordLedger]) async throws {
        for ledger in ledgers {
            var policy = ReadPolicy()
            policy.available = available
            policy.call.timeout = .seconds(10)
            policy.call.tryTimeout = .seconds(1)
            policy.call.triesMax = 10
            let record = try await client.get(ledger.key, policy: policy)
            do {
                try ledger.check(whole: record)
            } catch {
                violated("at the end: \(error)")
            }
        }
    }

    // MARK: For the tasks

    fileprivate var isOver: Bool { state.withLock(\.isOver) }

    fileprivate func ended(_ name: String, began: ContinuousClock.Instant, _ error: AerospikeError?) {
        let took = .now - began
        let due = state.withLock { state in
            state.report.callCount += 1
            state.report.longestCall = max(state.report.longestCall, took)
            if let error {
                let failure = LoadReport.Failure(call: name, code: error.code, inDoubt: error.inDoubt)
                state.report.failures[failure, default: 0] += 1
                state.report.lastFailureBegan = max(state.report.lastFailureBegan ?? began, began)
            }
            let count = state.report.callCount
            let due = state.waiters.filter { $0.callCount <= count }
            state.waiters.removeAll { $0.callCount <= count }
            return due
        }
        for waiter in due {
            waiter.continuation.resume()
        }
    }

    fileprivate func violated(_ what: String) {
        state.withLock { $0.report.violated(what) }
    }

    /// One task and its records.
    private struct LoadTask {
        let load: FaultLoad
        var random: SeededGenerator
        var ledgers: [RecordLedger]
        var readPolicy = ReadPolicy()
        let writePolicy = WritePolicy()
        let batchPolicy = BatchPolicy()

        init(_ load: FaultLoad, _ task: Int) {
            self.load = load
            random = SeededGenerator(seed: load.seed &+ UInt64(task) &* 1_000_003)
            ledgers = (0..<FaultLoad.recordsPerTask).map { number in
                RecordLedger(
                    "\(load.seed)/\(task)/\(number)",
                    letsWritesBeLate: load.letsWritesBeLate,
                    bringsStaleCopies: load.bringsStaleCopies
                )
            }
            readPolicy.available = load.available
        }

        mutating func run() async -> [RecordLedger] {
            for _ in 0..<FaultLoad.callsPerTaskMax where !load.isOver {
                let index = Int.random(in: ledgers.indices, using: &random)
                do throws(RecordLedger.Violation) {
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0..<3: await put(index)
                    case 3..<6: try await get(index)
                    case 6..<9: try await step(index)
                    default: try await batch(index)
                    }
                } catch {
                    load.violated("\(error)")
                }
                try? await Task.sleep(for: FaultLoad.pause)
            }
            return ledgers
        }

        private mutating func put(_ index: Int) async {
            let number = ledgers[index].nextNumber()
            let bins = ledgers[index].bins(number, padding: Int.random(in: 0..<300, using: &random))
            let began = ContinuousClock.now
            do throws(AerospikeError) {
                try await load.client.put(ledgers[index].key, bins, policy: writePolicy)
                ledgers[index].put(number, failedInDoubt: nil)
                load.ended("put", began: began, nil)
            } catch {
                ledgers[index].put(number, failedInDoubt: error.inDoubt)
                load.ended("put", began: began, error)
            }
        }

        private func get(_ index: Int) async throws(RecordLedger.Violation) {
            let began = ContinuousClock.now
            let record: Record?
            do throws(AerospikeError) {
                let bins = [RecordLedger.value, RecordLedger.name, RecordLedger.count]
                record = try await load.client.get(ledgers[index].key, bins: bins, policy: readPolicy)
                load.ended("get", began: began, nil)
            } catch {
                load.ended("get", began: began, error)
                guard !error.inDoubt else { throw .init(description: "a read in doubt: \(error)") }
                return
            }
            try ledgers[index].check(record)
        }

        private mutating func step(_ index: Int) async throws(RecordLedger.Violation) {
            let number = ledgers[index].nextNumber()
            let operations = ledgers[index].step(number)
            let began = ContinuousClock.now
            do throws(AerospikeError) {
                let answers = try await load.client.operate(ledgers[index].key, operations, policy: writePolicy)
                load.ended("operate", began: began, nil)
                let before = ledgers[index]
                ledgers[index].stepped(number, failedInDoubt: nil)
                do throws(RecordLedger.Violation) {
                    try before.check(answersOfStep: answers)
                } catch {
                    load.violated("\(error)")
                }
            } catch {
                ledgers[index].stepped(number, failedInDoubt: error.inDoubt)
                load.ended("operate", began: began, error)
            }
        }

        /// Reads all records but one, puts into that one, and steps the one after it if there is another.
        private mutating func batch(_ index: Int) async throws(RecordLedger.Violation) {
            let number = ledgers[index].nextNumber()
            let stepped = (index + 1) % ledgers.count
            let stepNumber = ledgers[stepped].nextNumber()
            let calls = ledgers.indices.map { place -> BatchCall in
                switch place {
                case index: .put(ledgers[place].key, ledgers[place].bins(number, padding: 20))
                case stepped: .operate(ledgers[place].key, ledgers[place].step(stepNumber))
                default: .get(ledgers[place].key, policy: readPolicy)
                }
            }
            let began = ContinuousClock.now
            let results: [Result<Record, AerospikeError>]
            do throws(AerospikeError) {
                results = try await load.client.batch(calls, policy: batchPolicy)
            } catch {
                ledgers[index].put(number, failedInDoubt: error.inDoubt)
                ledgers[stepped].stepped(stepNumber, failedInDoubt: error.inDoubt)
                load.ended("batch", began: began, error)
                return
            }
            var failed: AerospikeError?
            var violation: RecordLedger.Violation?
            for (place, result) in zip(ledgers.indices, results) {
                let before = ledgers[place]
                var doubt: Bool?
                do throws(RecordLedger.Violation) {
                    switch result {
                    case .success(let record):
                        if place == stepped {
                            try before.check(answersOfStep: record)
                        } else if place != index {
                            try before.check(record)
                        }
                    case .failure(let error) where error.code == .notFound: try before.check(nil)
                    case .failure(let error):
                        failed = error
                        doubt = error.inDoubt
                    }
                } catch {
                    violation = error
                }
                if place == index { ledgers[place].put(number, failedInDoubt: doubt) }
                if place == stepped { ledgers[place].stepped(stepNumber, failedInDoubt: doubt) }
            }
            load.ended("batch", began: began, failed)
            if let violation { throw violation }
        }
    }
}
