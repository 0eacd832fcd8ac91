/// How far a query that runs in the background has come on one node.
public struct BackgroundProgress: Sendable, Hashable {
    /// Whether the node is done with it.
    public var isDone: Bool
    /// How much of the node's records has been looked through, in percent.
    public var percent: Double
    /// How many records were changed.
    public var succeededCount: Int
    /// How many records failed; the node's log tells why.
    public var failedCount: Int

    /// A node that knows nothing of the query: it was done long ago, or before a restart.
    static let forgotten = BackgroundProgress(isDone: true, percent: 100, succeededCount: 0, failedCount: 0)

    /// The command that asks for the progress.
    package static func command(taskID: UInt64, _ version: ServerVersion) throws(AerospikeError) -> InfoCommand {
        try InfoCommand("query-show", [version >= IndexDefinition.newCommands ? "id" : "trid": "\(taskID)"])
    }

    /// Reads the answer (aerospike-server 8.1, query/query_job.c, `as_query_job_info`).
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/queryAborted``, or another that the node answered.
    package init(parsing text: String) throws(AerospikeError) {
        if let error = InfoMessage.error(in: text) {
            guard error.code == .notFound else { throw error }
            self = .forgotten
            return
        }
        let pairs = InfoPairs(text, separator: ":")
        guard let status = pairs["status"] else { throw .malformed("the progress of a query without a status") }
        isDone = status.hasPrefix("done")
        guard status.hasSuffix("(ok)") || !isDone else {
            throw AerospikeError(.queryAborted, "The query's end is \(status).", inDoubt: true)
        }
        percent = pairs["job-progress"].flatMap { Double($0) } ?? (isDone ? 100 : 0)
        succeededCount = pairs["recs-succeeded"].flatMap { Int($0) } ?? 0
        failedCount = pairs["recs-failed"].flatMap { Int($0) } ?? 0
    }

    init(isDone: Bool, percent: Double, succeededCount: Int, failedCount: Int) {
        self.isDone = isDone
        self.percent = percent
        self.succeededCount = succeededCount
        self.failedCount = failedCount
    }
}
