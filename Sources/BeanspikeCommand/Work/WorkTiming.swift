/// When a worker touches its job, and when a job that failed is tried again.
enum WorkTiming {
    /// How often a job is touched while its command runs: three times in its time to run, so that one touch that is
    /// late does not lose it.
    static func touchInterval(ttrSeconds: UInt64) -> Duration {
        // Within what a clock can wait for: a fifth of a second to an hour.
        .milliseconds(
            Int64(min(max(ttrSeconds.multipliedReportingOverflow(by: 1_000).partialValue / 3, 200), 3_600_000))
        )
    }

    /// Seconds until a job is tried again.
    ///
    /// Doubles with each attempt, up to a most, and is cut by chance to between a half and all of that: jobs that
    /// failed together do not come back together.
    ///
    /// - Parameters:
    ///   - attempt: how many times the job has been reserved, 1 the first time.
    ///   - firstSeconds: the longest delay after the first attempt; 0 means none ever.
    ///   - mostSeconds: the longest delay ever.
    ///   - chance: from 0 to 1.
    /// - Returns: whole seconds, as the protocol has them; at least 1 unless `firstSeconds` or `mostSeconds` is 0.
    static func delaySeconds(attempt: UInt64, firstSeconds: UInt32, mostSeconds: UInt32, chance: Double) -> UInt32 {
        guard firstSeconds > 0, mostSeconds > 0 else { return 0 }
        let doublings = min(attempt > 0 ? attempt - 1 : 0, 32)
        let longest = min(Double(firstSeconds) * Double(UInt64(1) << doublings), Double(mostSeconds))
        let cut = longest * (0.5 + 0.5 * min(max(chance, 0), 1))
        return UInt32(max(1, cut.rounded()))
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
    /// Whole nanoseconds of a duration that is not negative.
    var nanoseconds: UInt64 {
        UInt64(components.seconds) * 1_000_000_000 + UInt64(components.attoseconds / 1_000_000_000)
    }
}
