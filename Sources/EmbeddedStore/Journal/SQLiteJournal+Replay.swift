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

    /// All tables at once, in the order of their ids: one scan each, no look-ups.
    private func replayAll(
        _ visit: (JobID, Bool, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws -> JobID {
        var nextID = JobID(clamping: try database.integer("SELECT value FROM meta WHERE name = 'next_id'"))
        guard nextID > 0 else { throw JournalFile.damage("it does not say which ids were given out", in: directory) }
        var single = try SingleScan(database)
        var packed = try PackScan(database)
        var changes = try ChangeScan(database)
        var previous: JobID = 0
        while true {
            let isSingle: Bool
            switch (single.id, packed.id) {
            case (nil, nil): isSingle = false
            case (let id?, let other?): isSingle = id < other
            case (let id, _): isSingle = id != nil
            }
            guard let id = isSingle ? single.id : packed.id else { break }
            guard id > previous else { throw JournalFile.damage("job \(id) is not where it belongs", in: directory) }
            previous = id
            do {
                let (record, body) = isSingle ? try single.job() : packed.job()
                let change = try changes.record(of: id)
                try visit(id, change != nil, change ?? record, body)
            } catch let error as SQLiteError {
                throw error
            } catch let error as JobStoreError {
                throw error
            } catch {
                throw JournalFile.damage("job \(id): \(error)", in: directory)
            }
            if isSingle { try single.advance() } else { try packed.advance() }
        }
        let strays = try changes.takeStrays()
        single.end()
        packed.end()
        changes.end()
        if !strays.isEmpty { try forget(strays) }
        // Also above the jobs of packs that are deleted but not gone.
        nextID = max(nextID, previous + 1, packs.lastID + 1)
        return nextID
    }

    /// A change without its job says nothing, and nobody would ever delete it.
    private func forget(_ ids: [JobID]) throws(SQLiteError) {
        guard let statements else { return }
        try transaction(growing: false) { () throws(SQLiteError) in
            for id in ids {
                try statements.deleteChange.bind(Int64(bitPattern: id), at: 1)
                try statements.deleteChange.run()
            }
        }
    }

    func read(
        _ ids: [JobID],
        _ visit: (JobID, Bool, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) throws(JobStoreError) {
        guard let statements else { throw JobStoreError(.closed, "The journal is closed.") }
        defer {
            statements.readJob.reset()
            statements.readChange.reset()
        }
        var pack: PackDirectory.Pack?
        var data: [UInt8] = []
        do {
            for id in ids {
                guard packs.contains(id), let index = packs.index(of: id) else {
                    try readSingle(id, statements, visit)
                    continue
                }
                if pack != packs.packs[index] {
                    pack = nil
                    data = try packData(of: packs.packs[index], statements)
                    pack = packs.packs[index]
                }
                let offset = id - packs.packs[index].first
                guard let job = packJobs.first(where: { $0.offset == offset }) else { continue }
                try statements.readChange.bind(Int64(clamping: id), at: 1)
                let isChanged = try statements.readChange.step()
                try withBytes(of: data) { (bytes) throws(SQLiteError) in
                    let own = UnsafeRawBufferPointer(rebasing: bytes[job.record])
                    let record = isChanged ? try statements.readChange.blob(0) : own
                    visit(id, isChanged, record, UnsafeRawBufferPointer(rebasing: bytes[job.body]))
                }
                statements.readChange.reset()
            }
        } catch {
            if error.isDamage { throw JournalFile.damage(error.description, in: directory, code: .readFailed) }
            throw JournalFile.failure(error, opening: directory)
        }
    }

    private func readSingle(
        _ id: JobID,
        _ statements: Statements,
        _ visit: (JobID, Bool, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) throws(SQLiteError) {
        let statement = statements.readJob
        try statement.bind(Int64(clamping: id), at: 1)
        if try statement.step() {
            let isChanged = statement.isBlob(1)
            visit(id, isChanged, try statement.blob(isChanged ? 1 : 0), try statement.blob(2))
        }
        statement.reset()
    }
}
