import Histogram

/// What a benchmark found, and how it is told.
struct BenchReport {
    /// The rounds of one workload on one server.
    struct Series {
        let workload: Workload
        let inFlight: Int
        let server: Int
        /// One figure a round: jobs a second, or bytes a job for ``Workload/memory``.
        var figures: [Double] = []
        var jobs = 0
        var nanoseconds: UInt64 = 0
        var generatorCPUNanoseconds: UInt64 = 0
        var serverCPUNanoseconds: UInt64?
        /// By ``LoadCommand``.
        var latencies = LoadCommand.allCases.map { _ in LoadTally.histogram() }

        /// Latencies of whatever commands.
        var latency: Histogram<UInt64> {
            var sum = LoadTally.histogram()
            for one in latencies where one.totalCount > 0 { sum.add(one) }
            return sum
        }
    }

    let plan: BenchPlan
    private(set) var series: [Series] = []
    /// Replies that were no success, by server.
    private(set) var errors: [[String: Int]]

    static let percentiles: [(name: String, value: Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("max", 100),
    ]

    init(_ plan: BenchPlan) {
        self.plan = plan
        errors = plan.servers.map { _ in [:] }
    }

    /// Replies that were no success.
    var errorCount: Int { errors.reduce(0) { $0 + $1.values.reduce(0, +) } }

    mutating func add(_ measured: BenchRun.Measurement, _ workload: Workload, server: Int, inFlight: Int) {
        countErrors(of: measured, server: server)
        add(measured, workload, server: server, inFlight: inFlight, figure: measured.outcome.rate)
    }

    mutating func addMemory(
        _ measured: BenchRun.Measurement,
        before: UInt64,
        after: UInt64,
        server: Int,
        inFlight: Int
    ) {
        countErrors(of: measured, server: server)
        let bytes = (Double(after) - Double(before)) / Double(max(1, measured.outcome.tally.unitsDone))
        add(measured, .memory, server: server, inFlight: inFlight, figure: bytes)
    }

    mutating func countErrors(of measured: BenchRun.Measurement, server: Int) {
        errors[server].merge(measured.outcome.tally.errors, uniquingKeysWith: +)
    }

    private mutating func add(
        _ measured: BenchRun.Measurement,
        _ workload: Workload,
        server: Int,
        inFlight: Int,
        figure: Double
    ) {
        // What only filled or emptied the tube for another workload is not reported.
        guard plan.workloads.contains(workload) else { return }
        let place = series.firstIndex {
            $0.workload == workload && $0.inFlight == inFlight && $0.server == server
        }
        var one = place.map { series[$0] } ?? Series(workload: workload, inFlight: inFlight, server: server)
        one.figures.append(figure)
        one.jobs += measured.outcome.tally.unitsDone
        one.nanoseconds += measured.outcome.nanoseconds
        one.generatorCPUNanoseconds += measured.outcome.ownCPUNanoseconds
        if let spent = measured.serverCPUNanoseconds {
            one.serverCPUNanoseconds = (one.serverCPUNanoseconds ?? 0) + spent
        }
        for (index, latency) in measured.outcome.tally.latencies.enumerated() where latency.totalCount > 0 {
            one.latencies[index].add(latency)
        }
        if let place { series[place] = one } else { series.append(one) }
    }

    /// The series that are compared with each other: the same workload and window, in the servers' order.
    var groups: [[Series]] {
        var seen: [(Workload, Int)] = []
        for one in series where !seen.contains(where: { $0 == (one.workload, one.inFlight) }) {
            seen.append((one.workload, one.inFlight))
        }
        return seen.map { key in
            series.filter { ($0.workload, $0.inFlight) == key }.sorted { $0.server < $1.server }
        }
    }

    /// The first server's figure over another's, round by round.
    static func ratios(_ first: Series, _ other: Series) -> [Double] {
        zip(first.figures, other.figures).map { $1 == 0 ? .infinity : $0 / $1 }
    }
}
