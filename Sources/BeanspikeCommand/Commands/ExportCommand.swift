import ArgumentParser
import BeanspikeCore
import Glibc

/// Writes the jobs of a server as lines of JSON.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write jobs as lines of JSON, and leave them where they are.",
        discussion: """
            Each line has a job's id, tube, state, priority, delay (seconds left), ttr,
            reserves and body (Base64). `beanspike import` reads them.

            The protocol has no list of jobs, so this asks for every id from 1 to the
            highest: that takes time on a server which has seen many jobs (some 100,000 ids
            a second), and the lines are no picture of one moment: a job that is deleted or
            changes meanwhile is written as it was met, or not at all. To find the highest
            id it puts one job into a tube of its own and deletes it at once; where that is
            not wanted, or the server drains, say --to.

            Examples:
              beanspike export > jobs.jsonl
              beanspike export --tube mails --state buried
              beanspike export --server old:11300 | beanspike import --server new:11300
            """
    )

    @OptionGroup var options: ServerOptions
    @Option(name: .shortAndLong, help: "Only of this tube; may be repeated.") var tube: [TubeArgument] = []
    @Option(help: "Only in this state (ready, reserved, delayed, buried); may be repeated.")
    var state: [ExportState] = []
    @Option(help: "The first id to ask for.") var from: UInt64 = 1
    @Option(help: "The last id to ask for (default: the highest there is).") var to: UInt64?

    func validate() throws {
        if from < 1 { throw ValidationError("Ids begin with 1.") }
        if let to, to < from { throw ValidationError("--to is at least --from.") }
    }

    func run() throws {
        let connection = try BeanstalkConnection(to: options.address())
        let last = try to ?? Self.highestID(connection)
        let tubes = Set(tube.map { "\($0.name)" })
        let states = Set(state.map(\.rawValue))
        let progress = ProgressBar(isWanted: isatty(STDOUT_FILENO) == 0)
        defer { progress.clear() }
        var id = from
        while id <= last {
            let ids = Array(id...min(last, id + UInt64(BeanstalkConnection.batchCommandsMax) - 1))
            for (id, reply) in zip(ids, try connection.requests(ids.map { "stats-job \($0)" })) {
                guard reply.name == "OK" else {
                    if reply.name == "NOT_FOUND" { continue }
                    throw BeanstalkConnection.error(for: reply, to: "stats-job", missing: "")
                }
                let statistics = StatisticsTable(reply.body ?? [])
                guard tubes.isEmpty || tubes.contains(statistics["tube"] ?? ""),
                    states.isEmpty || states.contains(statistics["state"] ?? "")
                else { continue }
                let found = try connection.request("peek \(id)")
                if found.name == "FOUND", let body = found.body {
                    Output.line(JobRecord.line(id: id, body: body, statistics))
                }
            }
            id += UInt64(ids.count)
            if id % 8_192 < UInt64(ids.count) {
                progress.show("ids", done: Int(clamping: id - from), of: Int(clamping: last - from))
            }
        }
    }

    /// The highest id given out so far.
    private static func highestID(_ connection: BeanstalkConnection) throws -> UInt64 {
        try connection.perform("use beanspike-export-\(getpid())", expecting: "USING")
        // Late in every order, delayed, and gone with the next command.
        let reply = try connection.perform("put \(UInt32.max) 3600 60 0", body: [], expecting: "INSERTED")
        guard let id = reply.number(at: 1) else {
            throw CommandError.failed("The server answered \(reply.line) to put.")
        }
        try connection.perform("delete \(id)", expecting: "DELETED")
        return id - 1
    }
}

/// The states that `export` can be limited to.
enum ExportState: String, CaseIterable, ExpressibleByArgument {
    case ready, reserved, delayed, buried
}
