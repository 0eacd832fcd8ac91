import BeanspikeCore
import CSQLite

/// Opens and makes the SQLite file of a ``SQLiteJournal``, and refuses what is not one.
enum JournalFile {
    /// `PRAGMA application_id`: "Bean".
    static let applicationID: Int64 = 0x4265_616e
    /// `PRAGMA user_version`: the version of the tables and of ``JournalRecord``'s layout.
    static let formatVersion: Int64 = 1

    /// The tables, as `sqlite_schema` has them.
    static let tables = [
        "CREATE TABLE changes(id INTEGER PRIMARY KEY, record BLOB NOT NULL)",
        "CREATE TABLE jobs(id INTEGER PRIMARY KEY, record BLOB NOT NULL, body BLOB NOT NULL)",
        "CREATE TABLE meta(name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE TABLE pack_data(id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
        "CREATE TABLE packs(id INTEGER PRIMARY KEY, members INTEGER NOT NULL, live BLOB NOT NULL)",
    ]

    /// A connection to the directory's journal, made where there is none, set up and checked.
    static func open(
        in directory: JournalDirectory,
        durability: JournalDurability,
        limits: JournalLimits,
        fileSystem: String?
    ) throws(JobStoreError) -> SQLiteDatabase {
        if try directory.exists(directory.journalPath) {
            try checkHead(in: directory)
        } else {
            try directory.checkIsFresh()
            try make(in: directory)
        }
        do {
            let database = try SQLiteDatabase(path: directory.journalPath, fileSystem: fileSystem)
            try setUp(database, durability: durability, limits: limits)
            try check(database, in: directory)
            return database
        } catch let error as JobStoreError {
            throw error
        } catch let error as SQLiteError {
            throw failure(error, opening: directory)
        } catch {
            throw JobStoreError(.cannotOpen, "\(directory.journalPath): \(error)")
        }
    }

    /// What is told of a failure to open or read.
    static func failure(_ error: SQLiteError, opening directory: JournalDirectory) -> JobStoreError {
        let path = directory.journalPath
        if error.isBusy {
            return JobStoreError(
                .inUse,
                "\(path) is locked by another program (perhaps sqlite3). Close that program, or name another directory."
            )
        }
        if error.isDamage { return damage(error.description, in: directory) }
        if error.isOutOfSpace {
            return JobStoreError(.outOfSpace, "There is no room on the disk to open \(path) (\(error)). Make some.")
        }
        if error.primaryCode == SQLITE_IOERR { return JobStoreError(.readFailed, "\(path) cannot be read (\(error)).") }
        return JobStoreError(
            .cannotOpen,
            "\(path) cannot be opened (\(error)). This user must be able to write to it and to its directory."
        )
    }

    /// What is told of a journal that is not whole.
    static func damage(
        _ what: String,
        in directory: JournalDirectory,
        code: JobStoreError.Code = .notAStore
    ) -> JobStoreError {
        JobStoreError(
            code,
            "The journal \(directory.journalPath) is damaged (\(what)). No job was changed. Copy the whole directory "
                + "first; then put back a sound copy, or recover what is readable as docs/journal-format.md says "
                + "(\"A damaged journal\"), or move the directory away to start empty."
        )
    }

    private static func make(in directory: JournalDirectory) throws(JobStoreError) {
        directory.removeUnfinished()
        try directory.makeUnfinished()
        do {
            let database = try SQLiteDatabase(path: directory.unfinishedPath, isNew: true)
            try database.execute(
                """
                PRAGMA page_size = \(JournalLimits.pageBytes);
                PRAGMA auto_vacuum = INCREMENTAL;
                BEGIN;
                PRAGMA application_id = \(applicationID);
                PRAGMA user_version = \(formatVersion);
                \(tables.joined(separator: ";\n"));
                INSERT INTO meta(name, value) VALUES ('next_id', 1);
                COMMIT;
                """
            )
            _ = try database.text("PRAGMA journal_mode = WAL")
            database.close()
        } catch {
            directory.removeUnfinished()
            throw failure(error, opening: directory)
        }
        try directory.finish()
    }

    /// Looks at the file before SQLite does: SQLite would write to a foreign database to recover it.
    static func checkHead(in directory: JournalDirectory) throws(JobStoreError) {
        let path = directory.journalPath
        let head = try directory.head(of: path, count: 100)
        if head.isEmpty { throw damage("it is empty", in: directory) }
        // sqlite.org/fileformat.html, "The Database Header"
        guard head.count == 100, head.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw JobStoreError(
                .notAStore,
                "\(path) is not a journal of this program, nor an SQLite file at all. If it was one it is damaged: put "
                    + "back a copy. Otherwise name another directory."
            )
        }
        let identity = head[68..<72].reduce(0) { $0 << 8 | Int64($1) }
        guard identity == applicationID else {
            throw JobStoreError(
                .notAStore,
                "\(path) is an SQLite file of another program. Nothing was changed. Name another directory."
            )
        }
    }

    private static func setUp(
        _ database: SQLiteDatabase,
        durability: JournalDurability,
        limits: JournalLimits
    ) throws(SQLiteError) {
        // The locking mode comes before the first access, so that no shared memory file is made.
        // FULL: a commit waits for the disk. NORMAL: only checkpoints do, so that a power cut takes the newest commits
        // but never damages the file; `-f` adds a wait of its own. OFF would let it be damaged, to save little.
        // Debian's SQLite writes zeros over whatever is deleted unless told not to.
        try database.execute(
            """
            PRAGMA locking_mode = EXCLUSIVE;
            PRAGMA synchronous = \(durability == .committed ? "FULL" : "NORMAL");
            PRAGMA secure_delete = OFF;
            PRAGMA cell_size_check = ON;
            PRAGMA trusted_schema = OFF;
            PRAGMA temp_store = MEMORY;
            PRAGMA mmap_size = 0;
            PRAGMA cache_size = -\(limits.cacheBytes / 1024);
            """
        )
        let mode = try database.text("PRAGMA journal_mode = WAL")
        guard mode == "wal" else {
            throw SQLiteError(code: SQLITE_CANTOPEN, systemError: 0, message: "the journal mode is \(mode), not wal")
        }
        try database.execute("PRAGMA journal_size_limit = \(limits.logBytes)")
        try database.control(SQLITE_FCNTL_CHUNK_SIZE, limits.fileChunkBytes)
    }

    private static func check(_ database: SQLiteDatabase, in directory: JournalDirectory) throws {
        guard try database.integer("PRAGMA application_id") == applicationID else {
            throw damage("it does not say that it is a journal", in: directory)
        }
        let version = try database.integer("PRAGMA user_version")
        guard version == formatVersion else {
            throw JobStoreError(
                .unknownVersion,
                "\(directory.journalPath) has format version \(version); this program knows version \(formatVersion). "
                    + "Nothing was changed. Use the program that wrote it, or a newer one."
            )
        }
        guard try database.integer("PRAGMA page_size") == JournalLimits.pageBytes else {
            throw damage("its pages are not of \(JournalLimits.pageBytes) bytes", in: directory)
        }
        let found = try database.text(
            "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)"
        )
        guard found == tables.joined(separator: ";") else {
            throw damage("its tables are not those of version \(formatVersion)", in: directory)
        }
        // Left so by a process that ended while it gave everything back at once.
        if try database.integer("PRAGMA auto_vacuum") != 2 { try database.execute("PRAGMA auto_vacuum = INCREMENTAL") }
        // What a killed process left in the log. What has been committed fits in the file (`reserveFile`).
        try database.checkpoint()
        let pages = try database.integer("PRAGMA page_count")
        guard try database.fileBytes(.main) >= pages * JournalLimits.pageBytes else {
            throw damage("it is shorter than it says", in: directory)
        }
    }
}
