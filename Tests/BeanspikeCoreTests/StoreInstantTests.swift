import BeanspikeCore
import Testing

/// Arithmetic with instants, and the machine's clocks.
@Suite struct StoreInstantTests {
    @Test func arithmetic() {
        let start = StoreInstant(microseconds: 1_500_000)
        #expect(start.advanced(bySeconds: 0) == start)
        #expect(start.advanced(bySeconds: 2).microseconds == 3_500_000)
        #expect(start.advanced(bySeconds: .max).microseconds == 4_294_967_295_000_000 + 1_500_000)
        #expect(start.advanced(byMicroseconds: 250).microseconds == 1_500_250)
        #expect(start.advanced(byMicroseconds: -250).microseconds == 1_499_750)
        #expect(start.advanced(byMicroseconds: .max) == .never)
        #expect(StoreInstant.never.advanced(byMicroseconds: 1) == .never)
    }

    @Test func wholeSecondsBetween() {
        let start = StoreInstant(microseconds: 10)
        #expect(StoreInstant(microseconds: 1_000_009).seconds(since: start) == 0)
        #expect(StoreInstant(microseconds: 1_000_010).seconds(since: start) == 1)
        #expect(StoreInstant(microseconds: 5_999_999).seconds(since: start) == 5)
        #expect(start.seconds(since: StoreInstant(microseconds: 9_000_000)) == 0)
    }

    @Test func order() {
        #expect(StoreInstant(microseconds: -1) < StoreInstant(microseconds: 0))
        #expect(StoreInstant(microseconds: 1) > StoreInstant(microseconds: 0))
        #expect(StoreInstant(microseconds: .max - 1) < .never)
        #expect(!(StoreInstant.never < .never))
    }

    @Test func theMachinesClocksRun() {
        let clock = SystemClock()
        let first = clock.now()
        #expect(clock.now() >= first)
        // After 2020 and before the year 2200: milliseconds, and since 1970.
        #expect((1_577_836_800_000...7_258_118_400_000).contains(clock.wallMilliseconds()))
    }
}
