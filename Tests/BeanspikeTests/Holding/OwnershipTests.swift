import Beanspike
import BeanspikeCore
import Synchronization
import Testing

/// Who holds what, with many tasks on one connection.
@Suite struct OwnershipTests {
    @Test(arguments: TestQueue.allCases)
    func manyTasksDrainATubeEachJobOnce(queue: TestQueue) async throws {
        let count = queue == .aerospike ? 400 : 2_000
        try await queue.withConnection { connection in
            let tube = try connection.use("drain")
            let drained = try await withThrowingTaskGroup(of: [Job.ID].self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        var ids: [Job.ID] = []
                        while let job = try await tube.reserve(timeout: .seconds(2)) {
                            if job.id.isMultiple(of: 3) { try await job.touch() }
                            if job.id.isMultiple(of: 7), job.retries == 0 {
                                try await job.release(isRetry: true)
                                continue
                            }
                            #expect(try await job.delete())
                            ids.append(job.id)
                        }
                        return ids
                    }
                }
                for part in 0..<8 {
                    group.addTask {
                        for number in 0..<count / 8 { try await tube.put("\(part) \(number)", timeToRun: .seconds(60)) }
                        return []
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(drained.count == count)
            #expect(Set(drained).count == count)
            #expect(try await tube.statistics().jobs == 0)
        }
    }

    /// The value of a job that was settled has nothing to say about the job's next reservation.
    @Test(arguments: TestQueue.allCases)
    func aSettledValueDoesNotTouchWhatCameAfterIt(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("settled")
            let id = try await tube.put("hello", timeToRun: .seconds(60))
            let first = try #require(try await tube.reserve())
            try await first.release()
            let second = try #require(try await tube.reserve())
            #expect(second.id == id)
            await expect(.notHolder) { try await first.release() }
            await expect(.notHolder) { try await first.touch() }
            await expect(.notHolder) { try await first.bury() }
            try await second.touch()
            try await second.delete()
            #expect(try await second.delete() == false)
        }
    }

    /// A reserve that waits holds up nobody else on the connection.
    @Test(arguments: TestQueue.allCases)
    func whoWaitsHoldsUpNobody(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let busy = try connection.use("busy")
            let empty = try connection.use("empty")
            let waiting = Task { try await empty.next() }
            try await eventually("somebody waits") { try await empty.statistics().waiting == 1 }
            for _ in 0..<50 {
                try await busy.put("work", timeToRun: .seconds(60))
                let job = try #require(try await busy.reserve())
                try await job.touch()
                try await job.delete()
            }
            let id = try await empty.put("at last")
            #expect(try await waiting.value.id == id)
        }
    }

    @Test(arguments: TestQueue.allCases)
    func runsOnTheStoresExecutor(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("executor")
            try await withTaskExecutorPreference(connection.executor) {
                for _ in 0..<20 {
                    let id = try await tube.put("hello")
                    let job = try #require(try await tube.reserve())
                    #expect(job.id == id)
                    try await job.delete()
                }
            }
        }
    }

    @Test(arguments: TestQueue.allCases)
    func putsOfManyTasksAreAllKept(queue: TestQueue) async throws {
        let (tasks, each) = queue == .aerospike ? (20, 20) : (50, 100)
        let counts = Counts()
        var configuration = Connection.Configuration()
        configuration.statsHandler = { event, tube, count in counts.add("\(event) \(tube)", count) }
        try await queue.withConnection(configuration) { connection in
            let tube = try connection.use("puts")
            let ids = try await withThrowingTaskGroup(of: [Job.ID].self) { group in
                for _ in 0..<tasks {
                    group.addTask {
                        var ids: [Job.ID] = []
                        for _ in 0..<each { ids.append(try await tube.put("hello")) }
                        // Of one task in their order.
                        #expect(ids == ids.sorted())
                        return ids
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(Set(ids).count == tasks * each)
            #expect(try await tube.statistics().ready == tasks * each)
            #expect(counts.all["tube.put.count puts"] == tasks * each)
            #expect(try await connection.tubes().contains("puts"))
        }
    }

    /// What comes out damaged is set aside with the reason, and the call says so.
    @Test func aDamagedBodyIsBuried() async throws {
        let store = try await StoreLocation.memory.open()
        let connection = Connection(store: store, ownsStore: true, logger: TestQueue.quiet)
        let tube = try connection.use("damaged")
        let attributes = JobAttributes(originalBodyBytes: 5_000)
        let command = Command.put(
            priority: 1,
            delaySeconds: 0,
            ttrSeconds: 0,
            body: .init(offset: 0, count: 3),
            attributes: attributes
        )
        let port = store.makePort(wake: {})
        let session = port.openSession()
        let name = try #require(TubeName("damaged"))
        [UInt8](arrayLiteral: 9, 9, 9).withUnsafeBytes {
            port.submit([.use(name), command], bytes: $0, session: session)
        }
        port.flush()
        await expect(.readFailed) { _ = try await tube.reserve() }
        await expect(.readFailed) { _ = try await tube.peekBuried() }
        #expect(try await tube.statistics().buried == 1)
        try await connection.close()
    }
}

/// Counts of a stats handler.
final class Counts: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    func add(_ name: String, _ count: Int) { counts.withLock { $0[name, default: 0] += count } }
    var all: [String: Int] { counts.withLock { $0 } }
}
