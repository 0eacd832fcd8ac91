import BeanspikeCore

extension SQLiteJournal {
    func replay(
        _ visit: (JobID, Bool, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws(JobStoreError) -> JobID {
        guard statements != nil else { throw JobStoreError(.closed, "The journal is closed.") }
        do {
            return try replayAll(visit)
        } catch let error as JobStoreError {
            throw error
        } catch let error as SQLiteError {
            throw JournalFile.failure(error, opening: directory)
        } catch {
            throw JournalFile.damage("\(error)", in: directory)
        }
    }

    /// Both tables at once, in the order of their ids: one scan each, no look-ups.
    private func replayAll(
        _ visit: (JobID, Bool, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws -> JobID {
        let jobs = try SQLiteStatement("SELECT id, record, body FROM jobs ORDER BY id", in: database)
        let changes = try SQLiteStatement("SELECT id, record FROM changes ORDER BY id", in: database)
        var nextID = JobID(clamping: try database.integer("SELECT value FROM meta WHERE name = 'next_id'"))
        guard nextID > 0 else { throw JournalFile.damage("it does not say which ids were given out", in: directory) }

        var change: Int64? = try changes.step() ? changes.integer(0) : nil
        var hasStrays = false
        var previous: Int64 = 0
        while try jobs.step() {
            let id = jobs.integer(0)
            guard id > previous else { throw JournalFile.damage("job \(id) is not where it belongs", in: directory) }
            previous = id
            while let other = change, other < id {
                hasStrays = true
                change = try changes.step() ? changes.integer(0) : nil
            }
            let isChanged = change == id
            let source = isChanged ? changes : jobs
            guard source.isBlob(1), jobs.isBlob(2) else {
                throw JournalFile.damage("job \(id) is not kept as bytes", in: directory)
            }
            do {
                try visit(JobID(id), isChanged, source.blob(1), jobs.blob(2))
            } catch let error as SQLiteError {
                throw error
            } catch let error as JobStoreError {
                throw error
            } catch {
                throw JournalFile.damage("job \(id): \(error)", in: directory)
            }
            if isChanged { change = try changes.step() ? changes.integer(0) : nil }
        }
        jobs.reset()
        changes.reset()
        if hasStrays || change != nil {
            // A change without its job says nothing, and nobody would ever delete it.
            try transaction(growing: false) { () throws(SQLiteError) in
                try database.execute("DELETE FROM changes WHERE id NOT IN (SELECT id FROM jobs)")
            }
        }
        nextID = max(nextID, JobID(previous) + 1)
        return nextID
    }

    func read(
        _ ids: [JobID],
        _ visit: (JobID, Bool, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) throws(JobStoreError) {
        guard let statement = statements?.readJob else { throw JobStoreError(.closed, "The journal is closed.") }
        defer { statement.reset() }
        do {
            for id in ids {
                try statement.bind(Int64(clamping: id), at: 1)
                if try statement.step() {
                    let isChanged = statement.isBlob(1)
                    visit(id, isChanged, try statement.blob(isChanged ? 1 : 0), try statement.blob(2))
                }
                statement.reset()
            }
        } catch {
            if error.isDamage { throw JournalFile.damage(error.description, in: directory, code: .readFailed) }
            throw JournalFile.failure(error, opening: directory)
        }
    }
}
