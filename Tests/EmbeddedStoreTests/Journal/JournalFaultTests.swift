import BeanspikeCore
import Testing

@testable import EmbeddedStore

@Suite("SQLiteJournal on a disk that fails")
struct JournalFaultTests {
    /// What must be in the journal.
    struct Model: Equatable {
        var jobs: [JobID: Bool] = [:]

        mutating func apply(_ batch: JournalBatch) {
            for put in batch.puts { jobs[put.id] = false }
            for update in batch.updates { jobs[update.id] = true }
            for delete in batch.deletes { jobs[delete.id] = nil }
        }

        init() {}

        init(_ journal: SQLiteJournal) throws {
            for job in try journal.replayAll().jobs { jobs[job.id] = job.isUpdated }
        }
    }

    static func randomBatch(
        _ model: Model,
        _ next: inout JobID,
        _ random: inout SeededGenerator
    ) throws -> JournalBatch {
        // Few large ones, or so many small ones that they share rows.
        let isPacked = Bool.random(using: &random)
        let count = JobID.random(in: isPacked ? 16...40 : 1...8, using: &random)
        let bodyBytes = Int.random(in: 0...(isPacked ? 300 : 9_000), using: &random)
        var batch = try JournalBatch.puts(next..<next + count, bodyBytes: bodyBytes)
        next += count
        for (id, isUpdated) in model.jobs.sorted(by: { $0.key < $1.key }) {
            switch Int.random(in: 0..<12, using: &random) {
            case 0, 1: batch.deletes.append(.init(id: id, wasUpdated: isUpdated))
            case 2: batch.update(id, try .sample(state: .buried))
            default: break
            }
        }
        return batch
    }

    @Test("what was acknowledged is kept, what was refused is not", arguments: FaultyFileSystem.Fault.allCases)
    func faults(fault: FaultyFileSystem.Fault) throws {
        var faultsMade = 0
        var refusals = 0
        for seed in 1...30 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let directory = try TemporaryDirectory()
            try SQLiteJournal.open(directory: directory.path, limits: .small).close(nextID: 1)
            let disk = try FaultyFileSystem(name: "faulty-\(fault)-\(seed)")
            let durability: JournalDurability = [.committed, .everyMilliseconds(1), .never][Int(seed % 3)]
            let journal = try SQLiteJournal.open(
                directory: directory.path,
                durability: durability,
                limits: .small,
                fileSystem: disk.name
            )
            var model = Model()
            var next: JobID = 1
            for round in 0..<60 {
                if round % 6 == 3 {
                    disk.fault = fault
                    disk.operationsUntilFault = Int.random(in: 0...25, using: &random)
                    disk.faultCount = Int.random(in: 1...3, using: &random)
                }
                let batch = try Self.randomBatch(model, &next, &random)
                do {
                    try journal.commit(batch)
                    model.apply(batch)
                } catch {
                    refusals += 1
                    #expect(error.code == (fault == .full ? .outOfSpace : .writeFailed), "\(error) seed \(seed)")
                    let killed = try directory.copyAsAfterKill()
                    let found = try Model(SQLiteJournal.open(directory: killed.path, limits: .small))
                    if error.inDoubt {
                        // Either is right, and the next commit settles it.
                        var other = model
                        other.apply(batch)
                        #expect(found == model || found == other, "seed \(seed), round \(round)")
                    } else {
                        #expect(found == model, "seed \(seed), round \(round)")
                    }
                }
                if round % 4 == 0 { _ = journal.maintain() }
            }
            disk.faultCount = 0
            let batch = try Self.randomBatch(model, &next, &random)
            try journal.commit(batch)
            model.apply(batch)
            #expect(try Model(journal) == model, "seed \(seed)")
            let killed = try directory.copyAsAfterKill()
            #expect(try Model(SQLiteJournal.open(directory: killed.path, limits: .small)) == model, "seed \(seed)")
            try journal.close(nextID: next)
            let reopened = try SQLiteJournal.open(directory: directory.path, limits: .small)
            #expect(try Model(reopened) == model, "seed \(seed)")
            #expect(try reopened.database.text("PRAGMA integrity_check") == "ok", "seed \(seed)")
            faultsMade += disk.faultsMade
        }
        #expect(faultsMade > 20)
        if fault != .truncate { #expect(refusals > 5) }
    }
}
