import BeanspikeCore
import Testing

@testable import EmbeddedStore

/// The scheduler without threads or clocks: what one call answers.
@Suite struct SchedulerTests {
    private let now = StoreInstant(microseconds: 1_000_000)

    private func run(_ scheduler: inout Scheduler, _ commands: [Command], body: String = "", session: SessionID)
        -> [Reply]
    {
        Array(body.utf8).withUnsafeBytes { scheduler.submit(commands, bytes: $0, session: session, now: now) }
        var batch = ReplyBatch()
        scheduler.outboxes[0].collect(into: &batch)
        return batch.entries.map(\.reply)
    }

    private func put(_ priority: UInt32 = 0, delay: UInt32 = 0, ttr: UInt32 = 60, bytes: Int = 0) -> Command {
        .put(priority: priority, delaySeconds: delay, ttrSeconds: ttr, body: ByteRange(offset: 0, count: bytes))
    }

    @Test func jobsComeByPriorityThenID() {
        var scheduler = Scheduler(isDurable: false, bodyMemoryBytesMax: .max)
        let outbox = scheduler.addOutbox()
        let session = scheduler.openSession(outbox: outbox)
        _ = run(&scheduler, [put(5), put(1), put(5), put(1), put(0)], session: session)
        let replies = run(&scheduler, Array(repeating: .reserve(.none), count: 6), session: session)
        let ids = replies.compactMap { if case .reserved(let view) = $0 { view.id } else { nil } }
        #expect(ids == [5, 2, 4, 1, 3])
        #expect(replies.count == 6)
    }

    @Test func whatAJobCarriesIsBounded() {
        var scheduler = Scheduler(isDurable: false, bodyMemoryBytesMax: .max)
        let session = scheduler.openSession(outbox: scheduler.addOutbox())
        let attributes = JobAttributes(metadata: Array(repeating: 0, count: Limits.metadataBytesMax + 1))
        let put = Command.put(priority: 0, delaySeconds: 0, ttrSeconds: 0, body: .empty, attributes: attributes)
        let replies = run(&scheduler, [put], session: session)
        guard case .failed(let error)? = replies.first else {
            Issue.record("not refused")
            return
        }
        #expect(error.code == .limitReached)
        let reason = JobAttributes(buryReason: "a" + String(repeating: "\u{e9}", count: 1_000)).buryReason
        #expect(reason.utf8.count == Limits.buryReasonBytesMax - 1)
    }

    @Test func aWaitingReserveHoldsWhatStandsBehindIt() {
        var scheduler = Scheduler(isDurable: false, bodyMemoryBytesMax: .max)
        let outbox = scheduler.addOutbox()
        let consumer = scheduler.openSession(outbox: outbox)
        let producer = scheduler.openSession(outbox: outbox)
        #expect(run(&scheduler, [.reserve(.forever), put(7, bytes: 2)], body: "hi", session: consumer).isEmpty)
        let isBlocked = scheduler.isBlocked(consumer)
        #expect(isBlocked)
        let replies = run(&scheduler, [put(3, bytes: 5)], body: "hello", session: producer)
        #expect(replies.count == 3)
        let counts = scheduler.counts
        let isStillBlocked = scheduler.isBlocked(consumer)
        #expect(!isStillBlocked)
        #expect(counts.ready == 1)
        #expect(counts.reserved == 1)
    }
}
