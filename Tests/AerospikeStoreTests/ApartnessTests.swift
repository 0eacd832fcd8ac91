import BeanspikeCore
import JobStoreTestKit
import NIOCore
import Testing

@testable import AerospikeStore

/// Processes that put into one tube at once, each into segments of its own.
struct ApartnessTests {
    private static let now = NIODeadline.uptimeNanoseconds(1)

    @Test func whoPutsInTurnStaysTogether() {
        var apartness = Apartness()
        for _ in 0..<10 {
            let isDue = apartness.overtaken()
            #expect(!isDue)
            apartness.hasPut()
        }
        #expect(!apartness.wantsOwn(Self.now))
    }

    @Test func whoIsOvertakenAgainGoesApartForAWhile() {
        var apartness = Apartness()
        let isDue = [apartness.overtaken(), apartness.overtaken()]
        #expect(isDue == [false, true])
        #expect(apartness.wantsOwn(Self.now))
        let end = apartness.begin(Self.now)
        #expect(end == Self.now + Apartness.time)
        // The next segment of its own is for the time that is left.
        let next = apartness.begin(Self.now + .milliseconds(500))
        #expect(next == nil)
        #expect(apartness.wantsOwn(Self.now + .milliseconds(999)))
        #expect(!apartness.isOver(Self.now + .milliseconds(999)))
        #expect(!apartness.wantsOwn(Self.now + .seconds(1)))
        #expect(apartness.isOver(Self.now + .seconds(1)))
        apartness.end()
        #expect(!apartness.wantsOwn(Self.now + .seconds(1)))
    }

    /// All jobs are there, those of one process in their order, and afterwards all put into one segment again.
    @Test(.timeLimit(.minutes(2))) func processesThatPutAtOnceGoApartAndComeBack() async throws {
        let cluster = try await StoreCluster.start()
        let prefix = "t\(UInt32.random(in: 0...UInt32.max))"
        var stores: [AerospikeStore] = []
        for _ in 0..<3 { stores.append(try await cluster.openStore(prefix)) }
        let clients = stores.map { TestClient($0) }
        let isApart = { (store: AerospikeStore) in
            await store.engine.tube(.default).apartness.until != nil
        }
        var ids: [[JobID]] = []
        var wereApart = 0
        let begin = ContinuousClock.now
        repeat {
            let round = try await withThrowingTaskGroup(of: (Int, [JobID]).self) { group in
                for (number, client) in clients.enumerated() {
                    group.addTask {
                        let session = client.openSession()
                        var ids: [JobID] = []
                        for _ in 0..<100 { ids.append(try await session.put()) }
                        return (number, ids)
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            ids += round.values
            wereApart = 0
            for store in stores where await isApart(store) { wereApart += 1 }
        } while wereApart == 0 && ContinuousClock.now - begin < .seconds(30)
        #expect(wereApart > 0)
        for some in ids { #expect(some == some.sorted()) }
        let all = ids.flatMap { $0 }
        #expect(Set(all).count == all.count)
        // Also where nobody puts any more.
        try await eventually("all put together again") {
            for store in stores {
                let isUnderWay = await store.engine.underWay > 0
                let isApart = await isApart(store)
                if isUnderWay || isApart { return false }
            }
            return true
        }
        var turns: [JobID] = []
        for _ in 0..<4 {
            for client in clients { turns.append(try await client.openSession().put()) }
        }
        #expect(turns == turns.sorted())
        #expect(turns.allSatisfy { $0 > all.max() ?? 0 })

        let session = clients[0].openSession()
        var taken: Set<JobID> = []
        while case .reserved(let job) = try await session.run(.reserve(.microseconds(200_000))) {
            taken.insert(job.id)
            try await session.expect(.delete(job.id), .deleted)
        }
        #expect(taken == Set(all + turns))
        for store in stores { try await store.close() }
        await cluster.stop()
    }
}
