import BeanspikeCore
import Testing

@testable import EmbeddedStore

/// What a new body comes to when its commit is done, and when it fails.
///
/// No threads, no disk: the test begins and ends commits itself.
@Suite struct BodyUpdateTests {
    private struct Fixture: ~Copyable {
        var scheduler: Scheduler
        let now = StoreInstant(microseconds: 5_000_000)
        let session: SessionID

        init(bodyMemoryBytesMax: Int = .max) {
            scheduler = Scheduler(isDurable: true, bodyMemoryBytesMax: bodyMemoryBytesMax)
            session = scheduler.openSession(outbox: scheduler.addOutbox())
            send(.put(priority: 0, delaySeconds: 0, ttrSeconds: 60, body: ByteRange(offset: 0, count: 3)), body: "old")
            commit()
            send(.reserve(.none))
            commit()
            _ = replies()
        }

        mutating func send(_ command: Command, body: String = "") {
            Array(body.utf8).withUnsafeBytes {
                scheduler.submit([command], bytes: $0, session: session, now: now)
            }
        }

        mutating func update(_ body: String, form: BodyForm = .plain) {
            send(.update(1, body: ByteRange(offset: 0, count: body.utf8.count), form: form), body: body)
        }

        mutating func begin() -> JournalBatch { scheduler.beginCommit(now: now, wallMilliseconds: 1_000_000) }
        mutating func end(_ outcome: Scheduler.CommitOutcome = .init()) { scheduler.endCommit(outcome, now: now) }
        mutating func commit() { _ = begin(); end() }

        mutating func replies() -> [String] {
            var batch = ReplyBatch()
            scheduler.outboxes[0].collect(into: &batch)
            return batch.entries.map { entry in
                switch entry.reply {
                case .found(let view), .reserved(let view):
                    String(decoding: batch.bytes[view.body.offset..<view.body.offset + view.body.count], as: UTF8.self)
                case .failed(let error): "failed \(error.code)\(error.inDoubt ? " in doubt" : "")"
                default: "\(entry.reply)"
                }
            }
        }

        mutating func peek() -> [String] {
            send(.peek(1))
            commit()
            return replies()
        }
    }

    private var full: Scheduler.CommitOutcome {
        let error = JobStoreError(.outOfSpace, "full")
        return .init(putsError: error, bodiesError: error)
    }

    private func body(_ batch: borrowing JournalBatch) -> [String?] {
        let bytes = batch.bytes
        return batch.updates.map { update in
            update.body.map { String(decoding: bytes[$0.offset..<$0.offset + $0.count], as: UTF8.self) }
        }
    }

    @Test func itIsAnsweredWhenItsCommitIsDone() {
        var store = Fixture()
        store.update("new")
        #expect(store.replies() == [])
        let batch = store.begin()
        #expect(body(batch) == ["new"])
        store.end()
        #expect(store.replies() == ["updated"])
        #expect(store.scheduler.counts.usedBytes == 3)
        // The next change of the job writes no body again.
        store.send(.release(1, priority: 0, delaySeconds: 0))
        #expect(body(store.begin()) == [nil])
        store.end()
        #expect(store.peek().last == "new")
    }

    @Test func whereThereIsNoRoomTheJobKeepsItsBody() {
        var store = Fixture()
        store.update("a longer one", form: .compressed(originalBodyBytes: 900))
        #expect(store.scheduler.counts.bodyBytes == 900)
        _ = store.begin()
        store.end(full)
        #expect(store.replies() == ["failed outOfSpace"])
        #expect(store.scheduler.counts.usedBytes == 3)
        #expect(store.scheduler.counts.bodyBytes == 3)
        #expect(store.peek() == ["old"])
    }

    @Test func whatCameAfterItInTheSameCommitIsInDoubt() {
        var store = Fixture()
        store.update("new")
        store.send(.release(1, priority: 0, delaySeconds: 0))
        _ = store.begin()
        store.end(full)
        #expect(store.replies() == ["failed outOfSpace", "failed outOfSpace in doubt"])
        // It is ready in memory, and written so with the next commit.
        let batch = store.begin()
        #expect(batch.updates.map(\.id) == [1])
        #expect(body(batch) == [nil])
        store.end()
        #expect(store.peek() == ["old"])
        #expect(store.scheduler.counts.ready == 1)
    }

    @Test func oneThatCameDuringTheCommitThatFailsGoesBackToWhatIsOnDisk() {
        var store = Fixture()
        store.update("second")
        _ = store.begin()
        store.update("third")
        store.end(full)
        #expect(store.replies() == ["failed outOfSpace"])
        #expect(body(store.begin()) == ["third"])
        store.end(full)
        #expect(store.replies() == ["failed outOfSpace"])
        #expect(store.peek() == ["old"])
    }

    @Test func aJobThatIsDeletedMeanwhileIsGone() {
        var store = Fixture()
        store.update("second")
        _ = store.begin()
        store.update("third")
        store.send(.delete(1))
        store.end(full)
        store.commit()
        #expect(store.replies() == ["failed outOfSpace", "updated", "deleted"])
        #expect(store.scheduler.counts.usedBytes == 0)
        #expect(store.scheduler.log.replacedBodies.isEmpty)
        #expect(store.scheduler.bodyMemoryBytes == 0)
    }

    @Test func aBodyThatIsOnDiskOnlyIsReplacedAndComesBack() {
        var store = Fixture(bodyMemoryBytesMax: 0)
        store.update("new")
        _ = store.begin()
        store.end(full)
        _ = store.replies()
        store.send(.peek(1))
        let batch = store.begin()
        #expect(batch.loads == [1])
        store.end(.init(bodies: [1: Array("old".utf8)]))
        #expect(store.replies() == ["old"])
    }
}
