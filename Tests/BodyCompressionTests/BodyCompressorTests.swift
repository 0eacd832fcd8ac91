import BeanspikeCore
import BodyCompression
import CLZ4
import Testing

@Suite("Bodies are compressed where that saves something")
struct BodyCompressorTests {
    private func compress(_ body: [UInt8], bodyBytesMin: Int = 2_048) -> (BodyForm, [UInt8]) {
        var bytes: [UInt8] = [7]
        let form = body.withUnsafeBytes { BodyCompressor(bodyBytesMin: bodyBytesMin).compress($0, into: &bytes) }
        #expect(bytes.first == 7)
        return (form, Array(bytes.dropFirst()))
    }

    private func decompress(_ stored: [UInt8], _ count: UInt32) throws -> [UInt8] {
        try stored.withUnsafeBytes { try BodyCompressor.decompress($0, originalBodyBytes: count) }
    }

    private func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in .random(in: 0...255) } }

    @Test("a long body of one letter is small and comes back", arguments: [2_048, 3_000, 102_400, 5_000_000])
    func repeated(count: Int) throws {
        let body = [UInt8](repeating: 82, count: count)
        let (form, stored) = compress(body)
        #expect(form == .compressed(originalBodyBytes: UInt32(count)))
        #expect(stored.count < count / 100)
        #expect(try decompress(stored, UInt32(count)) == body)
    }

    @Test("random bytes are stored as they came, and that is noted")
    func skipped() {
        let (form, stored) = compress(random(102_400))
        #expect(form == .skipped)
        #expect(stored.isEmpty)
    }

    @Test("short bodies are not tried")
    func short() {
        #expect(compress([UInt8](repeating: 82, count: 2_047)).0 == .plain)
        #expect(compress([]).0 == .plain)
        #expect(compress([1], bodyBytesMin: 1).0 == .skipped)
        #expect(compress([UInt8](repeating: 82, count: 200), bodyBytesMin: 0).0 == .compressed(originalBodyBytes: 200))
    }

    @Test("damaged bytes are an error, whatever they are")
    func damaged() throws {
        let (_, stored) = compress((0..<9_000).map { UInt8($0 / 40 & 255) })
        for _ in 0..<2_000 {
            var bytes = stored
            switch Int.random(in: 0..<3) {
            case 0: bytes.removeLast(.random(in: 1...bytes.count))
            case 1: bytes[.random(in: bytes.indices)] ^= UInt8.random(in: 1...255)
            default: bytes = random(.random(in: 0..<500))
            }
            // A changed byte may make another body of the same size; nothing else may come.
            if let body = try? decompress(bytes, 9_000) { #expect(body.count == 9_000) }
        }
        #expect(throws: JobStoreError.self) { try decompress(stored, 8_999) }
        #expect(throws: JobStoreError.self) { try decompress(stored, 9_001) }
        #expect(throws: JobStoreError.self) { try decompress([0], .max) }
        #expect(throws: JobStoreError.self) { try decompress(stored, UInt32(Limits.bodyBytesMaxCeiling)) }
        #expect(throws: JobStoreError.self) { try decompress([], 1) }
    }

    @Test("what fits LZ4 fits our limits")
    func limits() {
        #expect(Limits.bodyBytesMaxCeiling <= Int(LZ4_MAX_INPUT_SIZE))
    }
}
