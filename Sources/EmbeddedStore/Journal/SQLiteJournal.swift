import BeanspikeCore

/// The ``Journal`` on SQLite: one file and its write-ahead log, one connection.
///
/// `docs/journal-format.md`.
///
/// `@unchecked Sendable`: it has no locks of its own. As ``Journal`` says, one thread uses it at a time, and whoever
/// hands it from thread to thread orders their accesses (a lock, a queue, a thread's start).
final class SQLiteJournal: Journal, @unchecked Sendable {
    let directory: JournalDirectory
    let durability: JournalDurability
    let limits: JournalLimits
    /// nil when closed.
    var statements: Statements?
    let database: SQLiteDatabase

    var statistics = JournalStatistics()
    /// What is live of the jobs that share rows.
    var packs = PackDirectory()
    /// A pack while it is put together, kept for its room.
    var packBytes: [UInt8] = []
    /// The jobs of the pack that was read last, kept for its room.
    var packJobs: [PackData.Job] = []
    /// What the file has room for without asking the file system for more.
    var fileBytesReserved: Int64 = 0
    /// Whether the log has its full length.
    var isLogReserved = false
    /// Commits that only the operating system has, with ``JournalDurability/everyMilliseconds(_:)``.
    var unsynchronizedSince: ContinuousClock.Instant?
    /// A checkpoint is due whatever the log's length: the log may not be what was written to it.
    var mustCheckpoint = false
    /// Free pages are being given back, down to ``JournalLimits/freeBytesKept``.
    var isGivingRoomBack = false
    /// Jobs were deleted since free pages were last counted.
    var mayHaveFreed = true
    /// Until the next look at which pages are in use; ``JournalLimits/stepsBetweenLooks``.
    var stepsUntilLook: Int64 = 0
    /// Whether the last failed commit may show after a restart.
    var isLastFailureInDoubt = false

    /// Opens the store in `directory`, and makes one where there is none.
    ///
    /// - Parameters:
    ///   - directory: Made where it is missing; the directory that it is in must exist.
    ///   - durability: What a commit has gone through when it returns.
    ///   - fileBytesMax: For `stats` only (`-s`); this journal is one file that grows and shrinks.
    ///   - limits: How much room it takes beside what is live.
    ///   - fileSystem: The name of an SQLite VFS, for tests that make the disk fail.
    /// - Returns: The journal, checked, locked and ready.
    /// - Throws: ``JobStoreError/Code/inUse``, ``JobStoreError/Code/notAStore``,
    ///   ``JobStoreError/Code/unknownVersion``, ``JobStoreError/Code/cannotOpen``,
    ///   ``JobStoreError/Code/readFailed``, ``JobStoreError/Code/outOfSpace``.
    static func open(
        directory: String,
        durability: JournalDurability = .committed,
        fileBytesMax: UInt64 = 10_485_760,
        limits: JournalLimits = JournalLimits(),
        fileSystem: String? = nil
    ) throws(JobStoreError) -> SQLiteJournal {
        // At once is what `committed` is, and that one fails the commit where it cannot be.
        let durability = durability == .everyMilliseconds(0) ? .committed : durability
        let directory = try JournalDirectory(path: directory)
        let database = try JournalFile.open(
            in: directory,
            durability: durability,
            limits: limits,
            fileSystem: fileSystem
        )
        let journal = try SQLiteJournal(directory, database, durability, limits)
        journal.statistics.oldestIndex = 1
        journal.statistics.currentIndex = 1
        journal.statistics.fileBytesMax = fileBytesMax
        return journal
    }

    private init(
        _ directory: JournalDirectory,
        _ database: SQLiteDatabase,
        _ durability: JournalDurability,
        _ limits: JournalLimits
    ) throws(JobStoreError) {
        self.directory = directory
        self.database = database
        self.durability = durability
        self.limits = limits
        do {
            statements = try Statements(database)
            fileBytesReserved = try database.fileBytes(.main)
        } catch {
            throw JournalFile.failure(error, opening: directory)
        }
        try loadPacks()
        reserveLog()
    }

    func close(nextID: JobID) throws(JobStoreError) {
        guard let open = statements else { return }
        var failure: SQLiteError?
        do {
            try open.setNextID(nextID)
            try database.checkpoint()
        } catch {
            failure = error
        }
        statements = nil
        database.close()
        // Ports of the closed store may live on; they must not keep the next one out.
        directory.unlock()
        // Everything that was committed is kept all the same; ids go on at the bound that was reserved.
        if let failure { throw writeFailure(failure) }
    }
}

extension SQLiteJournal {
    /// Everything that is prepared once.
    struct Statements {
        let begin: SQLiteStatement
        let commit: SQLiteStatement
        let rollback: SQLiteStatement
        let put: SQLiteStatement
        let update: SQLiteStatement
        let delete: SQLiteStatement
        let deleteRange: SQLiteStatement
        let deleteChange: SQLiteStatement
        let deleteChangeRange: SQLiteStatement
        let putPack: SQLiteStatement
        let putPackData: SQLiteStatement
        let updatePack: SQLiteStatement
        let deletePacks: SQLiteStatement
        let deletePackData: SQLiteStatement
        let readPackData: SQLiteStatement
        let readChange: SQLiteStatement
        let readJob: SQLiteStatement
        let setNextID: SQLiteStatement
        let pageCount: SQLiteStatement
        let freePageCount: SQLiteStatement

        init(_ database: SQLiteDatabase) throws(SQLiteError) {
            begin = try SQLiteStatement("BEGIN IMMEDIATE", in: database)
            commit = try SQLiteStatement("COMMIT", in: database)
            rollback = try SQLiteStatement("ROLLBACK", in: database)
            put = try SQLiteStatement("INSERT INTO jobs(id, record, body) VALUES (?1, ?2, ?3)", in: database)
            update = try SQLiteStatement("REPLACE INTO changes(id, record) VALUES (?1, ?2)", in: database)
            delete = try SQLiteStatement("DELETE FROM jobs WHERE id = ?1", in: database)
            deleteRange = try SQLiteStatement("DELETE FROM jobs WHERE id BETWEEN ?1 AND ?2", in: database)
            deleteChange = try SQLiteStatement("DELETE FROM changes WHERE id = ?1", in: database)
            deleteChangeRange = try SQLiteStatement("DELETE FROM changes WHERE id BETWEEN ?1 AND ?2", in: database)
            putPack = try SQLiteStatement("INSERT INTO packs(id, members, live) VALUES (?1, ?2, ?3)", in: database)
            putPackData = try SQLiteStatement("INSERT INTO pack_data(id, data) VALUES (?1, ?2)", in: database)
            updatePack = try SQLiteStatement("UPDATE packs SET live = ?2 WHERE id = ?1", in: database)
            deletePacks = try SQLiteStatement("DELETE FROM packs WHERE id BETWEEN ?1 AND ?2", in: database)
            deletePackData = try SQLiteStatement("DELETE FROM pack_data WHERE id BETWEEN ?1 AND ?2", in: database)
            readPackData = try SQLiteStatement("SELECT data FROM pack_data WHERE id = ?1", in: database)
            readChange = try SQLiteStatement("SELECT record FROM changes WHERE id = ?1", in: database)
            readJob = try SQLiteStatement(
                """
                SELECT jobs.record, changes.record, jobs.body
                FROM jobs LEFT JOIN changes ON changes.id = jobs.id WHERE jobs.id = ?1
                """,
                in: database
            )
            setNextID = try SQLiteStatement("UPDATE meta SET value = ?1 WHERE name = 'next_id'", in: database)
            pageCount = try SQLiteStatement("PRAGMA page_count", in: database)
            freePageCount = try SQLiteStatement("PRAGMA freelist_count", in: database)
        }

        /// Ids below this one may be in use from now on.
        func setNextID(_ id: JobID) throws(SQLiteError) {
            try setNextID.bind(Int64(clamping: id), at: 1)
            try setNextID.run()
        }
    }
}
