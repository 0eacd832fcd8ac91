import Aerospike
import JobStoreTestKit
import Synchronization
import Testing

@testable import AerospikeStore

/// Whatever clients do at the same time, and whichever of them die, no entry of a directory is ever missing.
struct DirectoryScheduleTests {
    static let runsPerTest: UInt64 = 60

    @Test(arguments: 0..<8 as Range<UInt64>) func nothingIsEverStranded(_ batch: UInt64) async throws {
        var callCount = 0
        for seed in batch * Self.runsPerTest..<(batch + 1) * Self.runsPerTest {
            let schedule = Schedule(seed: seed, check: DirectoryClaims.problem)
            // Nobody dies before there is something to work with.
            await schedule.run(2 + Int(seed % 4)) { client in
                guard let work = try await ScheduledWork(client) else { return }
                for _ in 0..<10 {
                    let choice = try await client.change { segments, dice in
                        segments.isEmpty ? 0 : Int.random(in: 0..<10, using: &dice)
                    }
                    try await work.work(choice)
                }
            }
            #expect(schedule.violation == nil, "seed \(seed)")
            schedule.calmDown()
            let isDone = Mutex(false)
            await schedule.run(1) { client in
                guard let work = try await ScheduledWork(client) else { return }
                let found = try await work.takeAll()
                isDone.withLock { $0 = found }
            }
            #expect(isDone.withLock { $0 }, "seed \(seed): not all was found")
            let isEmpty = schedule.segments.values.allSatisfy(\.isEmpty)
            #expect(isEmpty, "seed \(seed): something is left")
            #expect(schedule.violation == nil, "seed \(seed)")
            callCount += schedule.callCount
        }
        // Otherwise everybody died too early.
        #expect(callCount > Int(Self.runsPerTest) * 40)
    }
}
