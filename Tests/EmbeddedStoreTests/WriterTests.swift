import BeanspikeCore
import Synchronization
import Testing

@testable import EmbeddedStore

/// What happens between a store and its journal when nobody calls any more.
@Suite(.timeLimit(.minutes(1))) struct WriterTests {
    private func put() -> Command {
        .put(priority: 0, delaySeconds: 0, ttrSeconds: 0, body: .empty)
    }

    private func run(_ commands: [Command], _ port: any JobStorePort, _ session: SessionID) {
        port.submit(commands, bytes: UnsafeRawBufferPointer(start: nil, count: 0), session: session)
        port.flush()
    }

    private func open(_ journal: RecordingJournal) throws -> EmbeddedStore {
        try EmbeddedStore.open(journal: journal, options: EmbeddedStore.Options(), clock: SystemClock())
    }

    @Test func aCountOfReservesIsWrittenThoughNobodyCallsAgain() async throws {
        let journal = RecordingJournal()
        let store = try open(journal)
        let port = store.makePort(wake: {})
        let session = port.openSession()
        run([put()], port, session)
        // The reserve is lazy, the put makes a commit wanted: the lazy change must not lose its alarm by that.
        run([put(), .reserve(.none)], port, session)
        for await batch in journal.commits where !batch.updates.isEmpty {
            #expect(batch.updates.map(\.id) == [1])
            break
        }
        try await store.close()
    }

    @Test func aFailedDeleteIsTriedAgainThoughNobodyCallsAgain() async throws {
        let journal = RecordingJournal()
        let store = try open(journal)
        let port = store.makePort(wake: {})
        let session = port.openSession()
        run([put()], port, session)
        journal.fail(2)
        run([.delete(1)], port, session)
        for await batch in journal.commits where !batch.deletes.isEmpty {
            #expect(batch.deletes.map(\.id) == [1])
            break
        }
        try await store.close()
    }

    @Test func aStoreThatIsClosedSaysSo() async throws {
        let store = try open(RecordingJournal())
        let port = store.makePort(wake: {})
        let session = port.openSession()
        try await store.close()
        try await store.close()
        run([put(), .delete(1)], port, session)
        var batch = ReplyBatch()
        port.collect(into: &batch)
        let codes = batch.entries.map { entry in
            if case .failed(let error) = entry.reply { error.code } else { JobStoreError.Code.badURL }
        }
        #expect(codes == [.closed, .closed])
    }

    @Test func closingTellsOfALastCommitThatFailed() async throws {
        let journal = RecordingJournal()
        let store = try open(journal)
        let port = store.makePort(wake: {})
        let session = port.openSession()
        journal.fail(.max)
        run([put()], port, session)
        await #expect(throws: JobStoreError.self) { try await store.close() }
    }
}

/// A journal that keeps nothing, says what it was given, and fails when told to.
private final class RecordingJournal: Journal {
    let commits: AsyncStream<JournalBatch>
    private let given: AsyncStream<JournalBatch>.Continuation
    private let failures = Mutex(0)
    let statistics = JournalStatistics()

    init() { (commits, given) = AsyncStream.makeStream() }

    /// The next so many commits fail.
    func fail(_ count: Int) { failures.withLock { $0 = count } }

    func commit(_ batch: borrowing JournalBatch) throws(JobStoreError) {
        let fails = failures.withLock { left in
            defer { left = max(0, left - 1) }
            return left > 0
        }
        if fails { throw JobStoreError(.writeFailed, "told to fail", inDoubt: true) }
        given.yield(copy batch)
    }

    func replay(
        _ visit: (JobID, Bool, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws(JobStoreError) -> JobID { 1 }

    func read(
        _ ids: [JobID],
        _ visit: (JobID, Bool, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) throws(JobStoreError) {}

    func maintain() -> Duration? { nil }
    func close(nextID: JobID) throws(JobStoreError) {}
}
