import BeanspikeCore
import Testing

@testable import EmbeddedStore

@Suite("JournalRecord")
struct JournalRecordTests {
    static let attributes = JobAttributes(
        metadata: [0, 1, 255],
        timeOfBirthMilliseconds: -5,
        retries: 9,
        retryFlag: true,
        buryReason: "kaputt – «why»",
        originalBodyBytes: 4_000_000_000,
        isCompressionSkipped: true
    )

    func decode(_ bytes: [UInt8]) -> JournalRecord? {
        var decoder = JournalRecordDecoder()
        return bytes.withUnsafeBytes { decoder.decode($0) }
    }

    @Test("is the same after encoding and decoding", arguments: JobState.allCases)
    func roundTrip(state: JobState) throws {
        for tube in ["d", "default", String(repeating: "x", count: 200)] {
            for attributes in [nil, JobAttributes(), Self.attributes] {
                let record = try JournalRecord.sample(state: state, tube: tube, attributes: attributes)
                var bytes: [UInt8] = [1, 2, 3]
                let range = record.encode(into: &bytes)
                #expect(range == ByteRange(offset: 3, count: bytes.count - 3))
                #expect(decode(Array(bytes[3...])) == record)
            }
        }
    }

    @Test("has the layout of format version 1")
    func layout() throws {
        var bytes: [UInt8] = []
        try JournalRecord.sample(state: .buried, priority: 0x1122_3344, tube: "ab").encode(into: &bytes)
        #expect(
            bytes == [
                3, 0, 2, 0, 0x44, 0x33, 0x22, 0x11, 7, 0, 0, 0, 60, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0,
                0, 0,
                5, 0, 0, 0, 0x7b, 0x68, 0xe5, 0xcf, 0x8b, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1,
                97, 98,
            ]
        )
    }

    @Test("keeps what belongs to other states out")
    func normalizes() throws {
        var record = try JournalRecord.sample(state: .ready)
        record.dueWallMilliseconds = 5
        record.burialSequence = 6
        var bytes: [UInt8] = []
        record.encode(into: &bytes)
        #expect(decode(bytes) == (try JournalRecord.sample(state: .ready)))
    }

    @Test("is nil when any piece is missing or too much", arguments: [nil, JournalRecordTests.attributes])
    func lengths(attributes: JobAttributes?) throws {
        var bytes: [UInt8] = []
        try JournalRecord.sample(state: .delayed, attributes: attributes).encode(into: &bytes)
        for count in 0..<bytes.count { #expect(decode(Array(bytes.prefix(count))) == nil) }
        #expect(decode(bytes + [0]) == nil)
    }

    @Test("is nil when a field breaks a rule")
    func fields() throws {
        var good: [UInt8] = []
        try JournalRecord.sample(state: .ready, attributes: Self.attributes).encode(into: &good)
        let name = JournalRecord.fixedBytes
        let flags = name + 7 + 12
        for (offset, value) in [(0, 4), (1, 3), (2, 0), (3, 1), (44, 1), (52, 1), (name, 32), (name, 45), (flags, 4)] {
            var bytes = good
            bytes[offset] = UInt8(value)
            #expect(decode(bytes) == nil, "byte \(offset)")
        }
        var bytes = good
        bytes[bytes.count - 1] = 0xff  // not UTF-8
        #expect(decode(bytes) == nil)
    }

    @Test("survives any bytes", arguments: [1, 2, 3] as [UInt64])
    func fuzz(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var decoder = JournalRecordDecoder()
        var good: [UInt8] = []
        try JournalRecord.sample(state: .buried, attributes: Self.attributes).encode(into: &good)
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0...3, using: &random))
            // What is accepted says the same when it is written again.
            guard let record = bytes.withUnsafeBytes({ decoder.decode($0) }) else { continue }
            var again: [UInt8] = []
            record.encode(into: &again)
            #expect(again == bytes, "seed \(seed)")
        }
    }

    @Test("names that share a place are told apart")
    func manyNames() throws {
        var decoder = JournalRecordDecoder()
        for _ in 0..<2 {
            for index in 0..<2_000 {
                let record = try JournalRecord.sample(tube: "tube-\(index)")
                var bytes: [UInt8] = []
                record.encode(into: &bytes)
                #expect(bytes.withUnsafeBytes { decoder.decode($0) } == record)
            }
        }
    }
}
