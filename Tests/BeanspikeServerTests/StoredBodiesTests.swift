import BeanspikeCore
import Testing

@testable import BeanspikeServer

@Suite("Bodies are compressed, and whole again, unseen by clients")
struct StoredBodiesTests {
    private func put(_ offset: Int, _ count: Int) -> Command {
        .put(priority: 1, delaySeconds: 2, ttrSeconds: 3, body: ByteRange(offset: offset, count: count))
    }

    @Test("what is long enough is compressed, all else goes on as it came")
    func compress() throws {
        let small = [UInt8](repeating: 1, count: 100)
        let large = [UInt8](repeating: 2, count: 10_000)
        let noise = (0..<10_000).map { _ in UInt8.random(in: 0...255) }
        let bytes = small + large + noise
        let commands = [put(0, 100), .reserve(.none), put(100, 10_000), put(10_100, 10_000)]
        var seen: [Command] = []
        var stored: [UInt8] = []
        bytes.withUnsafeBytes { bytes in
            StoredBodies.compress(commands, bytes) {
                seen = $0
                stored = Array($1)
            }
        }
        try #require(seen.count == 4)
        let ranges = seen.compactMap(\.body)
        #expect(Array(stored[ranges[0].offset..<ranges[0].offset + ranges[0].count]) == small)
        #expect(ranges[1].count < 200)
        #expect(Array(stored[ranges[2].offset..<ranges[2].offset + ranges[2].count]) == noise)
        guard case .put(1, 2, 3, _, nil) = seen[0], case .put(1, 2, 3, let range, let attributes?) = seen[2],
            case .put(1, 2, 3, _, let skipped?) = seen[3]
        else {
            Issue.record("\(seen)")
            return
        }
        #expect(attributes.form == .compressed(originalBodyBytes: 10_000))
        #expect(skipped.form == .skipped)
        let view = JobView(
            id: 9,
            body: range,
            priority: 1,
            ttrSeconds: 3,
            reserves: 1,
            attributes: attributes
        )
        let reply = Reply.reserved(view)
        let job = try #require(reply.compressedJob)
        let (whole, body) = StoredBodies.decompress(reply, job, stored)
        #expect(body == large)
        #expect(whole.body == ByteRange(offset: 0, count: 10_000))
    }

    @Test("a damaged body is a failure")
    func damaged() throws {
        let view = JobView(
            id: 9,
            body: ByteRange(offset: 0, count: 3),
            priority: 1,
            ttrSeconds: 3,
            reserves: 1,
            attributes: JobAttributes(originalBodyBytes: 500)
        )
        let (whole, _) = StoredBodies.decompress(.found(view), view, [1, 2, 3])
        guard case .failed = whole else {
            Issue.record("\(whole)")
            return
        }
    }
}
