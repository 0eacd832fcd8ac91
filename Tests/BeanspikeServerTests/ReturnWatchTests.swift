import Testing

@testable import BeanspikeServer

/// Whether a commit waits for clients that were just answered.
@Suite struct ReturnWatchTests {
    private let patience = ReturnWatch.patienceNanoseconds

    @Test func nobodyIsWaitedForWhereNobodyWasAnswered() {
        var watch = ReturnWatch()
        let waits1 = watch.shouldWait(now: 0)
        #expect(!waits1)
    }

    @Test func itWaitsUntilAllAreBack() {
        var watch = ReturnWatch()
        watch.answered(now: 0)
        watch.answered(now: 0)
        watch.returned(now: 1)
        let waits2 = watch.shouldWait(now: 1)
        #expect(waits2)
        watch.returned(now: 2)
        let waits3 = watch.shouldWait(now: 2)
        #expect(!waits3)
    }

    @Test func aSignOfLifeRenewsItsPatienceWithinTheWindow() {
        var watch = ReturnWatch()
        for _ in 0..<3 { watch.answered(now: 0) }
        let waits4 = watch.shouldWait(now: 0)
        #expect(waits4)
        watch.returned(now: patience)
        let waits5 = watch.shouldWait(now: 2 * patience)
        #expect(waits5)
        watch.returned(now: ReturnWatch.windowNanoseconds)
        let waits6 = watch.shouldWait(now: ReturnWatch.windowNanoseconds + 1)
        #expect(!waits6)
    }

    @Test func whoDoesNotComeBackIsForgottenWithTheGeneration() {
        var watch = ReturnWatch()
        let before = watch.generation
        watch.answered(now: 0)
        let waits7 = watch.shouldWait(now: 0)
        #expect(waits7)
        let waits8 = watch.shouldWait(now: patience + 1)
        #expect(!waits8)
        #expect(watch.generation != before)
    }

    @Test func aWaitInVainMakesItWaitLessOften() {
        var watch = ReturnWatch()
        var now: UInt64 = 0
        var waits = 0
        for _ in 0..<1_000 {
            now += 10 * patience
            watch.answered(now: now)
            if watch.shouldWait(now: now) {
                waits += 1
                now += patience + 1
                let waits9 = watch.shouldWait(now: now)
                #expect(!waits9)
            }
        }
        #expect((1...12).contains(waits))
    }
}
