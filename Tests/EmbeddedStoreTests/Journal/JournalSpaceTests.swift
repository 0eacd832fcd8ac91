import BeanspikeCore
import Testing

@testable import EmbeddedStore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("SQLiteJournal's room on the disk")
struct JournalSpaceTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Calls `maintain` until there is no more to do.
    static func settle(_ journal: SQLiteJournal) {
        for _ in 0..<100_000 where journal.maintain() == nil { return }
        Issue.record("maintenance does not end")
    }

    @Test("files shrink when jobs are gone", arguments: [64, 5_000, 300_000], [0, 10] as [JobID])
    func shrinks(bodyBytes: Int, kept: JobID) throws {
        let limits = JournalLimits.small
        let journal = try SQLiteJournal.open(directory: directory.path, limits: limits)
        let count = JobID(12_000_000 / (bodyBytes + 300))
        for first in stride(from: 1, through: count, by: 20) {
            try journal.commit(.puts(first..<min(first + 20, count + 1), bodyBytes: bodyBytes))
        }
        #expect(directory.bytes > 4_000_000)
        for first in stride(from: 1, through: count - kept, by: 20) {
            try journal.commit(.deletes(first..<min(first + 20, count - kept + 1)))
        }
        Self.settle(journal)
        let live = Int64(kept) * Int64(bodyBytes + 300)
        #expect(directory.bytes(of: "journal.sqlite") < live + live / 2 + limits.freeBytesMax)
        #expect(directory.bytes(of: "journal.sqlite-wal") <= limits.logBytes)
        #expect(try journal.ids == Array(count - kept + 1..<count + 1))
        #expect(try journal.database.text("PRAGMA integrity_check") == "ok")
        try journal.close(nextID: count + 1)
        #expect(directory.names == ["journal.lock", "journal.sqlite"])
    }

    @Test("room is given back under load without a pause too")
    func shrinksUnderLoad() throws {
        let journal = try SQLiteJournal.open(directory: directory.path, limits: .small)
        for first in stride(from: 1, through: 2_000, by: 20) as StrideThrough<JobID> {
            try journal.commit(.puts(first..<first + 20, bodyBytes: 5_000))
        }
        let full = directory.bytes(of: "journal.sqlite")
        try journal.commit(.deletes(1...2_000))
        for id in 3_000..<6_000 as Range<JobID> {
            try journal.commit(.puts([id]))
            try journal.commit(.deletes([id]))
        }
        #expect(directory.bytes(of: "journal.sqlite") < full / 2)
    }

    @Test("the log does not grow past its length but for one large commit, and then shrinks again")
    func logIsBounded() throws {
        let limits = JournalLimits.small
        let journal = try SQLiteJournal.open(directory: directory.path, limits: limits)
        #expect(directory.bytes(of: "journal.sqlite-wal") == limits.logBytes)
        for id in 1...60 as ClosedRange<JobID> {
            try journal.commit(.puts([id], bodyBytes: 100_000))
            #expect(directory.bytes(of: "journal.sqlite-wal") == limits.logBytes)
        }
        try journal.commit(.puts([100], bodyBytes: 5_000_000))
        #expect(directory.bytes(of: "journal.sqlite-wal") < 5_000_000 + 2 * limits.logBytes)
        try journal.commit(.puts([101]))
        #expect(directory.bytes(of: "journal.sqlite-wal") == limits.logBytes)
    }

    @Test("below max_page_count: puts fail whole, deletes go through, puts go on")
    func fullByPageCount() throws {
        let journal = try SQLiteJournal.open(directory: directory.path, limits: .small)
        try journal.commit(.puts(1...100, bodyBytes: 3_000))
        try journal.database.execute("PRAGMA max_page_count = 200")
        var next: JobID = 101
        var refusal: JobStoreError?
        while refusal == nil, next < 1_000 {
            do {
                let batch = try JournalBatch.puts(next..<next + 10, bodyBytes: 3_000)
                try journal.commit(batch)
                next += 10
            } catch let error as JobStoreError {
                refusal = error
            }
        }
        #expect(refusal?.code == .outOfSpace)
        #expect(refusal?.inDoubt == false)
        #expect(try journal.ids == Array(1..<next))
        try journal.commit(.deletes(1...50))
        try journal.commit(.puts(next..<next + 10, bodyBytes: 3_000))
        #expect(try journal.ids == Array(51..<next + 10))
    }

    /// Whether a file system of a few megabytes can be had.
    static let canMount = geteuid() == 0 && TinyFileSystem.isPossible

    @Test(
        "a full disk: puts fail whole, changes and deletes go through, puts go on when there is room",
        .enabled(if: JournalSpaceTests.canMount, "needs root and the right to mount a tmpfs"),
        arguments: [.committed, .everyMilliseconds(10), .never] as [JournalDurability]
    )
    func fullDisk(durability: JournalDurability) throws {
        let disk = try TinyFileSystem(megabytes: 4)
        // The first megabyte of what another program takes.
        try disk.fill(bytes: 1 << 20)
        let path = disk.path + "/store"
        var kept: [JobID] = []
        do {
            let journal = try SQLiteJournal.open(directory: path, durability: durability, limits: .small)
            var refusal: JobStoreError?
            var next: JobID = 1
            while refusal == nil, next < 100_000 {
                do {
                    let batch = try JournalBatch.puts(next..<next + 20, bodyBytes: 700)
                    try journal.commit(batch)
                    next += 20
                } catch let error as JobStoreError {
                    refusal = error
                }
            }
            #expect(refusal?.code == .outOfSpace, "\(String(describing: refusal))")
            kept = Array(1..<next)
            #expect(try journal.ids == kept)
            // Another program takes the last of the room.
            try disk.fill()
            expectError(.outOfSpace) { try journal.commit(.puts(next..<next + 20, bodyBytes: 700)) }

            var changes = JournalBatch()
            for id in kept.prefix(200) { changes.update(id, try .sample(state: .buried)) }
            try journal.commit(changes)
            // In single commits and scattered, so that the log comes to its end many times.
            for id in kept where id % 3 == 0 { try journal.commit(.deletes([id], wasUpdated: id <= 200)) }
            kept.removeAll { $0 % 3 == 0 }
            #expect(try journal.ids == kept)
            #expect(try journal.replayAll().jobs.filter(\.isUpdated).count == kept.count { $0 <= 200 })
            let killed = try disk.copyOutside("store")
            #expect(try SQLiteJournal.open(directory: killed.path, limits: .small).ids == kept)

            try disk.makeRoom()
            try journal.commit(.puts(next..<next + 200, bodyBytes: 700))
            kept += Array(next..<next + 200)
            try disk.fill()
            try journal.close(nextID: next + 200)
        }
        // It opens on a full disk too.
        let journal = try SQLiteJournal.open(directory: path, durability: durability, limits: .small)
        #expect(try journal.ids == kept)
        try journal.commit(.deletes(kept.prefix(10)))
    }
}

/// A file system with little room, for as long as this lives.
final class TinyFileSystem {
    let path: String
    private let directory: TemporaryDirectory

    static let isPossible: Bool = {
        guard let disk = try? TinyFileSystem(megabytes: 1) else { return false }
        return !disk.path.isEmpty
    }()

    struct NotMounted: Error {}

    init(megabytes: Int) throws {
        directory = try TemporaryDirectory()
        path = directory.path
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else { throw NotMounted() }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    /// Takes all the room that is left, or so much of it.
    func fill(bytes: Int = .max) throws {
        let file = open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        #expect(file >= 0)
        defer { close(file) }
        let zeros = [UInt8](repeating: 0, count: 4096)
        var written = 0
        while written < bytes, write(file, zeros, zeros.count) > 0 { written += zeros.count }
        #expect(written == bytes || errno == ENOSPC)
    }

    /// Gives it back.
    func makeRoom() throws { #expect(unlink(path + "/filler") == 0) }

    func copyOutside(_ name: String) throws -> TemporaryDirectory {
        let copy = try TemporaryDirectory()
        for file in TemporaryDirectory.names(in: path + "/" + name) where file != "journal.lock" {
            try copy.write(file, try directory.read(name + "/" + file))
        }
        return copy
    }
}
