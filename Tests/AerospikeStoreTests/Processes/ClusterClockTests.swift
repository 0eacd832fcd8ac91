import NIOCore
import Testing

@testable import AerospikeStore

struct ClusterClockTests {
    private func at(milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(0) + .milliseconds(milliseconds)
    }

    @Test func takesTheMiddleOfTheRoundTrip() {
        // The node's clock is 1,000,000 ms ahead and shows whole milliseconds, so it was from 1000050 to 1000051.
        let clock = ClusterClock(
            milliseconds: 1_000_050,
            sentAt: at(milliseconds: 40),
            receivedAt: at(milliseconds: 60)
        )
        #expect(clock.nowMilliseconds(at: at(milliseconds: 60)) == 1_000_060)
        #expect(clock.nowMilliseconds(at: at(milliseconds: 1_060)) == 1_001_060)
        #expect(clock.deadline(atMilliseconds: 1_001_060) <= at(milliseconds: 1_060))
        #expect(clock.deadline(atMilliseconds: 1_001_060) > at(milliseconds: 1_058))
    }

    @Test func aFastAnswerCorrectsASlowOne() {
        var clock = ClusterClock(
            milliseconds: 1_000_000,
            sentAt: at(milliseconds: 0),
            receivedAt: at(milliseconds: 500)
        )
        // It was asked at 0 and answered at once; the answer took half a second.
        #expect(clock.nowMilliseconds(at: at(milliseconds: 500)) == 1_000_250)
        clock.sample(milliseconds: 1_000_600, sentAt: at(milliseconds: 600), receivedAt: at(milliseconds: 600))
        #expect(clock.nowMilliseconds(at: at(milliseconds: 700)) == 1_000_700)
        // A slow one afterwards changes nothing.
        clock.sample(milliseconds: 1_000_800, sentAt: at(milliseconds: 800), receivedAt: at(milliseconds: 1_800))
        #expect(abs(clock.nowMilliseconds(at: at(milliseconds: 1_900)) - 1_001_900) <= 1)
    }

    @Test func neverStepsBackWhenANodeWithAnEarlierClockTakesOver() {
        var clock = ClusterClock(milliseconds: 1_000_000, sentAt: at(milliseconds: 0), receivedAt: at(milliseconds: 0))
        #expect(clock.nowMilliseconds(at: at(milliseconds: 1_000)) == 1_001_000)
        clock.sample(milliseconds: 971_000, sentAt: at(milliseconds: 1_000), receivedAt: at(milliseconds: 1_000))
        #expect(clock.nowMilliseconds(at: at(milliseconds: 1_000)) == 1_001_000)
        #expect(clock.nowMilliseconds(at: at(milliseconds: 30_000)) == 1_001_000)
        #expect(clock.nowMilliseconds(at: at(milliseconds: 32_000)) == 1_002_000)
    }

    @Test func followsTwoClocksThatDriftApart() {
        var clock = ClusterClock(milliseconds: 1_000_000, sentAt: at(milliseconds: 0), receivedAt: at(milliseconds: 1))
        // The node's clock is 100 ppm faster.
        for second in 1...10_000 as ClosedRange<Int64> {
            let here = second * 1_000
            let there = 1_000_000 + here + here / 10_000
            clock.sample(milliseconds: there, sentAt: at(milliseconds: here), receivedAt: at(milliseconds: here + 1))
            #expect(abs(clock.nowMilliseconds(at: at(milliseconds: here)) - there) <= 2)
        }
    }

    @Test(arguments: [Int64.min, -1, 0, 1, .max]) func survivesNonsense(_ milliseconds: Int64) {
        var clock = ClusterClock(milliseconds: milliseconds, sentAt: .now(), receivedAt: .now())
        clock.sample(milliseconds: milliseconds, sentAt: .distantFuture, receivedAt: .now())
        clock.sample(milliseconds: 5, sentAt: .now(), receivedAt: .distantFuture)
        let first = clock.nowMilliseconds(at: .now())
        #expect(clock.nowMilliseconds(at: .distantFuture) >= first)
        _ = clock.deadline(atMilliseconds: milliseconds)
    }
}
