import BeanspikeCore
import Testing

@testable import EmbeddedStore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A directory of its own for one test, removed with everything in it at the end.
final class TemporaryDirectory {
    let path: String

    init() throws {
        // In memory where that can be had: these tests commit often, and do not test the disk.
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(parent)/beanspike-journal-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
    }

    deinit {
        for name in names { unlink(path + "/" + name) }
        rmdir(path)
    }

    var names: [String] { Self.names(in: path) }

    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// What another process would find now if this one were killed: a copy of the files as they are.
    func copyAsAfterKill() throws -> TemporaryDirectory {
        let copy = try TemporaryDirectory()
        for name in names where name != "journal.lock" { try copy.write(name, try read(name)) }
        return copy
    }

    func read(_ name: String) throws -> [UInt8] {
        let file = try #require(fopen(path + "/" + name, "rb"))
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: ftell(file))
        rewind(file)
        #expect(fread(&bytes, 1, bytes.count, file) == bytes.count)
        return bytes
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = try #require(fopen(path + "/" + name, "wb"))
        defer { fclose(file) }
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    /// Bytes of all files, as `ls` would add them up.
    var bytes: Int64 {
        names.reduce(0) { sum, name in
            var status = stat()
            return stat(path + "/" + name, &status) == 0 ? sum + Int64(status.st_size) : sum
        }
    }

    func bytes(of name: String) -> Int64 {
        var status = stat()
        return stat(path + "/" + name, &status) == 0 ? Int64(status.st_size) : -1
    }
}

extension JournalLimits {
    /// Small, so that tests reach its bounds soon.
    static let small: JournalLimits = {
        var limits = JournalLimits()
        limits.logBytes = 1 << 20
        limits.fileChunkBytes = 64 << 10
        limits.fileSlackBytes = 64 << 10
        limits.cacheBytes = 1 << 20
        limits.freeBytesMax = 1 << 20
        limits.freeBytesKept = 256 << 10
        return limits
    }()
}

/// What a journal said of one job.
struct ReplayedJob: Equatable {
    var id: JobID
    var isUpdated: Bool
    var record: JournalRecord
    var body: [UInt8]
}

struct Undecodable: Error, CustomStringConvertible {
    var description: String { "its record cannot be read" }
}

extension Journal {
    func replayAll() throws -> (jobs: [ReplayedJob], nextID: JobID) {
        var decoder = JournalRecordDecoder()
        var jobs: [ReplayedJob] = []
        let next = try replay { id, isUpdated, record, body in
            guard let decoded = decoder.decode(record) else { throw Undecodable() }
            jobs.append(ReplayedJob(id: id, isUpdated: isUpdated, record: decoded, body: Array(body)))
        }
        return (jobs, next)
    }

    var ids: [JobID] { get throws { try replayAll().jobs.map(\.id) } }
}

extension JournalRecord {
    static func sample(
        state: JobState = .ready,
        priority: UInt32 = 1024,
        tube: String = "default",
        attributes: JobAttributes? = nil
    ) throws -> JournalRecord {
        var lifecycle = JobLifecycle(priority: priority, delaySeconds: 7, ttrSeconds: 60, now: .init(microseconds: 0))
        lifecycle.state = state
        lifecycle.deadline = .never
        lifecycle.reserves = 1
        lifecycle.timeouts = 2
        lifecycle.releases = 3
        lifecycle.buries = 4
        lifecycle.kicks = 5
        return JournalRecord(
            lifecycle: lifecycle,
            tube: try #require(TubeName(tube)),
            createdWallMilliseconds: 1_700_000_000_123,
            dueWallMilliseconds: state == .delayed ? 1_700_000_007_123 : 0,
            burialSequence: state == .buried ? 0x0102_0304_0506_0708 : 0,
            attributes: attributes
        )
    }
}

extension JournalBatch {
    mutating func put(_ id: JobID, _ record: JournalRecord, body: [UInt8]) {
        let range = record.encode(into: &bytes)
        puts.append(Put(id: id, record: range, body: ByteRange(offset: bytes.count, count: body.count)))
        bytes += body
    }

    mutating func update(_ id: JobID, _ record: JournalRecord) {
        updates.append(Update(id: id, record: record.encode(into: &bytes)))
    }

    mutating func update(_ id: JobID, _ record: JournalRecord, body: [UInt8]) {
        update(id, record)
        updates[updates.count - 1].body = body.withUnsafeBytes { append(body: $0) }
    }

    static func puts(_ ids: some Sequence<JobID>, bodyBytes: Int = 64) throws -> JournalBatch {
        var batch = JournalBatch()
        let record = try JournalRecord.sample()
        for id in ids {
            batch.put(id, record, body: [UInt8](repeating: UInt8(truncatingIfNeeded: id), count: bodyBytes))
        }
        return batch
    }

    static func deletes(_ ids: some Sequence<JobID>, wasUpdated: Bool = false) -> JournalBatch {
        var batch = JournalBatch()
        batch.deletes = ids.map { Delete(id: $0, wasUpdated: wasUpdated) }
        return batch
    }
}

/// A small generator whose runs can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

func expectError(
    _ code: JobStoreError.Code,
    mentions words: String...,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("no error where \(code) was expected", sourceLocation: sourceLocation)
    } catch let error as JobStoreError {
        #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
        for word in words {
            #expect(error.message.contains(word), "\(error.message)", sourceLocation: sourceLocation)
        }
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}
