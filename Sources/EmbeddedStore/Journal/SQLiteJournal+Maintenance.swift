import BeanspikeCore
import CSQLite

extension SQLiteJournal {
    func maintain() -> Duration? {
        guard statements != nil else { return nil }
        do throws(SQLiteError) {
            var again: Duration?
            if !isLogReserved { reserveLog() }
            if mustCheckpoint || database.logFrames > limits.logFramesIdleMax { try checkpoint() }
            if try giveRoomBack() { again = limits.stepPause }
            if let left = try synchronizeIfDue() { again = min(again ?? left, left) }
            return again
        } catch {
            // Nothing is lost: all of this is tried again, and what matters shows in the next commit.
            return .seconds(1)
        }
    }

    /// What a commit leaves to do at once.
    func afterCommit() {
        do throws(SQLiteError) {
            if unsynchronizedSince == nil, case .everyMilliseconds = durability { unsynchronizedSince = .now }
            if database.logFrames > limits.logFramesMax {
                try checkpoint()
                // Where there is never an idle moment, room is given back here.
                _ = try giveRoomBack()
            } else {
                _ = try synchronizeIfDue()
            }
        } catch {
            // The commit itself stands. The next one checkpoints first, and says so when it cannot.
            mustCheckpoint = true
        }
    }

    /// Moves the log into the file, which is then as long as the database and a chunk at most.
    func checkpoint() throws(SQLiteError) {
        try database.checkpoint()
        mustCheckpoint = false
        if durability != .committed { unsynchronizedSince = nil }
        // SQLite has cut the file to the database's length, rounded up to a chunk. The room for changes of old jobs is
        // taken back before anybody else has it.
        if let pages = try statements?.pageCount.integer() {
            try? database.control(SQLITE_FCNTL_SIZE_HINT, pages * JournalLimits.pageBytes + limits.fileSlackBytes)
        }
        fileBytesReserved = try database.fileBytes(.main)
    }

    /// Waits for the disk when the oldest commit that it may not have is old enough.
    ///
    /// - Returns: How long that is still to come, nil when there is no such commit.
    private func synchronizeIfDue() throws(SQLiteError) -> Duration? {
        guard case .everyMilliseconds(let milliseconds) = durability, let since = unsynchronizedSince else {
            return nil
        }
        let left = Duration.milliseconds(Int64(milliseconds)) - since.duration(to: .now)
        if left > .zero { return left }
        do throws(SQLiteError) {
            try database.synchronize(.log)
        } catch {
            // The kernel forgets what it could not write, and the next sync would not tell. The file is written anew.
            mustCheckpoint = true
            throw error
        }
        unsynchronizedSince = nil
        return nil
    }

    /// Gives the log its length, so that commits need no room on the disk.
    ///
    /// Tried again later where that fails.
    func reserveLog() {
        do throws(SQLiteError) {
            try database.extend(.log, to: limits.logBytes)
            if durability != .never { try database.synchronize(.log) }
            isLogReserved = true
        } catch {
            isLogReserved = false
        }
    }

    /// Makes sure that a checkpoint of what is about to be committed finds room in the file.
    ///
    /// - Parameter growing: The commit has new jobs, which must leave some room to changes of old ones.
    /// - Throws: `SQLITE_FULL` where there is none.
    func reserveFile(growing: Bool) throws(SQLiteError) {
        guard let statements else { return }
        if growing, !isLogReserved {
            reserveLog()
            guard isLogReserved else {
                throw SQLiteError(code: SQLITE_FULL, systemError: 0, message: "no room for the log")
            }
        }
        let needed = try statements.pageCount.integer() * JournalLimits.pageBytes
        let wanted = needed + (growing ? limits.fileSlackBytes : 0)
        guard wanted > fileBytesReserved else { return }
        do {
            try database.control(SQLITE_FCNTL_SIZE_HINT, wanted)
            fileBytesReserved = try database.fileBytes(.main)
        } catch {
            // Whatever the reason, the file cannot grow.
            throw SQLiteError(code: SQLITE_FULL, systemError: error.systemError, message: "no room for the file")
        }
    }
}
