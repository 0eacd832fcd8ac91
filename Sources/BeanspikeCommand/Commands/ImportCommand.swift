import ArgumentParser
import BeanspikeCore

/// Puts jobs from lines of JSON.
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Put jobs from lines of JSON, as export writes them.",
        discussion: """
            Reads standard input or a file. A line needs a "body" in Base64; "tube",
            "priority", "delay", "ttr" and "state" may be there, anything else is ignored.
            A buried job is buried again; a job that was reserved is ready. Jobs get new
            ids, and their counts begin at 0.

            It stops at the first line that is wrong or that the server does not take, and
            says which: the lines before it are in the queue, so give it the rest with
            `tail -n +LINE`.

            Examples:
              beanspike import jobs.jsonl
              echo '{"tube":"mails","body":"aGVsbG8="}' | beanspike import
            """
    )

    @OptionGroup var options: ServerOptions
    @Argument(help: "The file (default: standard input).", completion: .file()) var file: String?
    @Option(name: .shortAndLong, help: "Put all jobs into this tube, whatever their lines say.") var tube: TubeArgument?

    func run() throws {
        var input = try file.map { try Input(path: $0) } ?? Input()
        let connection = try BeanstalkConnection(to: options.address())
        var used = TubeName.default
        var lineNumber = 0
        var count: UInt64 = 0
        // Base64 takes 4 bytes for 3, and the rest of a line is short.
        while let line = try input.nextLine(bytesMax: Limits.bodyBytesMaxCeiling / 3 * 4 + 65_536) {
            lineNumber += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) { continue }
            do {
                let job = try JobRecord(line: line)
                let tube = tube?.name ?? job.tube
                if tube != used {
                    try connection.use(tube)
                    used = tube
                }
                try put(job, connection)
                count += 1
            } catch let error as CommandError {
                throw CommandError(code: error.code, description: "Line \(lineNumber): \(error)")
            }
        }
        Output.line(
            options.json
                ? JSONValue.object([("imported", .unsigned(count))]).text : "imported \(Format.grouped(count)) jobs"
        )
    }

    private func put(_ job: JobRecord, _ connection: BeanstalkConnection) throws {
        // Nobody must get a buried job between its put and its burial: so it is delayed until then.
        let delay = job.isBuried ? UInt32.max : job.delay
        let reply = try connection.perform(
            "put \(job.priority) \(delay) \(job.ttr) \(job.body.count)",
            body: job.body,
            expecting: "INSERTED"
        )
        guard job.isBuried, let id = reply.number(at: 1) else { return }
        try connection.perform("reserve-job \(id)", expecting: "RESERVED")
        try connection.perform("bury \(id) \(job.priority)", expecting: "BURIED")
    }
}
