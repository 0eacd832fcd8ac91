import BeanspikeCore
import CSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Jobs that share a row: a row costs the processor more than all that is in it.
extension SQLiteJournal {
    /// How many of the puts from `start` on make one pack; 0 where the first is to be a row of its own.
    ///
    /// - Parameters:
    ///   - puts: New jobs.
    ///   - start: The first that is not written yet.
    ///   - lastID: A pack begins above this.
    /// - Returns: At least ``PackLimits/jobsMin``, or 0.
    func packableCount(_ puts: [JournalBatch.Put], from start: Int, after lastID: JobID) -> Int {
        let first = puts[start].id
        guard puts.count - start >= PackLimits.jobsMin, first > lastID else { return 0 }
        var bytes = 0
        var next = start
        var previous = lastID
        while next < puts.count {
            let put = puts[next]
            guard put.id > previous, put.id - first < PackLimits.idsMax,
                put.record.count + put.body.count <= PackLimits.jobBytesMax
            else { break }
            bytes += PackData.bytes(record: put.record.count, body: put.body.count)
            if bytes > PackLimits.bytesMax { break }
            previous = put.id
            next += 1
        }
        return next - start >= PackLimits.jobsMin ? next - start : 0
    }

    /// Writes one pack.
    func writePack(
        _ puts: ArraySlice<JournalBatch.Put>,
        _ bytes: UnsafeRawBufferPointer,
        _ statements: Statements,
        into added: inout [PackDirectory.Pack]
    ) throws(SQLiteError) {
        guard let first = puts.first?.id else { return }
        var members: UInt64 = 0
        PackData.begin(&packBytes)
        var previous: UnsafeRawBufferPointer?
        for put in puts {
            members |= 1 << (put.id - first)
            let record = bytes.part(put.record)
            let isSame = previous.map { Self.areSame($0, record) } ?? false
            PackData.append(record: isSame ? nil : record, body: bytes.part(put.body), to: &packBytes)
            previous = record
        }
        PackData.end(&packBytes)
        try statements.putPackData.bind(Int64(first), at: 1)
        try withBytes(of: packBytes) { (bytes) throws(SQLiteError) in
            try statements.putPackData.bind(bytes, at: 2)
            try statements.putPackData.run()
        }
        try statements.putPack.bind(Int64(first), at: 1)
        try statements.putPack.bind(Int64(bitPattern: members), at: 2)
        try Self.run(statements.putPack, live: members, at: 3)
        added.append(PackDirectory.Pack(first: first, members: members, live: members))
    }

    /// Writes what the deletes of this commit left of packs, and moves what is left of sparse ones to single rows.
    ///
    /// The first needs no room: bits are written over bits.
    ///
    /// - Parameters:
    ///   - movesMax: Packs that may be moved.
    ///   - statements: Those of this journal.
    /// - Throws: What SQLite could not do.
    func writePacks(movesMax: Int, _ statements: Statements) throws(SQLiteError) {
        if movesMax > 0 {
            for index in packs.excessSparse(movesMax) { try move(packAt: index, statements) }
        }
        var run: (first: Int, last: Int)?
        func deleteRun(_ packs: [PackDirectory.Pack]) throws(SQLiteError) {
            guard let ended = run else { return }
            for statement in [statements.deletePacks, statements.deletePackData] {
                try statement.bind(Int64(packs[ended.first].first), at: 1)
                try statement.bind(Int64(packs[ended.last].first), at: 2)
                try statement.run()
            }
            run = nil
        }
        try packs.forEachTouched { (packs, index, _) throws(SQLiteError) in
            let pack = packs.packs[index]
            if pack.live == 0 {
                if let present = run, present.last + 1 == index {
                    run = (present.first, index)
                } else {
                    try deleteRun(packs.packs)
                    run = (index, index)
                }
            } else {
                try statements.updatePack.bind(Int64(pack.first), at: 1)
                try Self.run(statements.updatePack, live: pack.live, at: 2)
            }
        }
        try deleteRun(packs.packs)
    }

    /// Makes single rows of what is live in a pack, which is gone with that.
    private func move(packAt index: Int, _ statements: Statements) throws(SQLiteError) {
        let pack = packs.packs[index]
        // Its row goes first: what it frees has room for what moves.
        let data = try packData(of: pack, statements)
        packs.clear(packAt: index)
        try statements.deletePackData.bind(Int64(pack.first), at: 1)
        try statements.deletePackData.bind(Int64(pack.first), at: 2)
        try statements.deletePackData.run()
        try withBytes(of: data) { (bytes) throws(SQLiteError) in
            for job in packJobs where pack.live >> job.offset & 1 == 1 {
                let record = UnsafeRawBufferPointer(rebasing: bytes[job.record])
                let body = UnsafeRawBufferPointer(rebasing: bytes[job.body])
                try writeJob(pack.first + job.offset, record, body, statements)
            }
        }
    }

    /// The bytes of a pack, whose jobs are then in ``packJobs``.
    func packData(of pack: PackDirectory.Pack, _ statements: Statements) throws(SQLiteError) -> [UInt8] {
        try statements.readPackData.bind(Int64(pack.first), at: 1)
        defer { statements.readPackData.reset() }
        guard try statements.readPackData.step() else {
            throw Self.damage("pack \(pack.first) is missing")
        }
        let bytes = try statements.readPackData.blob(0)
        guard PackData.parse(bytes, members: pack.members, into: &packJobs) else {
            throw Self.damage("pack \(pack.first) is not whole")
        }
        return Array(bytes)
    }

    /// Fills the directory from the file, when the journal is opened.
    func loadPacks() throws(JobStoreError) {
        do throws(SQLiteError) {
            try forEachPack { packs.load($0) }
            packs.load(lastID: JobID(clamping: try database.integer("SELECT max(id) FROM jobs")))
        } catch {
            throw JournalFile.failure(error, opening: directory)
        }
    }

    /// Calls `visit` with each row of `packs`, first ids rising.
    func forEachPack(_ visit: (PackDirectory.Pack) -> Void) throws(SQLiteError) {
        let rows = try SQLiteStatement("SELECT id, members, live FROM packs ORDER BY id", in: database)
        var lastID: JobID = 0
        while try rows.step() {
            guard let pack = try Self.pack(in: rows), pack.first > lastID else {
                throw Self.damage("pack \(rows.integer(0)) is not as packs are")
            }
            lastID = pack.last
            visit(pack)
        }
    }

    /// A row of `packs`, or nil where it breaks a rule.
    static func pack(in row: SQLiteStatement) throws(SQLiteError) -> PackDirectory.Pack? {
        let id = row.integer(0)
        let members = UInt64(bitPattern: row.integer(1))
        guard id > 0, members & 1 == 1, row.isBlob(2) else { return nil }
        let bytes = try row.blob(2)
        guard bytes.count == 8 else { return nil }
        let live = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        let pack = PackDirectory.Pack(first: JobID(id), members: members, live: live)
        guard live != 0, live & ~members == 0, pack.last <= JobID(Int64.max) else { return nil }
        return pack
    }

    private static func areSame(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        guard one.count == other.count, let base = one.baseAddress, let otherBase = other.baseAddress else {
            return false
        }
        return memcmp(base, otherBase, one.count) == 0
    }

    static func damage(_ what: String) -> SQLiteError {
        SQLiteError(code: SQLITE_CORRUPT, systemError: 0, message: what)
    }

    /// Always eight bytes, unlike an integer: so they are written in place.
    private static func run(
        _ statement: SQLiteStatement,
        live: UInt64,
        at parameter: Int32
    ) throws(SQLiteError) {
        var failure: SQLiteError?
        withUnsafeBytes(of: live.littleEndian) { bytes in
            do throws(SQLiteError) {
                try statement.bind(bytes, at: parameter)
                try statement.run()
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
