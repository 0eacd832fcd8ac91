import BeanspikeCore
import Testing

@testable import EmbeddedStore

@Suite("SQLiteJournal: jobs that share a row")
struct JournalPackTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func open(_ fileSystem: String? = nil) throws -> SQLiteJournal {
        try SQLiteJournal.open(directory: directory.path, limits: .small, fileSystem: fileSystem)
    }

    func count(_ table: String, in journal: SQLiteJournal) throws -> Int64 {
        try journal.database.integer("SELECT count(*) FROM \(table)")
    }

    /// Changes something in the closed journal behind its back.
    func change(_ sql: String) throws {
        let database = try SQLiteDatabase(path: directory.path + "/journal.sqlite")
        try database.execute(sql)
        database.close()
    }

    @Test("new jobs share rows by the limits, and by nothing else")
    func limits() throws {
        let journal = try open()
        func rows(_ batch: JournalBatch) throws -> [Int64] {
            let before = [try count("jobs", in: journal), try count("packs", in: journal)]
            try journal.commit(batch)
            return [try count("jobs", in: journal) - before[0], try count("packs", in: journal) - before[1]]
        }
        #expect(try rows(.puts(1...15)) == [15, 0])
        #expect(try rows(.puts(16...31)) == [0, 1])
        #expect(try rows(.puts(32...95)) == [0, 1])
        #expect(try rows(.puts(96...174)) == [15, 1])
        #expect(try rows(.puts(175...254)) == [0, 2])
        // 16 KB with their records.
        #expect(try rows(.puts(300...363, bodyBytes: 900)) == [0, 4])
        #expect(try rows(.puts(400...419, bodyBytes: 1_024)) == [20, 0])
        // Gaps that the bits can tell, and one that they cannot.
        #expect(try rows(.puts(Array(500...514) + [563])) == [0, 1])
        #expect(try rows(.puts(Array(600...614) + [664])) == [16, 0])
        // A large one between.
        var batch = try JournalBatch.puts(700...715)
        batch.put(716, try .sample(), body: [UInt8](repeating: 6, count: 5_000))
        for id in 717...720 as ClosedRange<JobID> { batch.put(id, try .sample(), body: []) }
        #expect(try rows(batch) == [5, 1])
        let ids = Array(1...254) + Array(300...363) + Array(400...419) + Array(500...514) + [563]
        let more = Array(600...614) + [664] + Array(700...720)
        #expect(try journal.ids == (ids + more).map { JobID($0) })
        try journal.close(nextID: 721)
        #expect(try open().ids == (ids + more).map { JobID($0) })
    }

    @Test("a pack that is gone leaves nothing; one that is sparse moves, but not while few are")
    func life() throws {
        let journal = try open()
        try journal.commit(.puts(1...128))
        try journal.commit(.deletes(1...63))
        #expect(try count("packs", in: journal) == 2)
        try journal.commit(.deletes([64]))
        #expect(try count("packs", in: journal) == 1)
        try journal.commit(.deletes([64, 1, 5_000]))
        #expect(try journal.ids == Array(65...128))

        try journal.commit(.puts(129...(128 + 64 * 40)))
        let kept = Array(stride(from: 129, to: 129 + 64 * 40, by: 32)).map { JobID($0) }
        try journal.commit(.deletes((129...(128 + 64 * 40)).filter { !kept.contains($0) }))
        #expect(try count("packs", in: journal) == 41)
        try journal.commit(.deletes(65...100))
        #expect(try count("packs", in: journal) == 41 - (40 - Int64(PackLimits.sparseMax)))
        #expect(try count("jobs", in: journal) == 2 * (40 - Int64(PackLimits.sparseMax)))
        #expect(try count("pack_data", in: journal) == count("packs", in: journal))
        #expect(try journal.ids == Array(101...128) + kept)
        try journal.commit(.deletes(Array(101...128) + kept))
        for table in ["jobs", "packs", "pack_data"] { #expect(try count(table, in: journal) == 0) }
        #expect(journal.packs.packs.allSatisfy { $0.live == 0 })
    }

    @Test("jobs of packs are read as last committed")
    func read() throws {
        let journal = try open()
        try journal.commit(.puts(1...200, bodyBytes: 20))
        var batch = JournalBatch.deletes([5])
        batch.update(7, try .sample(state: .buried))
        try journal.commit(batch)
        var decoder = JournalRecordDecoder()
        var found: [ReplayedJob] = []
        try journal.read([150, 5, 7, 8, 400, .max, 151, 0]) { id, isUpdated, record, body in
            guard let record = decoder.decode(record) else { return }
            found.append(ReplayedJob(id: id, isUpdated: isUpdated, record: record, body: Array(body)))
        }
        let expected = try journal.replayAll().jobs.filter { [150, 7, 8, 151].contains($0.id) }
        #expect(found.map(\.id) == [150, 7, 8, 151])
        #expect(found.sorted { $0.id < $1.id } == expected)
        #expect(expected.map(\.isUpdated) == [true, false, false, false])
    }

    @Test("an id that is there already fails the batch whole")
    func duplicates() throws {
        let journal = try open()
        try journal.commit(.puts(1...20))
        for batch in [try JournalBatch.puts([21, 22, 3]), try JournalBatch.puts(3...20)] {
            expectError(.writeFailed) { try journal.commit(batch) }
            #expect(try journal.ids == Array(1...20))
        }
        try journal.commit(.deletes([1, 2]))
        try journal.commit(.puts(21...40))
        #expect(try journal.ids == Array(3...40))
    }

    @Test(
        "puts, changes, deletes, restarts and a failing disk against a dictionary",
        arguments: 1...24 as ClosedRange<UInt64>
    )
    func model(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        try open().close(nextID: 1)
        let disk = try FaultyFileSystem(name: "packs-\(seed)")
        var journal = try open(disk.name)
        var model: [JobID: ReplayedJob] = [:]
        var next: JobID = 1
        var refusals = 0
        var packed: Set<JobID> = []
        var moves = 0
        for round in 0..<70 {
            var batch = JournalBatch()
            var changed = model
            let isScattered = Int.random(in: 0..<12, using: &random) != 0
            for id in model.keys.sorted() {
                let chance = isScattered ? Int.random(in: 0..<10, using: &random) : id + 300 < next ? 0 : 9
                if chance < 3 {
                    batch.deletes.append(.init(id: id, wasUpdated: model[id]?.isUpdated ?? false))
                    changed[id] = nil
                } else if chance == 3 {
                    let record = try JournalRecord.sample(state: .buried, priority: UInt32(round))
                    batch.update(id, record)
                    changed[id]?.record = record
                    changed[id]?.isUpdated = true
                }
            }
            if round % 3 == 0 { batch.deletes.shuffle(using: &random) }
            for _ in 0..<Int.random(in: 0...200, using: &random) {
                // A step too wide for a pack, or a body too large for one, now and then.
                next += Int.random(in: 0..<50, using: &random) == 0 ? 70 : JobID.random(in: 1...2, using: &random)
                let isLarge = Int.random(in: 0..<50, using: &random) == 0
                let count = isLarge ? 3_000 : Int.random(in: 0...99, using: &random)
                let body = [UInt8](repeating: UInt8(truncatingIfNeeded: next), count: count)
                let priority = UInt32.random(in: 0...1, using: &random)
                let record = try JournalRecord.sample(priority: priority)
                batch.put(next, record, body: body)
                changed[next] = ReplayedJob(id: next, isUpdated: false, record: record, body: body)
            }
            if round % 5 == 4 {
                disk.fault = [.write, .tornWrite, .full, .sync].randomElement(using: &random) ?? .write
                disk.operationsUntilFault = Int.random(in: 0...30, using: &random)
                disk.faultCount = Int.random(in: 1...2, using: &random)
            }
            let before = journal.packs.packs
            do {
                try journal.commit(batch)
                model = changed
            } catch {
                refusals += 1
                #expect(journal.packs.packs == before, "seed \(seed), round \(round)")
                disk.faultCount = 0
                // As the store does: what makes room goes through without what takes it, and the puts are lost.
                let put = Set(batch.puts.map(\.id))
                batch.puts = []
                // A delete of what is not there is harmless.
                batch.deletes += put.prefix(3).map { .init(id: $0, wasUpdated: false) }
                try journal.commit(batch)
                model = changed.filter { !put.contains($0.key) }
            }
            disk.faultCount = 0
            for id in model.keys {
                if journal.packs.contains(id) { packed.insert(id) } else if packed.remove(id) != nil { moves += 1 }
            }
            if round % 4 == 0 { _ = journal.maintain() }
            if round % 10 == 9 {
                try journal.close(nextID: next + 1)
                journal = try open(disk.name)
            }
            guard round % 3 == 0 || round > 66 else { continue }
            let expected = model.values.sorted { $0.id < $1.id }
            #expect(try journal.replayAll().jobs == expected, "seed \(seed), round \(round)")
            var loaded = PackDirectory()
            try journal.forEachPack { loaded.load($0) }
            #expect(loaded.packs == journal.packs.packs.filter { $0.live != 0 }, "seed \(seed), round \(round)")
        }
        let killed = try directory.copyAsAfterKill()
        let found = try SQLiteJournal.open(directory: killed.path, limits: .small).replayAll().jobs
        #expect(found == model.values.sorted { $0.id < $1.id }, "seed \(seed)")
        #expect(try journal.database.text("PRAGMA integrity_check") == "ok", "seed \(seed)")
        try journal.commit(.deletes(Array(model.keys), wasUpdated: true))
        for table in ["jobs", "packs", "pack_data", "changes"] { #expect(try count(table, in: journal) == 0) }
        #expect(refusals > 0, "seed \(seed)")
        #expect(moves > 0, "seed \(seed)")
    }

    @Test("what is dead takes no more than three times what is live, and a few packs")
    func space() throws {
        let journal = try open()
        let total: JobID = 20_000
        for first in stride(from: 1, through: total, by: 200) { try journal.commit(.puts(first..<first + 200)) }
        let full = try journal.database.integer("PRAGMA page_count")
        // One of 32 stays, in every pack.
        for first in stride(from: 1, through: total, by: 200) {
            try journal.commit(.deletes((first..<first + 200).filter { $0 % 32 != 0 }))
        }
        try journal.commit(.deletes([32]))
        let freePages = try journal.database.integer("PRAGMA freelist_count")
        let used = try journal.database.integer("PRAGMA page_count") - freePages
        #expect(used < full / 20 + Int64(PackLimits.sparseMax * PackLimits.bytesMax) / JournalLimits.pageBytes)
        #expect(try journal.ids == Array(stride(from: 64, through: total, by: 32)))
    }

    @Test("below max_page_count: deletes of packed jobs go through, one by one, and make room")
    func full() throws {
        let journal = try open()
        try journal.commit(.puts(1...100))
        try journal.database.execute("PRAGMA max_page_count = 200")
        var next: JobID = 101
        while (try? journal.commit(.puts(next..<next + 100))) != nil { next += 100 }
        // Not one free page, nor one to be had.
        while (try? journal.commit(.puts([next], bodyBytes: 100))) != nil { next += 1 }
        let pages = try journal.database.integer("PRAGMA page_count")
        try journal.database.execute("PRAGMA max_page_count = \(pages)")
        var kept = Array(1..<next)
        for remainder in 0..<7 as Range<JobID> {
            for id in kept where id % 8 == remainder { try journal.commit(.deletes([id])) }
            kept.removeAll { $0 % 8 == remainder }
        }
        #expect(try journal.ids == kept)
        try journal.commit(.puts(next..<next + 1_000))
        #expect(try journal.ids == kept + Array(next..<next + 1_000))
    }

    @Test("a pack that breaks a rule is named")
    func malformed() throws {
        let good = try open()
        try good.commit(.puts(1...64, bodyBytes: 900))
        try good.commit(.puts(101...116))
        try good.close(nextID: 200)
        let whole = try directory.read("journal.sqlite")
        for (sql, pack) in [
            ("UPDATE packs SET members = members & ~1 WHERE id = 101", 101),
            ("UPDATE packs SET members = members | 65536 WHERE id = 101", 101),
            ("UPDATE packs SET members = 7, live = x'0700000000000000' WHERE id = 101", 101),
            ("UPDATE packs SET live = x'ffff010000000000' WHERE id = 101", 101),
            ("UPDATE packs SET live = x'0000000000000000' WHERE id = 101", 101),
            ("UPDATE packs SET live = x'01' WHERE id = 101", 101),
            ("UPDATE packs SET live = 1 WHERE id = 101", 101),
            ("UPDATE packs SET id = -1 WHERE id = 101", -1),
            ("UPDATE packs SET id = 9223372036854775807 WHERE id = 101", 9_223_372_036_854_775_807),
            ("UPDATE packs SET id = 12 WHERE id = 101; UPDATE pack_data SET id = 12 WHERE id = 101", 12),
            ("DELETE FROM packs WHERE id = 101", 101),
            ("DELETE FROM pack_data WHERE id = 101", 101),
            ("DELETE FROM packs WHERE id = 1", 1),
            ("UPDATE pack_data SET data = x'' WHERE id = 101", 101),
            ("UPDATE pack_data SET data = 'text' WHERE id = 101", 101),
            ("UPDATE pack_data SET data = zeroblob(8) WHERE id = 101", 101),
            ("UPDATE pack_data SET data = substr(data, 1, length(data) - 1) WHERE id = 101", 101),
            ("UPDATE pack_data SET data = data || x'00' WHERE id = 101", 101),
        ] {
            try directory.write("journal.sqlite", whole)
            try change(sql)
            expectError(.notAStore, mentions: "pack \(pack) ", "damaged") { _ = try open().replayAll() }
        }
        // A job that is there twice.
        try directory.write("journal.sqlite", whole)
        try change("INSERT INTO jobs VALUES (102, x'', x'')")
        expectError(.notAStore, mentions: "job 102") { _ = try open().replayAll() }
    }

    @Test("any bytes are a pack or none, never a trap")
    func bytes() throws {
        var pack: [UInt8] = []
        PackData.begin(&pack)
        for count in [3, 0, 9] {
            let bytes = [UInt8](repeating: 1, count: count)
            bytes.withUnsafeBytes { PackData.append(record: $0, body: $0, to: &pack) }
        }
        PackData.end(&pack)
        var jobs: [PackData.Job] = []
        func isPack(_ bytes: [UInt8], _ members: UInt64 = 0b1011) -> Bool {
            bytes.withUnsafeBytes { PackData.parse($0, members: members, into: &jobs) }
        }
        #expect(isPack(pack))
        #expect(jobs.map(\.offset) == [0, 1, 3])
        // The second has the first one's record.
        #expect(jobs.map(\.record) == [12..<15, 12..<15, 26..<35])
        #expect(jobs.map(\.body) == [15..<18, 22..<22, 35..<44])
        for count in 0..<pack.count { #expect(!isPack(Array(pack.prefix(count)))) }
        for bit in 0..<pack.count * 8 {
            var bytes = pack
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!isPack(bytes))
            // Lengths that lie, under a checksum that does not.
            PackData.end(&bytes)
            _ = isPack(bytes)
        }
        #expect(!isPack(pack, 0b11))
        #expect(!isPack(pack, .max))
        // The record of the job before, where there is none.
        var first: [UInt8] = []
        PackData.begin(&first)
        [1, 2].withUnsafeBytes { PackData.append(record: nil, body: $0, to: &first) }
        PackData.end(&first)
        #expect(!isPack(first, 1))
    }
}

extension JournalPackTests {
    @Test("a job with a new body has a row of its own")
    func newBodies() throws {
        let journal = try open()
        try journal.commit(.puts(1...40))
        try journal.commit(.puts([50]))
        #expect(try count("jobs", in: journal) == 1)
        for body in [[7, 7], [8]] as [[UInt8]] {
            var batch = JournalBatch()
            for id in [3, 40, 50] as [JobID] { batch.update(id, try .sample(state: .buried), body: body) }
            try journal.commit(batch)
        }
        #expect(try count("jobs", in: journal) == 3)
        try journal.commit(.deletes([40], wasUpdated: true))
        let (jobs, _) = try journal.replayAll()
        #expect(jobs.map(\.id) == Array(1...39) + [50])
        #expect(jobs.filter(\.isUpdated).map(\.id) == [3, 50])
        #expect(jobs.filter(\.isUpdated).map(\.body) == [[8], [8]])
        try journal.close(nextID: 51)
        let reopened = try open()
        #expect(try reopened.replayAll().jobs.map(\.id) == Array(1...39) + [50])
        try reopened.commit(.deletes(Array(1...39) + [50], wasUpdated: true))
        #expect(try count("jobs", in: reopened) == 0)
        #expect(try count("packs", in: reopened) == 0)
        #expect(try count("changes", in: reopened) == 0)
    }
}
