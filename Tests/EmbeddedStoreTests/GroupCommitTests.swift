import BeanspikeCore
import Testing

@testable import EmbeddedStore

/// When replies go out, what a commit writes, and what becomes of both when it fails.
///
/// No threads, no disk: the test begins and ends commits itself.
@Suite struct GroupCommitTests {
    /// A durable scheduler, one session on it, and the time.
    private struct Fixture: ~Copyable {
        var scheduler: Scheduler
        var now = StoreInstant(microseconds: 5_000_000)
        let session: SessionID

        init(bodyMemoryBytesMax: Int = .max) {
            scheduler = Scheduler(isDurable: true, bodyMemoryBytesMax: bodyMemoryBytesMax)
            session = scheduler.openSession(outbox: scheduler.addOutbox())
        }

        mutating func send(_ commands: [Command], as other: SessionID? = nil, body: String = "") {
            Array(body.utf8).withUnsafeBytes {
                scheduler.submit(commands, bytes: $0, session: other ?? session, now: now)
            }
        }

        mutating func put(_ body: String = "", delay: UInt32 = 0, as other: SessionID? = nil) {
            let range = ByteRange(offset: 0, count: body.utf8.count)
            send([.put(priority: 0, delaySeconds: delay, ttrSeconds: 60, body: range)], as: other, body: body)
        }

        mutating func begin() -> JournalBatch { scheduler.beginCommit(now: now, wallMilliseconds: 1_000_000) }

        mutating func end(_ outcome: Scheduler.CommitOutcome = Scheduler.CommitOutcome()) {
            scheduler.endCommit(outcome, now: now)
        }

        mutating func commit() { _ = begin(); end() }

        /// What has come out, in words.
        mutating func replies() -> [String] {
            var batch = ReplyBatch()
            scheduler.outboxes[0].collect(into: &batch)
            return batch.entries.map { entry in
                switch entry.reply {
                case .inserted(let id): "inserted \(id)"
                case .reserved(let view): "reserved \(view.id) \(text(view, batch))"
                case .found(let view): "found \(view.id) \(text(view, batch))"
                case .failed(let error): "failed \(error.code)\(error.inDoubt ? " in doubt" : "")"
                case .kicked(let count): "kicked \(count)"
                default: "\(entry.reply)"
                }
            }
        }

        private func text(_ view: JobView, _ batch: ReplyBatch) -> String {
            String(decoding: batch.bytes[view.body.offset..<(view.body.offset + view.body.count)], as: UTF8.self)
        }
    }

    private let full = JobStoreError(.outOfSpace, "full")
    private let broken = JobStoreError(.writeFailed, "broken", inDoubt: true)

    @Test func aPutIsAnsweredWhenItsCommitIsDone() {
        var store = Fixture()
        store.put("a")
        #expect(store.replies() == [])
        let batch = store.begin()
        #expect(batch.puts.map(\.id) == [1])
        #expect(store.replies() == [])
        store.end()
        #expect(store.replies() == ["inserted 1"])
    }

    @Test func whatChangesDuringACommitGoesIntoTheNext() {
        var store = Fixture()
        store.put("a")
        _ = store.begin()
        store.put("b")
        store.end()
        #expect(store.replies() == ["inserted 1"])
        let second = store.begin()
        #expect(second.puts.map(\.id) == [2])
        store.end()
        #expect(store.replies() == ["inserted 2"])
    }

    @Test func aJobPutAndDeletedBetweenCommitsIsNeverWritten() {
        var store = Fixture()
        store.put("a")
        store.send([.delete(1)])
        let batch = store.begin()
        #expect(batch.puts.isEmpty && batch.deletes.isEmpty)
        #expect(batch.idsReservedBelow != nil)
        #expect(store.replies() == [])
        store.end()
        #expect(store.replies() == ["inserted 1", "deleted"])
    }

    @Test func aReserveOfADurableJobWaitsForNobodysCommit() {
        var store = Fixture()
        store.put("a")
        store.commit()
        _ = store.replies()
        let other = store.scheduler.openSession(outbox: 0)
        store.put("b")
        _ = store.begin()
        store.send([.reserve(.none)], as: other)
        #expect(store.replies() == ["reserved 1 a"])
        store.end()
        #expect(store.replies() == ["inserted 2"])
    }

    @Test func aReserveOfAJobThatIsNotDurableYetWaitsForIt() {
        var store = Fixture()
        let other = store.scheduler.openSession(outbox: 0)
        store.put("a")
        _ = store.begin()
        store.send([.reserve(.none)], as: other)
        #expect(store.replies() == [])
        store.end()
        #expect(store.replies() == ["inserted 1", "reserved 1 a"])
    }

    @Test func repliesOfASessionStayInOrder() {
        var store = Fixture()
        store.put("a")
        store.send([.tubeUsed, .touch(9)])
        #expect(store.replies() == [])
        store.commit()
        #expect(store.replies().count == 3)
    }

    @Test func aPutThatCannotBeKeptIsGone() {
        var store = Fixture()
        let other = store.scheduler.openSession(outbox: 0)
        store.put("a")
        _ = store.begin()
        store.send([.reserve(.none)], as: other)
        store.end(Scheduler.CommitOutcome(putsError: full))
        #expect(store.replies() == ["failed outOfSpace", "timedOut"])
        store.send([.peek(1), .tubes])
        #expect(store.replies().first == "notFound")
        let counts = store.scheduler.counts
        #expect(counts.present == 0 && counts.total == 0)
    }

    @Test func otherChangesOfTheSameCommitMayBeKept() {
        var store = Fixture()
        store.put("a")
        store.commit()
        _ = store.replies()
        store.put("b")
        store.send([.delete(1)])
        let batch = store.begin()
        #expect(batch.deletes.map(\.id) == [1])
        store.end(Scheduler.CommitOutcome(putsError: full))
        #expect(store.replies() == ["failed outOfSpace", "deleted"])
    }

    @Test func aDeleteThatCannotBeWrittenIsInDoubtAndTriedAgain() {
        var store = Fixture()
        store.put("a")
        store.commit()
        _ = store.replies()
        store.send([.delete(1)])
        _ = store.begin()
        store.end(Scheduler.CommitOutcome(putsError: broken, changesError: broken))
        #expect(store.replies() == ["failed writeFailed in doubt"])
        let due = store.scheduler.commitDue
        #expect(due > store.now)
        store.now = due
        let retry = store.begin()
        #expect(retry.deletes.map(\.id) == [1])
    }

    @Test func aReleaseThatCannotBeWrittenIsWrittenLater() {
        var store = Fixture()
        store.put("a")
        store.commit()
        store.send([.reserve(.none), .release(1, priority: 7, delaySeconds: 0)])
        _ = store.begin()
        store.end(Scheduler.CommitOutcome(putsError: broken, changesError: broken))
        let retry = store.begin()
        #expect(retry.updates.map(\.id) == [1])
    }

    @Test func bodiesBeyondTheirMemoryAreReadWhenTheyAreWanted() {
        var store = Fixture(bodyMemoryBytesMax: 3)
        store.put("abc")
        store.put("def")
        store.commit()
        _ = store.replies()
        store.send([.reserve(.none), .reserve(.none)])
        #expect(store.scheduler.log.isCommitWanted)
        let batch = store.begin()
        #expect(batch.loads == [1])
        store.end(Scheduler.CommitOutcome(bodies: [1: Array("abc".utf8)]))
        #expect(store.replies() == ["reserved 1 abc", "reserved 2 def"])
    }

    @Test func aBodyThatCannotBeReadIsAnErrorAndNotAnEmptyBody() {
        var store = Fixture(bodyMemoryBytesMax: 0)
        store.put("abc")
        store.commit()
        _ = store.replies()
        store.send([.peek(1)])
        _ = store.begin()
        store.end(Scheduler.CommitOutcome(loadError: JobStoreError(.readFailed, "broken")))
        #expect(store.replies() == ["failed readFailed"])
    }

    @Test func aCountOfReservesIsWrittenLazily() {
        var store = Fixture()
        store.put("a")
        store.commit()
        store.send([.reserve(.none)])
        #expect(store.scheduler.commitDue == .never)
        let early = store.scheduler.log.lazyDue
        #expect(early > store.now)
        store.now = early
        store.scheduler.tick(now: store.now)
        let batch = store.begin()
        #expect(batch.updates.map(\.id) == [1])
        #expect(batch.puts.isEmpty)
    }

    @Test func aShortLivedReservationIsNeverWritten() {
        var store = Fixture()
        store.put("a")
        store.commit()
        store.send([.reserve(.none), .delete(1)])
        let batch = store.begin()
        #expect(batch.updates.isEmpty)
        #expect(batch.deletes.map(\.wasUpdated) == [false])
    }

    @Test func aClosedSessionsRepliesGoToNobody() {
        var store = Fixture()
        let other = store.scheduler.openSession(outbox: 0)
        store.put("a", as: other)
        _ = store.begin()
        store.scheduler.closeSession(other, now: store.now)
        let next = store.scheduler.openSession(outbox: 0)
        #expect(next != other)
        store.end()
        #expect(store.replies() == [])
        let reused = store.scheduler.openSession(outbox: 0)
        #expect(reused == other)
    }
}
