import BeanspikeCore
import Testing

/// Relations between limits.
@Suite struct LimitsTests {
    @Test func areConsistent() {
        #expect(Limits.areConsistent)
    }

    @Test func areWhatClientsKnow() {
        #expect(Limits.commandLineBytesMax == 224)
        #expect(Limits.tubeNameBytesMax == 200)
        #expect(Limits.bodyBytesMaxDefault == 65_535)
        #expect(Limits.urgentPriorityBelow == 1_024)
        #expect(Limits.deadlineMargin == .seconds(1))
        #expect(Limits.jobIDBound == 9_007_199_254_740_992)
    }
}

/// Copies of attributes and what counts.
@Suite struct JobAttributesTests {
    private let full = JobAttributes(
        metadata: [1, 2],
        timeOfBirthMilliseconds: 3,
        retries: 4,
        retryFlag: true,
        buryReason: "five",
        originalBodyBytes: 6,
        isCompressionSkipped: true
    )

    @Test func aCopyChangesNothingElse() {
        let buried = full.with(buryReason: "six")
        #expect(buried.buryReason == "six")
        #expect(buried.with(buryReason: "five") == full)
        let retried = full.with(retries: 9, retryFlag: false)
        #expect(retried.retries == 9)
        #expect(!retried.retryFlag)
        #expect(retried.with(retries: 4, retryFlag: true) == full)
    }

    @Test func everyFieldCounts() {
        let plain = JobAttributes()
        #expect(plain == JobAttributes())
        #expect(plain != JobAttributes(metadata: [0]))
        #expect(plain != JobAttributes(timeOfBirthMilliseconds: 1))
        #expect(plain != JobAttributes(retries: 1))
        #expect(plain != JobAttributes(retryFlag: true))
        #expect(plain != JobAttributes(buryReason: "x"))
        #expect(plain != JobAttributes(originalBodyBytes: 1))
        #expect(plain != JobAttributes(isCompressionSkipped: true))
        #expect(JobAttributes(originalBodyBytes: 1).isCompressed)
        #expect(!plain.isCompressed)
    }

    @Test func presentJobsAreThoseInAState() {
        var counts = JobCounts()
        (counts.urgent, counts.ready, counts.reserved, counts.delayed, counts.buried) = (1, 2, 4, 8, 16)
        (counts.total, counts.deleted) = (100, 200)
        #expect(counts.present == 30)
    }
}

/// Batches of replies and the bodies in them.
@Suite struct ReplyBatchTests {
    @Test func bodiesLieBehindEachOther() {
        var batch = ReplyBatch()
        let first = [UInt8]([1, 2, 3]).withUnsafeBytes { batch.append(body: $0) }
        let empty = [UInt8]().withUnsafeBytes { batch.append(body: $0) }
        let second = [UInt8]([4]).withUnsafeBytes { batch.append(body: $0) }
        #expect(first == ByteRange(offset: 0, count: 3))
        #expect(empty == ByteRange(offset: 3, count: 0))
        #expect(second == ByteRange(offset: 3, count: 1))
        #expect(batch.bytes == [1, 2, 3, 4])
        batch.append(.deleted, session: 7)
        #expect(batch.entries.map(\.session) == [7])
        batch.removeAll()
        #expect(batch.entries.isEmpty)
        #expect(batch.bytes.isEmpty)
    }
}
