import Testing

@testable import BeanspikeCommand

@Suite struct WorkTimingTests {
    @Test func theDelayDoublesUpToTheMost() {
        let delays = (1...8).map {
            WorkTiming.delaySeconds(attempt: $0, firstSeconds: 2, mostSeconds: 100, chance: 1)
        }
        #expect(delays == [2, 4, 8, 16, 32, 64, 100, 100])
    }

    @Test func chanceCutsTheDelayToBetweenHalfAndAll() {
        func delay(_ chance: Double) -> UInt32 {
            WorkTiming.delaySeconds(attempt: 5, firstSeconds: 10, mostSeconds: 3_600, chance: chance)
        }
        #expect(delay(0) == 80)
        #expect(delay(0.5) == 120)
        #expect(delay(1) == 160)
        #expect(delay(-5) == 80)
        #expect(delay(5) == 160)
    }

    @Test func aJobIsNeverTriedAgainAtOnceUnlessAsked() {
        #expect(WorkTiming.delaySeconds(attempt: 1, firstSeconds: 1, mostSeconds: 1, chance: 0) == 1)
        #expect(WorkTiming.delaySeconds(attempt: 9, firstSeconds: 0, mostSeconds: 3_600, chance: 1) == 0)
        #expect(WorkTiming.delaySeconds(attempt: 9, firstSeconds: 1, mostSeconds: 0, chance: 1) == 0)
    }

    @Test(arguments: [UInt64(0), 64, 65, 1_000_000, .max])
    func noAttemptOverflows(attempt: UInt64) {
        let delay = WorkTiming.delaySeconds(attempt: attempt, firstSeconds: .max, mostSeconds: .max, chance: 1)
        #expect(delay == .max)
    }

    @Test func aJobIsTouchedThreeTimesInItsTimeToRun() {
        #expect(WorkTiming.touchInterval(ttrSeconds: 60) == .seconds(20))
        #expect(WorkTiming.touchInterval(ttrSeconds: 1) == .milliseconds(333))
        #expect(WorkTiming.touchInterval(ttrSeconds: 0) == .milliseconds(200))
        #expect(WorkTiming.touchInterval(ttrSeconds: 4_294_967_295) == .seconds(3_600))
        #expect(WorkTiming.touchInterval(ttrSeconds: .max) <= .seconds(3_600))
    }
}
