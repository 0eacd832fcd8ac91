import CSQLite

/// One connection to one SQLite file, for one thread at a time.
final class SQLiteDatabase {
    let handle: OpaquePointer
    /// Frames in the write-ahead log that no checkpoint has moved into the file yet.
    ///
    /// Kept by SQLite's commit hook.
    private let framesInLog: UnsafeMutablePointer<Int>
    private var isClosed = false

    /// Opens the file, which must exist unless `isNew`, through SQLite's own way to files or another one by name.
    init(path: String, isNew: Bool = false, fileSystem: String? = nil) throws(SQLiteError) {
        _ = Self.libraryIsSetUp
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (isNew ? SQLITE_OPEN_CREATE : 0)
        let code = sqlite3_open_v2(path, &opened, flags, fileSystem)
        guard code == SQLITE_OK, let opened else {
            let error = SQLiteError(
                code: code,
                systemError: opened.map { sqlite3_system_errno($0) } ?? 0,
                message: String(cString: sqlite3_errstr(code))
            )
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        sqlite3_extended_result_codes(opened, 1)
        _ = csqlite_enable_defensive(opened)
        framesInLog = .allocate(capacity: 1)
        framesInLog.initialize(to: 0)
        // Takes the place of SQLite's own checkpoints too, which would come in the middle of a commit.
        sqlite3_wal_hook(
            opened,
            { context, _, _, frames in
                context?.assumingMemoryBound(to: Int.self).pointee = Int(frames)
                return SQLITE_OK
            },
            framesInLog
        )
    }

    deinit {
        close()
        framesInLog.deallocate()
    }

    /// Closes the connection.
    ///
    /// Statements that are still alive delay that until they are gone.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        sqlite3_close_v2(handle)
    }

    /// Runs statements whose rows do not matter.
    func execute(_ sql: String) throws(SQLiteError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code) }
    }

    /// The first column of the first row.
    func integer(_ sql: String) throws(SQLiteError) -> Int64 {
        try SQLiteStatement(sql, in: self).integer()
    }

    /// The first column of the first row, as text.
    func text(_ sql: String) throws(SQLiteError) -> String {
        let statement = try SQLiteStatement(sql, in: self)
        return try statement.step() ? statement.text(0) : ""
    }

    /// Whether a transaction is open.
    ///
    /// SQLite ends it by itself after some errors.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Rows that the last statement changed.
    var changes: Int64 { sqlite3_changes64(handle) }

    /// Frames in the log that are not in the file yet.
    var logFrames: Int { framesInLog.pointee }

    /// Moves the whole log into the file; the next commit starts the log anew.
    func checkpoint() throws(SQLiteError) {
        var frames: Int32 = 0
        var moved: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(handle, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &moved)
        guard code == SQLITE_OK else { throw error(code) }
        if frames == moved { framesInLog.pointee = 0 }
    }

    /// Makes a file of this database known by its `sqlite3_file`, so that all access goes one way.
    func withFile<Result>(
        _ which: File,
        _ body: (UnsafeMutablePointer<sqlite3_file>, sqlite3_io_methods) throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result {
        var file: UnsafeMutablePointer<sqlite3_file>?
        let code = sqlite3_file_control(handle, "main", which.rawValue, &file)
        guard code == SQLITE_OK else { throw error(code) }
        guard let file, let methods = file.pointee.pMethods else { throw error(SQLITE_NOTFOUND) }
        return try body(file, methods.pointee)
    }

    /// A setting of the file itself (`SQLITE_FCNTL_…`).
    func control<Value: BitwiseCopyable>(_ operation: Int32, _ value: Value) throws(SQLiteError) {
        var value = value
        let code = sqlite3_file_control(handle, "main", operation, &value)
        guard code == SQLITE_OK else { throw error(code) }
    }

    /// What went wrong just now.
    func error(_ code: Int32) -> SQLiteError {
        // The connection knows more, unless the failed call was not one of its own.
        let extended = sqlite3_extended_errcode(handle)
        let isItsOwn = extended & 0xff == code & 0xff
        return SQLiteError(
            code: isItsOwn ? extended : code,
            systemError: sqlite3_system_errno(handle),
            message: String(cString: isItsOwn ? sqlite3_errmsg(handle) : sqlite3_errstr(code))
        )
    }

    /// Once a process, before the first connection.
    private static let libraryIsSetUp: Bool = csqlite_disable_memory_statistics() == SQLITE_OK
}

extension SQLiteDatabase {
    /// The files of a database.
    enum File: Int32 {
        /// `SQLITE_FCNTL_FILE_POINTER`
        case main = 7
        /// `SQLITE_FCNTL_JOURNAL_POINTER`: the write-ahead log.
        case log = 28
    }

    /// How long a file is, in bytes.
    func fileBytes(_ which: File) throws(SQLiteError) -> Int64 {
        try withFile(which) { (file, methods) throws(SQLiteError) in
            var bytes: Int64 = 0
            let code = methods.xFileSize?(file, &bytes) ?? SQLITE_NOTFOUND
            guard code == SQLITE_OK else { throw error(code) }
            return bytes
        }
    }

    /// Reads bytes of the file itself; behind its end are zeros.
    func read(_ which: File, at offset: Int64, into bytes: inout [UInt8]) throws(SQLiteError) {
        let count = Int32(bytes.count)
        try withFile(which) { (file, methods) throws(SQLiteError) in
            let code = methods.xRead?(file, &bytes, count, offset) ?? SQLITE_NOTFOUND
            guard code == SQLITE_OK || code == SQLiteError.shortRead else { throw error(code) }
        }
    }

    /// Waits until the file's content is on the disk.
    func synchronize(_ which: File) throws(SQLiteError) {
        try withFile(which) { (file, methods) throws(SQLiteError) in
            let code = methods.xSync?(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY) ?? SQLITE_NOTFOUND
            guard code == SQLITE_OK else { throw error(code) }
        }
    }

    /// Makes the file at least so long, by writing zeros behind its end: what is written there later needs no room.
    func extend(_ which: File, to bytes: Int64) throws(SQLiteError) {
        let length = try fileBytes(which)
        guard length < bytes else { return }
        // SQLite never writes more than 64 KiB at once, and its unix VFS takes no more than 128 KiB.
        let zeros = [UInt8](repeating: 0, count: 1 << 16)
        try withFile(which) { (file, methods) throws(SQLiteError) in
            var offset = length
            while offset < bytes {
                let count = min(Int64(zeros.count), bytes - offset)
                let code = methods.xWrite?(file, zeros, Int32(count), offset) ?? SQLITE_NOTFOUND
                guard code == SQLITE_OK else { throw error(code) }
                offset += count
            }
        }
    }
}
