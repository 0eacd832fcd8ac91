import Aerospike
import AerospikeTestKit
import BeanspikeCore
import JobStoreTestKit
import Testing

@_spi(Measuring) @testable import AerospikeStore

/// Jobs that are reserved for workers before they ask: nobody is to see more of it than that it is fast.
@Suite struct ReservedAheadTests {
    private static let tube: TubeName = .default

    /// A store that expects everybody who settles a job to ask for the next, and another one beside it.
    ///
    /// - Parameters:
    ///   - closesEager: false where the test ends the first by itself.
    ///   - given: the cluster to use, and to stop; nil for a new one.
    ///   - body: the test.
    /// - Throws: what the test throws.
    private static func with(
        closesEager: Bool = true,
        on given: StoreCluster? = nil,
        _ body: (_ eager: AerospikeStore, _ other: AerospikeStore) async throws -> Void
    ) async throws {
        let cluster = if let given { given } else { try await StoreCluster.start() }
        let prefix = "t\(UInt32.random(in: 0...UInt32.max))"
        let eager = try await cluster.openStore(prefix) { options in
            options.returnsMin = 0
            options.deathInterval = .seconds(2)
        }
        let other = try await cluster.openStore(prefix) { $0.deathInterval = .seconds(2) }
        do {
            for store in [eager, other] { try await store.waitForPeers(1) }
            try await body(eager, other)
        } catch {
            if closesEager { try? await eager.close() }
            try? await other.close()
            await cluster.stop()
            throw error
        }
        if closesEager { try await eager.close() }
        try await other.close()
        await cluster.stop()
    }

    private static func put(_ count: Int, _ session: TestSession, priority: UInt32 = 5) async throws -> [JobID] {
        var ids: [JobID] = []
        for number in 0..<count { ids.append(try await session.put(Array("\(number)".utf8), priority: priority)) }
        return ids
    }

    /// Reserves and deletes, until a job is reserved ahead; tells which were taken.
    private static func loopUntilAhead(_ session: TestSession, _ store: AerospikeStore) async throws -> [JobID] {
        var taken: [JobID] = []
        for _ in 0..<40 {
            let job = try await session.reserve().id
            taken.append(job)
            try await session.expect(.delete(job), .deleted)
            if await store.engine.keptAhead > 0 { return taken }
        }
        Issue.record("Nothing was reserved ahead.")
        return taken
    }

    @Test(.timeLimit(.minutes(2))) func aLoopCostsOneRoundTripEach() async throws {
        try await Self.with { eager, _ in
            let session = TestClient(eager).openSession()
            let ids = try await Self.put(200, session)
            for _ in 0..<20 { try await session.expect(.delete(session.reserve().id), .deleted) }
            let before = eager.client.statistics.requestCount
            for id in ids[20..<120] {
                #expect(try await session.reserve().id == id)
                try await session.expect(.delete(id), .deleted)
            }
            let requests = eager.client.statistics.requestCount - before
            // And heartbeats, and what a change of the segment takes.
            #expect(requests < 160, "\(requests) requests for 100 jobs")
        }
    }

    @Test(.timeLimit(.minutes(2))) func manyWorkersGetEachJobOnce() async throws {
        try await Self.with { eager, other in
            let producer = TestClient(other).openSession()
            let ids = try await Self.put(600, producer)
            let delivered = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for worker in 0..<8 {
                    let session = TestClient(worker < 6 ? eager : other).openSession()
                    group.addTask {
                        var delivered: [JobID] = []
                        while case .reserved(let job) = try await session.run(.reserve(.microseconds(1_000_000))) {
                            delivered.append(job.id)
                            try await session.expect(.delete(job.id), .deleted)
                        }
                        return delivered
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(delivered.sorted() == ids)
        }
    }

    /// What somebody else does while a job is kept.
    enum Deed: CaseIterable {
        case peekReady, tubeStatistics, jobStatistics, delete, reserveJob, urgentPut, pause, truncate, waitElsewhere
    }

    @Test(.timeLimit(.minutes(2)), arguments: Deed.allCases) func whoeverLooksSeesThemReady(deed: Deed) async throws {
        try await Self.with { eager, other in
            let session = TestClient(eager).openSession()
            let looker = TestClient(eager).openSession()
            let ids = try await Self.put(30, session)
            let taken = try await Self.loopUntilAhead(session, eager)
            let next = ids[taken.count]
            #expect(taken == Array(ids.prefix(taken.count)))
            switch deed {
            case .peekReady:
                guard case .found(let job) = try await looker.run(.peekNext(.ready)) else {
                    Issue.record("No job is ready.")
                    return
                }
                #expect(job.id == next)
            case .tubeStatistics:
                guard case .tubeStatistics(let statistics) = try await looker.run(.tubeStatistics(Self.tube)) else {
                    Issue.record("There are no statistics.")
                    return
                }
                #expect(statistics.jobs.reserved == 0 && statistics.jobs.ready == UInt64(30 - taken.count))
            case .jobStatistics:
                guard case .jobStatistics(let statistics) = try await looker.run(.jobStatistics(next)) else {
                    Issue.record("There are no statistics.")
                    return
                }
                #expect(statistics.lifecycle.state == .ready && statistics.lifecycle.reserves == 0)
            case .delete: try await looker.expect(.delete(next), .deleted)
            case .reserveJob: #expect(try await looker.reserveJob(next).id == next)
            case .urgentPut:
                let urgent = try await looker.put(priority: 0)
                #expect(try await session.reserve().id == urgent)
            case .pause:
                try await looker.expect(.pause(Self.tube, seconds: 60), .paused)
                try await session.expect(.reserve(.none), .timedOut)
            case .truncate:
                try await looker.expect(.truncate(Self.tube), .truncated(UInt64(30 - taken.count)))
                try await session.expect(.reserve(.none), .timedOut)
            case .waitElsewhere:
                let waiter = TestClient(other).openSession()
                #expect(try await waiter.reserve(.microseconds(5_000_000)).id >= next)
            }
            guard ![.pause, .truncate].contains(deed) else { return }
            // All others come, each once.
            var rest: [JobID] = []
            while case .reserved(let job) = try await session.run(.reserve(.microseconds(300_000))) {
                rest.append(job.id)
                try await session.expect(.delete(job.id), .deleted)
            }
            let isGone: Set<Deed> = [.delete, .reserveJob, .waitElsewhere]
            #expect(Set(rest).count == rest.count && rest.allSatisfy { !taken.contains($0) })
            #expect(rest.count == 30 - taken.count - (isGone.contains(deed) ? 1 : 0))
        }
    }

    @Test(.timeLimit(.minutes(2))) func theyComeBackWhenNobodyAsks() async throws {
        try await Self.with { eager, other in
            let session = TestClient(eager).openSession()
            let ids = try await Self.put(20, session)
            let taken = try await Self.loopUntilAhead(session, eager)
            try await eventually("they go back") { await eager.engine.keptAhead == 0 }
            let elsewhere = TestClient(other).openSession()
            let job = try await elsewhere.reserve(.microseconds(5_000_000))
            #expect(job.id == ids[taken.count])
            guard case .jobStatistics(let statistics) = try await elsewhere.run(.jobStatistics(job.id)) else { return }
            #expect(statistics.lifecycle.reserves == 1)
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: [false, true]) func theyComeBackAtTheEnd(dies: Bool) async throws {
        try await Self.with(closesEager: false) { eager, other in
            let session = TestClient(eager).openSession()
            let ids = try await Self.put(20, session)
            let taken = try await Self.loopUntilAhead(session, eager)
            if dies { await eager.abandon() } else { try await eager.close() }
            let elsewhere = TestClient(other, limit: .seconds(40)).openSession()
            for id in ids.dropFirst(taken.count) {
                let job = try await elsewhere.reserve(.microseconds(30_000_000))
                #expect(dies || job.id == id)
                try await elsewhere.expect(.delete(job.id), .deleted)
            }
            try await elsewhere.expect(.reserve(.none), .timedOut)
        }
    }

    @Test(.enabled(if: StoreCluster.live == nil), .timeLimit(.minutes(2)), arguments: [0, 1])
    func theyComeBackWhenTheReplyIsLost(skipping: Int) async throws {
        let cluster = try await StoreCluster.start()
        try await Self.with(on: cluster) { eager, _ in
            let session = TestClient(eager).openSession()
            let ids = try await Self.put(30, session)
            var taken = try await Self.loopUntilAhead(session, eager)
            // The work that deletes the next one, and reserves one ahead; or the one behind it.
            let lost = Fault(.swallowReply(then: .close), skipping: skipping) {
                $0.kind == .write && $0.setName.hasSuffix("segments")
            }
            cluster.nodes?.inject(lost)
            for _ in 0..<2 {
                let job = try await session.reserve().id
                try await session.expect(.delete(job), .deleted)
                taken.append(job)
            }
            cluster.nodes?.clearFaults()
            while case .reserved(let job) = try await session.run(.reserve(.microseconds(500_000))) {
                taken.append(job.id)
                try await session.expect(.delete(job.id), .deleted)
            }
            #expect(taken == ids)
        }
    }

    @Test(.timeLimit(.minutes(2))) func nobodyOvertakesThemInTheProcess() async throws {
        try await Self.with { eager, _ in
            let client = TestClient(eager)
            let session = client.openSession()
            let others = (0..<4).map { _ in client.openSession() }
            let ids = try await Self.put(100, session)
            var delivered: [JobID] = []
            while delivered.count < 90 {
                let mine = try await session.reserve().id
                delivered.append(mine)
                // The work that deletes may reserve one ahead, while others ask.
                session.submit(.delete(mine))
                for other in others { other.submit(.reserve(.none)) }
                guard case .deleted = try await session.reply() else {
                    Issue.record("Job \(mine) was not deleted.")
                    return
                }
                var round: [JobID] = []
                for other in others { round.append(try await other.reserved().id) }
                #expect(round == round.sorted())
                delivered += round
                for (other, id) in zip(others, round) { try await other.expect(.delete(id), .deleted) }
            }
            #expect(delivered == Array(ids.prefix(delivered.count)))
        }
    }
}
