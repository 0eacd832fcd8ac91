import Histogram

/// What one phase of a benchmark has counted so far.
struct LoadTally {
    /// Units begun and not yet to be begun.
    var unitsLeft: Int
    /// Units whose last command was answered as it should be.
    var unitsDone = 0
    /// Commands answered, well or not.
    var replies = 0
    /// Reserves that found nothing.
    var emptyReserves = 0
    /// Replies that were no success, by their line.
    var errors: [String: Int] = [:]
    /// Latencies in nanoseconds, by command.
    var latencies: [Histogram<UInt64>]

    /// Latencies above this are counted as this: 100 s.
    static let latencyMax: UInt64 = 100_000_000_000
    /// Distinct error lines that are told apart.
    static let errorLinesMax = 32

    init(units: Int) {
        unitsLeft = units
        latencies = LoadCommand.allCases.map { _ in Self.histogram() }
    }

    /// An empty histogram; 64 ns is what it can tell apart.
    static func histogram() -> Histogram<UInt64> {
        Histogram(
            lowestDiscernibleValue: 64,
            highestTrackableValue: latencyMax,
            numberOfSignificantValueDigits: .three
        )
    }

    /// Counts a reply that was no success.
    mutating func count(error line: String) {
        let known = errors[line] != nil || errors.count < Self.errorLinesMax
        errors[known ? line : "(other replies)", default: 0] += 1
    }

    /// All latencies, whatever the command.
    var latency: Histogram<UInt64> {
        var sum = Self.histogram()
        for one in latencies where one.totalCount > 0 { sum.add(one) }
        return sum
    }
}
