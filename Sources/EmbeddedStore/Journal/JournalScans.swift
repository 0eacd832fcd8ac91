import BeanspikeCore

/// The rows of `jobs`, ids rising.
struct SingleScan {
    private let rows: SQLiteStatement
    /// The row at hand; nil behind the last.
    private(set) var id: JobID?

    init(_ database: SQLiteDatabase) throws(SQLiteError) {
        rows = try SQLiteStatement("SELECT id, record, body FROM jobs ORDER BY id", in: database)
        try advance()
    }

    mutating func advance() throws(SQLiteError) {
        let previous = id ?? 0
        guard try rows.step() else { return id = nil }
        let next = rows.integer(0)
        guard next > 0, JobID(next) > previous else {
            throw SQLiteJournal.damage("job \(next) is not where it belongs")
        }
        id = JobID(next)
    }

    /// Record and body of the row at hand, until the next.
    func job() throws(SQLiteError) -> (record: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
        guard rows.isBlob(1), rows.isBlob(2) else {
            throw SQLiteJournal.damage("job \(rows.integer(0)) is not kept as bytes")
        }
        return (try rows.blob(1), try rows.blob(2))
    }

    func end() { rows.reset() }
}

/// The live jobs of `packs`, ids rising.
struct PackScan {
    private let rows: SQLiteStatement
    private let data: SQLiteStatement
    private var pack = PackDirectory.Pack(first: 0, members: 0, live: 0)
    private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    private var jobs: [PackData.Job] = []
    private var place = 0
    /// The job at hand; nil behind the last.
    private(set) var id: JobID?

    init(_ database: SQLiteDatabase) throws(SQLiteError) {
        rows = try SQLiteStatement("SELECT id, members, live FROM packs ORDER BY id", in: database)
        data = try SQLiteStatement("SELECT id, data FROM pack_data ORDER BY id", in: database)
        try advance()
    }

    mutating func advance() throws(SQLiteError) {
        while true {
            place += 1
            if place >= jobs.count {
                guard try nextPack() else { return id = nil }
            }
            if pack.live >> jobs[place].offset & 1 == 1 { return id = pack.first + jobs[place].offset }
        }
    }

    /// Record and body of the job at hand, until the next.
    func job() -> (record: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
        let job = jobs[place]
        return (UnsafeRawBufferPointer(rebasing: bytes[job.record]), UnsafeRawBufferPointer(rebasing: bytes[job.body]))
    }

    func end() {
        rows.reset()
        data.reset()
    }

    private mutating func nextPack() throws(SQLiteError) -> Bool {
        let hasRow = try rows.step()
        let hasData = try data.step()
        guard hasRow || hasData else { return false }
        // One without the other is told by the smaller id.
        guard hasRow, hasData, rows.integer(0) == data.integer(0) else {
            let id = !hasData ? rows.integer(0) : !hasRow ? data.integer(0) : min(rows.integer(0), data.integer(0))
            throw SQLiteJournal.damage("pack \(id) is not whole")
        }
        guard let next = try SQLiteJournal.pack(in: rows), pack.first == 0 || next.first > pack.last else {
            throw SQLiteJournal.damage("pack \(rows.integer(0)) is not as packs are")
        }
        pack = next
        guard data.isBlob(1) else { throw SQLiteJournal.damage("pack \(pack.first) is not kept as bytes") }
        bytes = try data.blob(1)
        guard PackData.parse(bytes, members: pack.members, into: &jobs) else {
            throw SQLiteJournal.damage("pack \(pack.first) is not whole")
        }
        place = 0
        return true
    }
}

/// The rows of `changes`, asked for with ids rising.
struct ChangeScan {
    private let rows: SQLiteStatement
    private var id: Int64?
    private var isTaken = true
    private var strays: [JobID] = []

    init(_ database: SQLiteDatabase) throws(SQLiteError) {
        rows = try SQLiteStatement("SELECT id, record FROM changes ORDER BY id", in: database)
        try advance()
    }

    /// The newest record of a job that changed, until the next call.
    mutating func record(of job: JobID) throws(SQLiteError) -> UnsafeRawBufferPointer? {
        while let id, id < Int64(clamping: job) { try advance() }
        guard let id, id == Int64(clamping: job) else { return nil }
        isTaken = true
        guard rows.isBlob(1) else { throw SQLiteJournal.damage("job \(job) is not kept as bytes") }
        return try rows.blob(1)
    }

    /// The ids of rows that nobody asked for.
    mutating func takeStrays() throws(SQLiteError) -> [JobID] {
        while id != nil { try advance() }
        return strays
    }

    func end() { rows.reset() }

    private mutating func advance() throws(SQLiteError) {
        if let id, !isTaken { strays.append(JobID(truncatingIfNeeded: id)) }
        isTaken = false
        id = try rows.step() ? rows.integer(0) : nil
    }
}
