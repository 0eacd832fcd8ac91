import Testing

@testable import Beanspike

/// What a worker decides, without a worker.
@Suite struct WorkerValueTests {
    /// Always the same chance.
    private struct Fixed: RandomNumberGenerator {
        var value: UInt64
        mutating func next() -> UInt64 { value }
    }

    @Test func pausesGrowUpToABound() {
        let policy = RetryPolicy(
            attemptsMax: 6,
            firstDelay: .seconds(2),
            multiplier: 3,
            delayMax: .seconds(40),
            jitter: 0
        )
        var chance = Fixed(value: 0)
        let decisions = (1...7).map { policy.decision(attempt: $0, using: &chance) }
        #expect(
            decisions == [
                .retry(after: .seconds(2)), .retry(after: .seconds(6)), .retry(after: .seconds(18)),
                .retry(after: .seconds(40)), .retry(after: .seconds(40)), .bury, .bury,
            ]
        )
    }

    @Test func jitterStaysWithinItsPart() {
        let policy = RetryPolicy(firstDelay: .seconds(10), delayMax: .seconds(3_600), jitter: 0.5)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            guard case .retry(let delay) = policy.decision(attempt: 1, using: &generator) else {
                Issue.record("buried")
                return
            }
            #expect(delay >= .seconds(5) && delay <= .seconds(15))
        }
    }

    @Test func aPolicyMakesSenseOfAnyNumbers() {
        let policy = RetryPolicy(attemptsMax: -1, firstDelay: .seconds(-5), multiplier: 0, delayMax: .zero, jitter: 9)
        var generator = SystemRandomNumberGenerator()
        #expect(policy.decision(attempt: 1, using: &generator) == .bury)
        #expect(policy.delay(afterAttempt: 1_000_000) == .zero)
        #expect(RetryPolicy().delay(afterAttempt: .max) == .seconds(3_600))
    }

    @Test func turnsFollowTheWeights() {
        var turns = WeightedTurns(weights: [5, 1, 1])
        let firsts = (0..<7).map { _ in turns.next()[0] }
        #expect(firsts == [0, 0, 1, 0, 2, 0, 0])
        var single = WeightedTurns(weights: [0])
        #expect(single.next() == [0])
        var two = WeightedTurns(weights: [1, 3])
        #expect(Set((0..<8).map { _ in two.next() }.map { Set($0) }) == [[0, 1]])
    }

    @Test func jobsAreTouchedAfterAFractionOfTheirTime() {
        #expect(TouchPlan(timeToRun: nil, fraction: 0.5).interval == nil)
        #expect(TouchPlan(timeToRun: .seconds(60), fraction: 0.5).interval == .seconds(30))
        #expect(TouchPlan(timeToRun: .seconds(60), fraction: 7).interval == .seconds(54))
        #expect(TouchPlan(timeToRun: .seconds(60), fraction: 0).interval == .seconds(3))
    }

    @Test func aPutIsTriedAgainWhereThatMakesSense() {
        let retries = PutRetries(attemptsMax: 3, firstPause: .milliseconds(10), multiplier: 5)
        let failed = BeanspikeError(.writeFailed, "")
        #expect(retries.pause(after: failed, attempts: 1) == .milliseconds(10))
        #expect(retries.pause(after: failed, attempts: 2) == .milliseconds(50))
        #expect(retries.pause(after: failed, attempts: 3) == nil)
        #expect(retries.pause(after: BeanspikeError(.limitReached, ""), attempts: 1) == nil)
        #expect(retries.pause(after: BeanspikeError(.writeFailed, "", inDoubt: true), attempts: 1) == nil)
        #expect(
            PutRetries(repeatsInDoubt: true).pause(after: BeanspikeError(.writeFailed, "", inDoubt: true), attempts: 1)
                != nil
        )
        #expect(PutRetries.none.pause(after: failed, attempts: 1) == nil)
    }

    @Test(arguments: [
        JobMetadata(text: ""), JobMetadata(text: "metadata"), JobMetadata(text: "\0\u{1}odd"),
        JobMetadata(text: "größer"),
        JobMetadata(text: "", context: ["traceparent": "00-1-2-03"]),
        JobMetadata(text: "text", context: ["a": "", "b": "2"]),
    ])
    func metadataComesBack(metadata: JobMetadata) {
        #expect(JobMetadata(metadata.encoded) == metadata)
        if metadata.context.isEmpty, metadata.text.utf8.first != 0 {
            #expect(metadata.encoded == Array(metadata.text.utf8))
        }
    }

    @Test func metadataOfAnyBytesIsText() {
        for _ in 0..<2_000 {
            let bytes = [0, 1] + (0..<Int.random(in: 0..<20)).map { _ in UInt8.random(in: 0...9) }
            _ = JobMetadata(bytes)
        }
        #expect(JobMetadata([0, 1, 0]).text == "\0\u{1}\0")
        #expect(JobMetadata([255, 65]).text.hasSuffix("A"))
    }
}
