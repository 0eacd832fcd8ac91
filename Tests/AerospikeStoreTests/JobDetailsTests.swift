import BeanspikeCore
import NIOCore
import JobStoreTestKit
import Testing

@testable import AerospikeStore

@Suite
struct JobDetailsTests {
    @Test(arguments: 0..<200)
    func areReadAsWritten(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let details = Self.details(&random)
        var buffer = ByteBuffer(string: "before")
        details.encode(into: &buffer, count: details.encodedCount)
        #expect(buffer.readString(length: 6) == "before")
        #expect(buffer.readableBytes == details.encodedCount)
        #expect(JobDetails(buffer) == details)
        // Cut anywhere but in the body, they are none.
        let head = buffer.readableBytes - details.body.count
        for count in 0..<max(0, head) {
            #expect(JobDetails(buffer.getSlice(at: buffer.readerIndex, length: count) ?? ByteBuffer()) == nil)
        }
    }

    private static func details(_ random: inout SeededGenerator) -> JobDetails {
        func number() -> UInt32 { .random(in: 0 ... .max, using: &random) >> UInt32.random(in: 0...32, using: &random) }
        let bytes = (0..<Int.random(in: 0...300, using: &random)).map { UInt8(truncatingIfNeeded: $0) }
        var details = JobDetails(
            priority: number(),
            ttrSeconds: number(),
            delaySeconds: number(),
            putMilliseconds: .random(in: -5 ... .max, using: &random),
            attributes: nil,
            body: .inline(ByteBuffer(bytes: bytes))
        )
        if Bool.random(using: &random) {
            (details.reserves, details.timeouts, details.kicks) = (number(), number(), number())
            (details.releases, details.buries) = (number(), number())
        }
        if Bool.random(using: &random) {
            details.attributes = JobAttributes(
                metadata: Array(bytes.prefix(Int.random(in: 0...200, using: &random))),
                timeOfBirthMilliseconds: .random(in: -1 ... .max, using: &random),
                retries: number(),
                retryFlag: Bool.random(using: &random),
                buryReason: String(repeating: "ü", count: Int.random(in: 0...99, using: &random)),
                originalBodyBytes: number(),
                isCompressionSkipped: Bool.random(using: &random)
            )
        }
        return details
    }
}
