import BeanspikeCore
import Testing

@testable import EmbeddedStore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("SQLiteJournal opens what is its own and refuses the rest")
struct JournalOpeningTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func open() throws -> SQLiteJournal { try SQLiteJournal.open(directory: directory.path, limits: .small) }

    /// A journal with jobs in it, closed.
    func fill(_ count: JobID = 2_000, bodyBytes: Int = 64) throws {
        let journal = try open()
        try journal.commit(.puts(1...count, bodyBytes: bodyBytes))
        try journal.close(nextID: count + 1)
    }

    /// Changes something in the closed journal behind its back.
    func change(_ sql: String) throws {
        let database = try SQLiteDatabase(path: directory.path + "/journal.sqlite")
        try database.execute(sql)
        database.close()
    }

    /// Runs `body`, which must leave the journal as it is.
    func unchanged(_ body: () throws -> Void) throws {
        let before = try directory.read("journal.sqlite")
        try body()
        #expect(try directory.read("journal.sqlite") == before)
    }

    @Test("the directory is made for this user alone")
    func makesDirectory() throws {
        let path = directory.path + "/data"
        defer {
            for name in TemporaryDirectory.names(in: path) { unlink(path + "/" + name) }
            rmdir(path)
        }
        let journal = try SQLiteJournal.open(directory: path + "//", limits: .small)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        #expect(stat(path + "/journal.sqlite", &status) == 0)
        #expect(status.st_mode & 0o077 == 0)
        try journal.close(nextID: 1)
    }

    @Test("a place that cannot be is said")
    func noPlace() throws {
        expectError(.cannotOpen, mentions: "/missing/data", "No such file") {
            _ = try SQLiteJournal.open(directory: directory.path + "/missing/data")
        }
        try directory.write("file", [])
        expectError(.cannotOpen, mentions: "not a directory") {
            _ = try SQLiteJournal.open(directory: directory.path + "/file")
        }
        expectError(.cannotOpen) { _ = try SQLiteJournal.open(directory: directory.path + "/file/data") }
        expectError(.cannotOpen) { _ = try SQLiteJournal.open(directory: "/proc/beanspike") }
        expectError(.cannotOpen) { _ = try SQLiteJournal.open(directory: "/proc") }
    }

    @Test("a directory in use is said, with the process; it is free again when that ends")
    func inUse() throws {
        let journal = try open()
        expectError(.inUse, mentions: directory.path, "pid \(getpid())") { _ = try open() }
        try journal.commit(.puts([1]))
        expectError(.inUse) { _ = try open() }
        try journal.close(nextID: 2)
        withExtendedLifetime(journal) {}
    }

    @Test("a closed journal lets go of its directory")
    func closedIsFree() throws {
        let journal = try open()
        try journal.close(nextID: 2)
        _ = try open()
        withExtendedLifetime(journal) {}
    }

    @Test("a file that another program has locked is said")
    func locked() throws {
        try fill(1)
        let other = try SQLiteDatabase(path: directory.path + "/journal.sqlite")
        try other.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE meta SET value = value")
        // POSIX locks do not keep a process out of its own file, but SQLite knows of its other connections.
        expectError(.inUse, mentions: "another program") { _ = try open() }
        try other.execute("ROLLBACK")
    }

    @Test("a file that is not SQLite's")
    func notSQLite() throws {
        try directory.write("journal.sqlite", [UInt8](repeating: 65, count: 5_000))
        try unchanged { expectError(.notAStore, mentions: "nor an SQLite file") { _ = try open() } }
        try directory.write("journal.sqlite", Array("SQLite format 3\0".utf8))
        try unchanged { expectError(.notAStore) { _ = try open() } }
        try directory.write("journal.sqlite", [])
        try unchanged { expectError(.notAStore, mentions: "empty", "copy") { _ = try open() } }
    }

    @Test("an SQLite file of another program, left with a log")
    func foreign() throws {
        let other = try SQLiteDatabase(path: directory.path + "/journal.sqlite", isNew: true)
        _ = try other.text("PRAGMA journal_mode = WAL")
        try other.execute("CREATE TABLE t(x); INSERT INTO t VALUES (1)")
        let copy = try directory.copyAsAfterKill()
        let names = copy.names
        expectError(.notAStore, mentions: "another program") { _ = try SQLiteJournal.open(directory: copy.path) }
        #expect(copy.names == (names + ["journal.lock"]).sorted())
    }

    @Test("a format version of the future")
    func version() throws {
        try fill()
        try change("PRAGMA user_version = 2")
        try unchanged { expectError(.unknownVersion, mentions: "version 2", "version 1") { _ = try open() } }
        try change("PRAGMA user_version = 0")
        expectError(.unknownVersion) { _ = try open() }
    }

    @Test("other tables, other settings")
    func tables() throws {
        try fill()
        try change("CREATE INDEX i ON jobs(record)")
        expectError(.notAStore, mentions: "damaged", "tables") { _ = try open() }
        try change("DROP INDEX i; DELETE FROM meta")
        expectError(.notAStore, mentions: "which ids") { _ = try open().replayAll() }
    }

    @Test("an interrupted creation is begun anew")
    func unfinished() throws {
        try directory.write("journal.sqlite.new", [1, 2, 3])
        try directory.write("journal.sqlite.new-journal", [1, 2, 3])
        try open().close(nextID: 1)
        #expect(directory.names == ["journal.lock", "journal.sqlite"])
    }

    @Test("a log without its file, a binlog of beanstalkd's: nothing is started beside them")
    func leftovers() throws {
        for name in ["journal.sqlite-wal", "binlog.1"] {
            let directory = try TemporaryDirectory()
            try directory.write(name, [1])
            expectError(.notAStore, mentions: name) { _ = try SQLiteJournal.open(directory: directory.path) }
            #expect(directory.names == [name, "journal.lock"].sorted())
        }
    }

    @Test("an interrupted cut is settled")
    func vacuumMode() throws {
        try fill()
        try change("PRAGMA auto_vacuum = FULL")
        #expect(try open().database.integer("PRAGMA auto_vacuum") == 2)
    }

    @Test("a record that says nothing is named, not left out")
    func undecodable() throws {
        // So large that each has a row of its own.
        try fill(bodyBytes: PackLimits.jobBytesMax)
        try change("UPDATE jobs SET record = x'00010203' WHERE id = 1234")
        expectError(.notAStore, mentions: "job 1234", "damaged", "copy") { _ = try open().replayAll() }
        try change("UPDATE jobs SET record = 'text' WHERE id = 1234")
        expectError(.notAStore, mentions: "job 1234") { _ = try open().replayAll() }
        try change("UPDATE jobs SET id = -3 WHERE id = 1234")
        expectError(.notAStore, mentions: "job -3") { _ = try open().replayAll() }
    }

    @Test("a file that was cut off")
    func truncated() throws {
        try fill()
        let whole = try directory.read("journal.sqlite")
        for length in [100, 512, 4096, 5_000, 8_192, 20_000, whole.count / 2] {
            try directory.write("journal.sqlite", Array(whole.prefix(length)))
            expectError(.notAStore, mentions: "damaged") { _ = try open().replayAll() }
        }
    }

    @Test(
        "any page overwritten: an error or all jobs, never a crash or fewer",
        arguments: [1, 2, 3, 4] as [UInt64],
        [64, 1_024]
    )
    func damaged(seed: UInt64, bodyBytes: Int) throws {
        try fill(bodyBytes == 64 ? 2_000 : 200, bodyBytes: bodyBytes)
        let whole = try directory.read("journal.sqlite")
        let expected = try open().replayAll().jobs
        let pages = try open().database.integer("PRAGMA page_count")
        var random = SeededGenerator(seed: seed)
        var refused = 0
        for page in 1..<Int(pages) {
            var bytes = whole
            // The structure of a page is at its start; a body's bytes have no check of their own.
            for offset in 0..<12 { bytes[page * 4096 + offset] = UInt8.random(in: 0...255, using: &random) }
            try directory.write("journal.sqlite", bytes)
            do {
                #expect(try open().replayAll().jobs == expected, "seed \(seed), page \(page)")
            } catch let error as JobStoreError {
                #expect(error.code == .notAStore, "seed \(seed), page \(page): \(error)")
                refused += 1
            }
        }
        #expect(refused > Int(pages) / 2)
    }

    @Test("a damaged log gives what was committed before the damage, as after a power cut")
    func damagedLog() throws {
        let journal = try open()
        for id in 1...50 as ClosedRange<JobID> { try journal.commit(.puts([id])) }
        let killed = try directory.copyAsAfterKill()
        var log = try killed.read("journal.sqlite-wal")
        for offset in 100_000..<100_100 { log[offset] ^= 0xff }
        try killed.write("journal.sqlite-wal", log)
        let ids = try SQLiteJournal.open(directory: killed.path, limits: .small).ids
        #expect(!ids.isEmpty && ids.count < 50)
        #expect(ids == Array(1...JobID(ids.count)))
    }
}
