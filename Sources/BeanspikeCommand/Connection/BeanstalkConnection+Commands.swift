import BeanspikeCore

extension BeanstalkConnection {
    /// Sends a command, and takes only these replies for success.
    ///
    /// - Parameters:
    ///   - line: the command without its CRLF.
    ///   - body: bytes that follow the line.
    ///   - expected: the names of the replies that are successes.
    ///   - missing: what to say where the server says NOT_FOUND.
    ///   - extraMilliseconds: how long the command itself may wait for a job; nil waits for ever.
    /// - Returns: one of the expected replies.
    /// - Throws: ``CommandError`` that says what any other reply means.
    @discardableResult
    func perform(
        _ line: String,
        body: [UInt8]? = nil,
        expecting expected: String...,
        missing: String = "There is no such job.",
        extraMilliseconds: Int64? = 0
    ) throws -> ServerReply {
        let reply = try request(line, body: body, extraMilliseconds: extraMilliseconds)
        if expected.contains(reply.name) { return reply }
        throw Self.error(for: reply, to: line, missing: missing)
    }

    /// What a reply that is no success means.
    static func error(for reply: ServerReply, to line: String, missing: String) -> CommandError {
        switch reply.name {
        case "NOT_FOUND":
            return .nothingThere(missing)
        case "TIMED_OUT":
            return .nothingThere("No job came in time.")
        case "DEADLINE_SOON":
            return .nothingThere("No other job is ready, and the time of one already reserved is almost over.")
        case "JOB_TOO_BIG":
            return .failed("The body is longer than the server takes: make it shorter, or start the server with -z.")
        case "DRAINING":
            return .failed("The server is draining and takes no new jobs: put the job somewhere else, or later.")
        case "BURIED":
            return .failed(
                "The server ran out of memory and buried the job\(reply.number(at: 1).map { " \($0)" } ?? "")."
            )
        case "OUT_OF_MEMORY":
            return .failed("The server is out of memory: delete jobs, or give it more.")
        case "INTERNAL_ERROR":
            return .failed("The server has failed inside: look into its log.")
        case "UNKNOWN_COMMAND":
            return .failed("The server does not know the command \(line.prefix { $0 != " " }).")
        default:
            return .failed("The server answered \(reply.line) to \(line.prefix { $0 != " " }).")
        }
    }

    /// Sends all commands at once, and waits for their replies in order.
    ///
    /// Their replies have to fit what sockets hold, or theirs and ours would wait for each other: so no more than
    /// ``batchCommandsMax`` short ones.
    func requests(_ lines: [String]) throws -> [ServerReply] {
        precondition(lines.count <= Self.batchCommandsMax)
        guard !lines.isEmpty else { return [] }
        try send(lines.joined(separator: "\r\n"))
        return try lines.map { _ in try receive(timeoutMilliseconds: replyTimeoutMilliseconds) }
    }

    /// Commands sent without waiting for the replies between them.
    static let batchCommandsMax = 64

    /// Puts into this tube from now on.
    func use(_ tube: TubeName) throws { try perform("use \(tube)", expecting: "USING") }

    /// Reserves from these tubes only; from `default` where there are none.
    func watchOnly(_ tubes: [TubeName]) throws {
        guard !tubes.isEmpty else { return }
        for tube in tubes { try perform("watch \(tube)", expecting: "WATCHING") }
        if !tubes.contains(.default) { try perform("ignore default", expecting: "WATCHING") }
    }

    /// What the server tells of a job.
    func statistics(ofJob id: JobID) throws -> StatisticsTable {
        let reply = try perform("stats-job \(id)", expecting: "OK", missing: "There is no job \(id).")
        return StatisticsTable(reply.body ?? [])
    }

    /// What the server tells of a tube.
    func statistics(ofTube tube: TubeName) throws -> StatisticsTable {
        let reply = try perform("stats-tube \(tube)", expecting: "OK", missing: "There is no tube \(tube).")
        return StatisticsTable(reply.body ?? [])
    }

    /// What the server tells of itself.
    func statistics() throws -> StatisticsTable {
        StatisticsTable(try perform("stats", expecting: "OK").body ?? [])
    }

    /// The names of the tubes that there are.
    func tubes() throws -> [String] {
        let body = try perform("list-tubes", expecting: "OK").body ?? []
        return String(decoding: body, as: UTF8.self).split(separator: "\n").compactMap { line in
            line.hasPrefix("- ") ? line.dropFirst(2).filter { $0 != "\"" } : nil
        }
    }
}
