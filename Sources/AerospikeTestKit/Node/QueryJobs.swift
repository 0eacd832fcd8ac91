import Aerospike

/// The queries that a node has answered, the last hundred of them, as it tells of them
/// (aerospike-server 8.1, query/query_job.c; query-max-done).
package struct QueryJobs: Sendable {
    /// How many are remembered.
    private static let countMax = 100

    private struct Job: Sendable {
        var taskID: UInt64
        var description: String
        var endedNanoseconds: Int64
    }

    private var jobs: [Job] = []

    package init() {}

    /// Remembers a query that is done; only those that have a number.
    mutating func note(
        _ query: QueryMessage,
        namespace: String,
        changeCount: Int,
        from client: String,
        nowNanoseconds: Int64
    ) {
        guard query.taskID != 0 else { return }
        var parts = ["ns=\(namespace)"]
        if !query.setName.isEmpty {
            parts.append("set=\(query.setName)")
        }
        if let index = query.range?.indexName {
            parts.append("sindex-name=\(index)")
        }
        if let partitions = query.partitions {
            parts.append("n-pids-requested=\(partitions.count { $0.resumption == nil })")
            parts.append("n-keyds-requested=\(partitions.count { $0.resumption != nil })")
        }
        parts += ["rps=0", "active-threads=0", "status=done(ok)", "job-progress=100.00", "run-time=0"]
        jobs.append(
            Job(
                taskID: query.taskID,
                description: parts.joined(separator: ":") + """
                    :time-since-done=\(QueryJobs.timePlace):recs-throttled=0:recs-filtered-meta=0:\
                    recs-filtered-bins=0:recs-succeeded=\(changeCount):recs-failed=0:\
                    from=\(client.replacing(":", with: "+")):job-type=\(query.purpose.jobType):net-io-bytes=30:\
                    socket-timeout=10000
                    """,
                endedNanoseconds: nowNanoseconds
            )
        )
        if jobs.count > QueryJobs.countMax {
            jobs.removeFirst()
        }
    }

    private static let timePlace = "%"

    /// What is told of one; nil if it is not remembered.
    func describe(_ taskID: UInt64, nowNanoseconds: Int64) -> String? {
        jobs.last { $0.taskID == taskID }.map { describe($0, nowNanoseconds) }
    }

    /// What is told of all.
    func describeAll(nowNanoseconds: Int64) -> String {
        jobs.map { describe($0, nowNanoseconds) }.joined(separator: ";")
    }

    private func describe(_ job: Job, _ nowNanoseconds: Int64) -> String {
        let milliseconds = max(0, nowNanoseconds &- job.endedNanoseconds) / 1_000_000
        return "trid=\(job.taskID):"
            + job.description.replacing(
                "time-since-done=\(QueryJobs.timePlace)",
                with: "time-since-done=\(milliseconds)"
            )
    }
}

extension QueryMessage.Purpose {
    fileprivate var jobType: String {
        switch self {
        case .records: "basic"
        case .operations: "background-ops"
        case .program: "background-udf"
        }
    }
}
