import BeanspikeCore
import CSQLite

extension SQLiteJournal {
    func commit(_ batch: borrowing JournalBatch) throws(JobStoreError) {
        guard batch.hasChanges else { return }
        guard let statements else { throw JobStoreError(.closed, "The journal is closed.") }
        let puts = batch.puts
        if let large = puts.first(where: { $0.record.count + $0.body.count > Self.jobBytesMax }) {
            throw JobStoreError(
                .limitReached,
                "Job \(large.id) is larger than a journal's row may be (\(Self.jobBytesMax) bytes)."
            )
        }
        let updates = batch.updates
        let newBodies = updates.count { $0.body != nil }
        if let large = updates.first(where: { $0.record.count + ($0.body?.count ?? 0) > Self.jobBytesMax }) {
            throw JobStoreError(
                .limitReached,
                "Job \(large.id) would be larger than a journal's row may be (\(Self.jobBytesMax) bytes)."
            )
        }
        let deletes = batch.deletes
        let bytes = batch.bytes
        let reserved = batch.idsReservedBelow

        func attempt(movesMax: Int) throws(SQLiteError) {
            do {
                var added: [PackDirectory.Pack] = []
                try transaction(growing: !puts.isEmpty || newBodies > 0) { () throws(SQLiteError) in
                    try write(puts: puts, updates: updates, bytes: bytes, statements, packs: &added)
                    try write(deletes: deletes, statements)
                    try writePacks(movesMax: movesMax, statements)
                    if let reserved { try statements.setNextID(reserved) }
                }
                packs.keep(adding: added, lastID: puts.last?.id ?? 0)
            } catch {
                packs.undo()
                throw error
            }
        }
        do {
            if mustCheckpoint { try checkpoint() }
            do {
                // Each delete makes at most one pack sparse, so this many moves keep up.
                try attempt(movesMax: deletes.count + newBodies)
            } catch  where error.isOutOfSpace && database.logFrames > 0 || error.mayBeOfMoves && !deletes.isEmpty {
                // The log may be what has no room: emptied, it has its full length again. What moves may have none
                // either, or may not be readable, and need not move now.
                if database.logFrames > 0 { try checkpoint() }
                try attempt(movesMax: 0)
            }
        } catch {
            throw writeFailure(error)
        }
        statistics.recordsWritten &+= UInt64(puts.count + updates.count + deletes.count)
        if !deletes.isEmpty { mayHaveFreed = true }
        afterCommit()
    }

    /// A row's bytes, by SQLite's own limit (`SQLITE_MAX_LENGTH`), with some to spare for what it adds.
    static let jobBytesMax = 999_999_000

    /// Runs `body` as one transaction: whole or not at all.
    func transaction(
        growing: Bool,
        _ body: () throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        guard let statements else { return }
        try statements.begin.run()
        var isWriting = false
        do {
            try body()
            try reserveFile(growing: growing)
            isWriting = true
            try statements.commit.run()
            isLastFailureInDoubt = false
        } catch {
            if database.isInTransaction { try? statements.rollback.run() }
            // A failed write or sync may leave a log that a restart would take for a commit. A commit of nothing much
            // in the same place rules that out.
            if isWriting, error.primaryCode == SQLITE_IOERR { overwriteFailedCommit() }
            throw error
        }
    }

    private func write(
        puts: [JournalBatch.Put],
        updates: [JournalBatch.Update],
        bytes: [UInt8],
        _ statements: Statements,
        packs added: inout [PackDirectory.Pack]
    ) throws(SQLiteError) {
        guard !(puts.isEmpty && updates.isEmpty) else { return }
        try withBytes(of: bytes) { (bytes) throws(SQLiteError) in
            var next = 0
            while next < puts.count {
                let count = packableCount(puts, from: next, after: added.last?.last ?? packs.lastID)
                if count > 0 {
                    try writePack(puts[next..<next + count], bytes, statements, into: &added)
                    next += count
                } else {
                    let put = puts[next]
                    if packs.contains(put.id) { throw Self.isThere(put.id) }
                    try writeJob(put.id, bytes.part(put.record), bytes.part(put.body), statements)
                    next += 1
                }
            }
            for update in updates {
                try statements.update.bind(Int64(update.id), at: 1)
                try statements.update.bind(bytes.part(update.record), at: 2)
                try statements.update.run()
                guard let body = update.body else { continue }
                // A row of its own from now on: packs are written once.
                if !packs.clear(update.id) {
                    try statements.delete.bind(Int64(update.id), at: 1)
                    try statements.delete.run()
                }
                try writeJob(update.id, bytes.part(update.record), bytes.part(body), statements)
            }
        }
    }

    /// Writes a row of its own.
    func writeJob(
        _ id: JobID,
        _ record: UnsafeRawBufferPointer,
        _ body: UnsafeRawBufferPointer,
        _ statements: Statements
    ) throws(SQLiteError) {
        try statements.put.bind(Int64(id), at: 1)
        try statements.put.bind(record, at: 2)
        try statements.put.bind(body, at: 3)
        try statements.put.run()
    }

    private static func isThere(_ id: JobID) -> SQLiteError {
        SQLiteError(code: SQLITE_CONSTRAINT, systemError: 0, message: "job \(id) is there already")
    }

    private func write(deletes: [JournalBatch.Delete], _ statements: Statements) throws(SQLiteError) {
        guard !deletes.isEmpty else { return }
        var run = DeletedRun()
        var runOfChanges = DeletedRun()
        for delete in deletes {
            if !packs.clear(delete.id), !run.take(delete.id) {
                try run.write(one: statements.delete, many: statements.deleteRange)
                run = DeletedRun(delete.id)
            }
            if delete.wasUpdated, !runOfChanges.take(delete.id) {
                try runOfChanges.write(one: statements.deleteChange, many: statements.deleteChangeRange)
                runOfChanges = DeletedRun(delete.id)
            }
        }
        try run.write(one: statements.delete, many: statements.deleteRange)
        try runOfChanges.write(one: statements.deleteChange, many: statements.deleteChangeRange)
    }

    /// `Array.withUnsafeBytes` does not pass typed errors on.
    func withBytes(
        of bytes: [UInt8],
        _ body: (UnsafeRawBufferPointer) throws(SQLiteError) -> Void
    ) throws(SQLiteError) {
        var failure: SQLiteError?
        bytes.withUnsafeBytes { bytes in
            do throws(SQLiteError) { try body(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func overwriteFailedCommit() {
        guard let statements else { return }
        do {
            try statements.begin.run()
            // An id is given up for it: SQLite does not write what does not change.
            try database.execute("UPDATE meta SET value = value + 1 WHERE name = 'next_id'")
            try statements.commit.run()
            isLastFailureInDoubt = false
        } catch {
            if database.isInTransaction { try? statements.rollback.run() }
            isLastFailureInDoubt = true
        }
    }

    /// What is told of a failure to write.
    func writeFailure(_ error: SQLiteError) -> JobStoreError {
        let path = directory.journalPath
        if error.isOutOfSpace {
            return JobStoreError(
                .outOfSpace,
                "There is no room for the journal \(path) to grow (\(error)). Make room, or delete jobs."
            )
        }
        if error.isDamage { return JournalFile.damage(error.description, in: directory, code: .writeFailed) }
        return JobStoreError(
            .writeFailed,
            "The journal \(path) cannot be written (\(error)). See to the disk.",
            inDoubt: isLastFailureInDoubt
        )
    }
}

extension SQLiteError {
    /// Whether a commit may go through if nothing moves.
    fileprivate var mayBeOfMoves: Bool { isOutOfSpace || isDamage }
}

/// Ids in a row that are deleted by one statement.
struct DeletedRun {
    private var first: JobID = 0
    private var last: JobID = 0

    /// No ids yet.
    init() {}

    init(_ id: JobID) {
        first = id
        last = id
    }

    /// Whether the id continues the run, and now belongs to it.
    mutating func take(_ id: JobID) -> Bool {
        guard last != 0, id == last &+ 1 else { return false }
        last = id
        return true
    }

    func write(one: SQLiteStatement, many: SQLiteStatement) throws(SQLiteError) {
        guard last != 0 else { return }
        let statement = first == last ? one : many
        try statement.bind(Int64(first), at: 1)
        if first != last { try statement.bind(Int64(last), at: 2) }
        try statement.run()
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes that a range of a batch points to.
    func part(_ range: ByteRange) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range.offset..<range.offset + range.count])
    }
}
