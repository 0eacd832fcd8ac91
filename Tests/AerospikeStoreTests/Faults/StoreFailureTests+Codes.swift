import Aerospike
import AerospikeTestKit
import BeanspikeCore
import JobStoreTestKit
import Testing

@testable import AerospikeStore

// What nodes answer, and what a crowd does.
extension StoreFailureTests {
    /// 8. 64 clients on one tube: no KEY_BUSY reaches a caller.
    @Test(.timeLimit(.minutes(30)), .faultSchedules) func sixtyFourClientsOnOneTube() async throws {
        var plan = FaultRun.Plan()
        plan.instances = 4
        plan.sessionsPerInstance = 16
        plan.tubes = 1
        plan.callsPerSession = 15
        try await Self.schedules(
            2,
            plan,
            disturb: { run in
                run.cluster.nodes?.setRandomFaults(
                    Self.faults(run.seed) { faults in
                        faults.answerCode = 0.2
                        faults.resultCodes = [.keyBusy]
                    }
                )
            },
            calm: { run in
                let failed = run.ledger.counts["failed", default: 0] + run.ledger.counts["put refused", default: 0]
                if failed > 0 { run.ledger.violate("\(failed) calls failed for KEY_BUSY") }
            }
        )
    }

    /// 14. Codes 2, 3, 8, 9, 11, 13, 14, 18, 22, 27 injected on each call.
    @Test(
        .timeLimit(.minutes(30)),
        .faultSchedules,
        arguments: [
            ResultCode.notFound, .generationMismatch, .outOfSpace, .timeout, .partitionUnavailable, .recordTooBig,
            .keyBusy, .deviceOverload, .forbidden, .filteredOut,
        ]
    )
    func codesInjected(code: ResultCode) async throws {
        try await Self.schedules(2, name: "codesInjected(\(code))") { run in
            run.cluster.nodes?.setRandomFaults(
                Self.faults(run.seed) { faults in
                    faults.answerCode = 0.1
                    faults.resultCodes = [code]
                }
            )
        }
    }

    /// 9. A transition on a missing segment creates nothing.
    @Test(.timeLimit(.minutes(1))) func aTransitionOnAMissingSegmentCreatesNothing() async throws {
        try await StoreCluster.with { client, layout in
            let records = SegmentRecords(client: client, layout: layout)
            let entry = SegmentTests.entry(1)
            var works: [SegmentWork] = []
            var work = SegmentWork()
            work.appends = [entry]
            works.append(work)
            work = SegmentWork()
            work.updates = [3: entry]
            works.append(work)
            work.expected = [3: entry]
            works.append(work)
            work = SegmentWork()
            work.removals = [3: entry.details]
            works.append(work)
            work = SegmentWork()
            work.pops = 2
            works.append(work)
            work = SegmentWork()
            work.closes = true
            works.append(work)
            for (number, work) in works.enumerated() {
                let answer = try await records.perform(work, on: 77, process: 1, sequence: Int64(number) + 1, held: [])
                guard case .gone = answer else {
                    Issue.record("work \(number): \(answer)")
                    continue
                }
            }
            #expect(try await records.fence(77, against: 1) == nil)
            #expect(try await !records.raiseMark(.ready, of: 77, to: nil))
            #expect(try await records.clear(77) == nil)
            #expect(try await client.get(layout.segmentKey(77)) == nil)
        }
    }

    /// 10. A segment at its size limit: every transition still works.
    @Test(.timeLimit(.minutes(2)), arguments: [0, StoreLimits.inlineBodyBytesMax])
    func aSegmentAtItsSizeLimit(bodyBytes: Int) async throws {
        let cluster = try await StoreCluster.start()
        let store = try await cluster.openStore("t\(UInt32.random(in: 0...UInt32.max))")
        let session = TestClient(store).openSession()
        let attributes = JobAttributes(metadata: [UInt8](repeating: 7, count: Limits.metadataBytesMax))
        let body = [UInt8](repeating: 1, count: bodyBytes)
        var ids: [JobID] = []
        for _ in 0..<150 { ids.append(try await session.put(body, ttr: 60, attributes: attributes)) }
        let reason = String(repeating: "r", count: Limits.buryReasonBytesMax)
        for _ in ids {
            let job = try await session.reserve()
            try await session.expect(.touch(job.id), .touched)
            try await session.expect(.bury(job.id, priority: 9, reason: reason), .buried)
        }
        for id in ids { try await session.expect(.kickJob(id), .kickedJob) }
        for _ in ids {
            let job = try await session.reserve()
            try await session.expect(.release(job.id, priority: 8, delaySeconds: 100), .released)
        }
        #expect(try await session.run(.kick(1_000)) == .kicked(UInt64(ids.count)))
        for id in ids {
            guard case .reserved(let job) = try await session.run(.reserveJob(id)) else {
                Issue.record("job \(id) cannot be reserved")
                continue
            }
            #expect(job.body == body)
        }
        for id in ids { try await session.expect(.delete(id), .deleted) }
        #expect(try await session.run(.reserve(.none)) == .timedOut)
        try await store.close()
        await cluster.stop()
    }

    /// 11. A slow consumer stalls nobody.
    @Test(.timeLimit(.minutes(1))) func aSlowConsumerStallsNobody() async throws {
        let cluster = try await StoreCluster.start()
        let store = try await cluster.openStore("t\(UInt32.random(in: 0...UInt32.max))")
        // It asks for much and takes no answer.
        let slow = TestClient(store).openSession()
        let body = [UInt8](repeating: 3, count: 20_000)
        for _ in 0..<200 { slow.submit(.put(body, priority: 9), Request(.reserve(.none))) }
        let quick = TestClient(store).openSession()
        let tube = try #require(TubeName("quick"))
        try await quick.expect(.use(tube), .using(tube))
        try await quick.expect(.watch(tube), .watching(2))
        try await quick.expect(.ignore(.default), .watching(1))
        let begin = ContinuousClock.now
        for _ in 0..<50 {
            let id = try await quick.put([1], ttr: 60)
            let job = try await quick.reserve()
            #expect(job.id == id)
            try await quick.expect(.delete(id), .deleted)
        }
        #expect(ContinuousClock.now - begin < .seconds(10))
        slow.close()
        try await store.close()
        await cluster.stop()
    }
}
