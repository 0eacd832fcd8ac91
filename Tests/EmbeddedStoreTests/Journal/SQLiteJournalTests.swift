import BeanspikeCore
import Testing

@testable import EmbeddedStore

@Suite("SQLiteJournal keeps what was committed")
struct SQLiteJournalTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func open(_ durability: JournalDurability = .committed) throws -> SQLiteJournal {
        try SQLiteJournal.open(directory: directory.path, durability: durability, limits: .small)
    }

    @Test("a fresh one is empty and starts at id 1")
    func fresh() throws {
        let (jobs, next) = try open().replayAll()
        #expect(jobs.isEmpty)
        #expect(next == 1)
        #expect(directory.names.contains("journal.sqlite"))
        #expect(JournalLimits().areConsistent)
        #expect(JournalLimits.small.areConsistent)
    }

    @Test("puts, updates and deletes", arguments: [.committed, .everyMilliseconds(50), .never] as [JournalDurability])
    func changes(durability: JournalDurability) throws {
        let attributes = JobAttributes(metadata: [1, 2, 3], buryReason: "broken")
        let buried = try JournalRecord.sample(state: .buried, attributes: attributes)
        let delayed = try JournalRecord.sample(state: .delayed, priority: 3)
        do {
            let journal = try open(durability)
            var batch = try JournalBatch.puts(1...5)
            batch.put(6, try .sample(tube: "other"), body: [])
            batch.idsReservedBelow = 1000
            try journal.commit(batch)
            var second = JournalBatch()
            second.update(2, delayed)
            second.update(4, delayed)
            second.update(5, delayed)
            second.deletes = [.init(id: 1, wasUpdated: false)]
            try journal.commit(second)
            var third = JournalBatch()
            third.update(2, buried)
            third.deletes = [.init(id: 4, wasUpdated: true), .init(id: 5, wasUpdated: true)]
            try journal.commit(third)
            #expect(journal.statistics.recordsWritten == 6 + 4 + 3)
            #expect(journal.statistics.oldestIndex == 1)
            #expect(journal.statistics.currentIndex == 1)
            #expect(journal.statistics.fileBytesMax == 10_485_760)
            try journal.close(nextID: 7)
        }
        let (jobs, next) = try open().replayAll()
        #expect(next == 7)
        #expect(jobs.map(\.id) == [2, 3, 6])
        #expect(jobs.map(\.isUpdated) == [true, false, false])
        #expect(jobs[0].record == buried)
        #expect(jobs[0].body == [UInt8](repeating: 2, count: 64))
        #expect(jobs[1].record == (try .sample()))
        #expect(jobs[2].record == (try .sample(tube: "other")))
        #expect(jobs[2].body == [])
    }

    @Test("ids are not given out again, however the process ended")
    func ids() throws {
        let journal = try open()
        var batch = try JournalBatch.puts(1...3)
        batch.idsReservedBelow = 5_000
        try journal.commit(batch)
        #expect(try journal.replayAll().nextID == 5_000)
        let killed = try directory.copyAsAfterKill()
        try journal.close(nextID: 4)
        #expect(try SQLiteJournal.open(directory: killed.path).replayAll().nextID == 5_000)
        #expect(try open().replayAll().nextID == 4)
    }

    @Test("an id in use is never given out, whatever was reserved")
    func idsInUse() throws {
        let journal = try open()
        try journal.commit(.puts([77]))
        #expect(try journal.replayAll().nextID == 78)
    }

    @Test(
        "a log left behind is taken over",
        arguments: [.committed, .everyMilliseconds(60_000), .never] as [JournalDurability]
    )
    func kill(durability: JournalDurability) throws {
        let journal = try open(durability)
        var expected: [JobID] = []
        for round in 0..<300 as Range<JobID> {
            let first = round * 10 + 1
            try journal.commit(.puts(first..<first + 10, bodyBytes: 200))
            try journal.commit(.deletes(first..<first + 5))
            expected += Array(first + 5..<first + 10)
            guard round % 60 == 0 || round == 299 else { continue }
            let killed = try directory.copyAsAfterKill()
            #expect(try SQLiteJournal.open(directory: killed.path, limits: .small).ids == expected)
        }
    }

    @Test("deletes of ids in any order, with gaps and with changes")
    func deletes() throws {
        let journal = try open()
        try journal.commit(.puts(1...100))
        var updates = JournalBatch()
        for id in 1...100 as ClosedRange<JobID> where id % 3 == 0 { updates.update(id, try .sample(state: .buried)) }
        try journal.commit(updates)
        var random = SeededGenerator(seed: 5)
        var deleted = Array(1...100 as ClosedRange<JobID>).filter { $0 % 7 != 0 }
        for shuffled in [false, true] {
            if shuffled { deleted.shuffle(using: &random) }
            var batch = JournalBatch()
            batch.deletes = deleted.prefix(shuffled ? 100 : 40).map { .init(id: $0, wasUpdated: $0 % 3 == 0) }
            try journal.commit(batch)
        }
        #expect(try journal.ids == Array(stride(from: 7, through: 98, by: 7)))
        #expect(try journal.database.integer("SELECT count(*) FROM changes") == 4)
    }

    @Test("jobs are read as last committed; ids not there are left out")
    func read() throws {
        let journal = try open()
        try journal.commit(.puts(1...10, bodyBytes: 100_000))
        var batch = JournalBatch()
        batch.update(3, try .sample(state: .buried))
        try journal.commit(batch)
        var decoder = JournalRecordDecoder()
        var found: [ReplayedJob] = []
        try journal.read([9, 3, 400, .max]) { id, isUpdated, record, body in
            guard let record = decoder.decode(record) else { return }
            found.append(ReplayedJob(id: id, isUpdated: isUpdated, record: record, body: Array(body)))
        }
        #expect(found.map(\.id) == [9, 3])
        #expect(found.map(\.isUpdated) == [false, true])
        #expect(found.map(\.record.lifecycle.state) == [.ready, .buried])
        #expect(found.map(\.body) == [9, 3].map { [UInt8](repeating: $0, count: 100_000) })
    }

    @Test("a batch that cannot be written is not kept at all, and the next one is")
    func whole() throws {
        let journal = try open()
        try journal.commit(.puts(1...3))
        var batch = try JournalBatch.puts(4...6)
        batch.put(2, try .sample(), body: [])
        batch.deletes = [.init(id: 1, wasUpdated: false)]
        batch.idsReservedBelow = 100
        expectError(.writeFailed) { try journal.commit(batch) }
        #expect(try journal.ids == [1, 2, 3])
        #expect(journal.statistics.recordsWritten == 3)
        try journal.commit(.puts(4...4))
        #expect(try journal.ids == [1, 2, 3, 4])
        #expect(try journal.replayAll().nextID == 5)
    }

    @Test("a change whose job is gone is forgotten")
    func strays() throws {
        let journal = try open()
        try journal.commit(.puts(1...3))
        var batch = JournalBatch()
        for id in 1...3 as ClosedRange<JobID> { batch.update(id, try .sample(state: .buried)) }
        try journal.commit(batch)
        try journal.commit(.deletes([1, 3], wasUpdated: false))
        #expect(try journal.ids == [2])
        #expect(try journal.database.integer("SELECT count(*) FROM changes") == 1)
    }

    @Test("commits that the disk may not have are written within the time")
    func everyMilliseconds() throws {
        let journal = try open(.everyMilliseconds(3_600_000))
        try journal.commit(.puts([1]))
        let left = try #require(journal.maintain())
        #expect(left > .seconds(3_000) && left <= .seconds(3_600))
        let other = try TemporaryDirectory()
        let prompt = try SQLiteJournal.open(
            directory: other.path,
            durability: .everyMilliseconds(0),
            limits: .small
        )
        try prompt.commit(.puts([1]))
        #expect(prompt.unsynchronizedSince == nil)
        #expect(prompt.maintain() == nil)
    }

    @Test("after the end nothing works, and says so")
    func closed() throws {
        let journal = try open()
        try journal.close(nextID: 1)
        try journal.close(nextID: 1)
        #expect(directory.names == ["journal.lock", "journal.sqlite"])
        expectError(.closed) { try journal.commit(.puts([1])) }
        expectError(.closed) { _ = try journal.replayAll() }
        expectError(.closed) { try journal.read([1]) { _, _, _, _ in } }
        #expect(journal.maintain() == nil)
    }
}
