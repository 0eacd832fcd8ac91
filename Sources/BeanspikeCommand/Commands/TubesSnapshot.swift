import BeanspikeCore

/// The statistics of every tube at one moment.
struct TubesSnapshot {
    let tubes: [StatisticsTable]
    /// CLOCK_MONOTONIC, nanoseconds.
    let takenAt: UInt64

    init(tubes: [StatisticsTable], takenAt: UInt64) {
        self.tubes = tubes
        self.takenAt = takenAt
    }

    /// Asks the server; tubes that go meanwhile are left out.
    init(of connection: BeanstalkConnection) throws {
        var tables: [StatisticsTable] = []
        let names = try connection.tubes().filter { TubeName($0) != nil }.sorted()
        for start in stride(from: 0, to: names.count, by: BeanstalkConnection.batchCommandsMax) {
            let batch = names[start..<min(names.count, start + BeanstalkConnection.batchCommandsMax)]
            for reply in try connection.requests(batch.map { "stats-tube \($0)" }) where reply.name == "OK" {
                tables.append(StatisticsTable(reply.body ?? []))
            }
        }
        self.init(tubes: tables, takenAt: MonotonicTime.now)
    }
}
