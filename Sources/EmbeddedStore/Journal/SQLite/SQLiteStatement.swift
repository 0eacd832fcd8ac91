import CSQLite

/// A prepared statement: bound, stepped and reset any number of times, by one thread at a time.
///
/// Must not outlive its ``SQLiteDatabase``, which it keeps alive for that reason.
final class SQLiteStatement {
    private let database: SQLiteDatabase
    private let handle: OpaquePointer

    init(_ sql: String, in database: SQLiteDatabase) throws(SQLiteError) {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(
            database.handle,
            sql,
            -1,
            UInt32(SQLITE_PREPARE_PERSISTENT),
            &statement,
            nil
        )
        guard code == SQLITE_OK, let statement else { throw database.error(code) }
        self.database = database
        handle = statement
    }

    deinit { sqlite3_finalize(handle) }

    /// Binds an integer; parameters count from 1.
    func bind(_ value: Int64, at index: Int32) throws(SQLiteError) {
        try check(sqlite3_bind_int64(handle, index, value))
    }

    /// Binds bytes without copying them: they must stay where they are until the next ``reset()``.
    func bind(_ bytes: UnsafeRawBufferPointer, at index: Int32) throws(SQLiteError) {
        // A null pointer would bind NULL; an empty blob is meant.
        guard let base = bytes.baseAddress, bytes.count > 0 else {
            return try check(sqlite3_bind_zeroblob(handle, index, 0))
        }
        try check(sqlite3_bind_blob64(handle, index, base, UInt64(bytes.count), nil))
    }

    /// Runs the statement to its next row.
    ///
    /// False when there is none.
    func step() throws(SQLiteError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            let error = database.error(code)
            sqlite3_reset(handle)
            throw error
        }
    }

    /// Makes the statement ready to run again.
    ///
    /// Bindings stay.
    func reset() { sqlite3_reset(handle) }

    /// Runs a statement that gives no rows, and resets it.
    func run() throws(SQLiteError) {
        let code = sqlite3_step(handle)
        guard code == SQLITE_DONE || code == SQLITE_ROW else {
            let error = database.error(code)
            sqlite3_reset(handle)
            throw error
        }
        sqlite3_reset(handle)
    }

    /// Runs the statement and gives the first column of its first row; 0 without rows.
    func integer() throws(SQLiteError) -> Int64 {
        defer { reset() }
        return try step() ? sqlite3_column_int64(handle, 0) : 0
    }

    /// An integer of the present row; columns count from 0.
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    /// Text of the present row.
    func text(_ column: Int32) -> String {
        sqlite3_column_text(handle, column).map { String(cString: $0) } ?? ""
    }

    /// Whether a column of the present row holds bytes.
    func isBlob(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_BLOB }

    /// Bytes of the present row; valid until the next step or reset.
    ///
    /// Throws where they cannot be read.
    func blob(_ column: Int32) throws(SQLiteError) -> UnsafeRawBufferPointer {
        guard let base = sqlite3_column_blob(handle, column) else {
            // Empty, or the page or the memory for it could not be had: only the error code tells.
            let code = sqlite3_errcode(database.handle)
            // DONE: of another statement of this connection, that came to its end since.
            guard code == SQLITE_ROW || code == SQLITE_OK || code == SQLITE_DONE else { throw database.error(code) }
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, column)))
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        guard code == SQLITE_OK else { throw database.error(code) }
    }
}
