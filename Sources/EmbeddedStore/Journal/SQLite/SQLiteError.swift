import CSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What SQLite answered when it could not do something.
struct SQLiteError: Error, Equatable, CustomStringConvertible {
    /// The extended result code (sqlite.org/rescode.html).
    var code: Int32
    /// The errno of the failed system call, where there was one.
    var systemError: Int32
    /// SQLite's own words.
    var message: String

    /// The result code without its extension.
    var primaryCode: Int32 { code & 0xff }

    /// No room: on the disk, in the quota, or below `max_page_count`.
    var isOutOfSpace: Bool {
        primaryCode == SQLITE_FULL
            || (primaryCode == SQLITE_IOERR && (systemError == ENOSPC || systemError == EDQUOT))
    }

    /// What was read is not what SQLite wrote.
    var isDamage: Bool {
        primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB || code == Self.shortRead
    }

    /// Another process holds a lock on the file.
    var isBusy: Bool { primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED }

    var description: String {
        guard systemError != 0, primaryCode == SQLITE_IOERR || primaryCode == SQLITE_CANTOPEN else {
            return "\(message), SQLite code \(code)"
        }
        return "\(message), SQLite code \(code): \(String(cString: strerror(systemError)))"
    }

    /// `SQLITE_IOERR_SHORT_READ`, a macro that Swift does not see.
    static let shortRead = SQLITE_IOERR | (2 << 8)
}
