import ArgumentParser
import BeanspikeCore

/// Shows statistics.
struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show what the server counts: of itself, of a tube, or of a job.",
        discussion: """
            Prints `key: value` lines in the server's order, or one JSON object with
            --json. Exits 3 if there is no such tube or job.

            Examples:
              beanspike stats
              beanspike stats --tube mails
              beanspike stats --job 12 --json | jq .reserves
            """
    )

    @OptionGroup var options: ServerOptions
    @Option(name: .shortAndLong, help: "Of this tube.") var tube: TubeArgument?
    @Option(name: .shortAndLong, help: "Of this job, by its id.") var job: UInt64?

    func validate() throws {
        if tube != nil, job != nil { throw ValidationError("Ask for a tube or for a job, not for both.") }
    }

    func run() throws {
        let connection = try BeanstalkConnection(to: options.address())
        let table =
            if let job {
                try connection.statistics(ofJob: job)
            } else if let tube {
                try connection.statistics(ofTube: tube.name)
            } else {
                try connection.statistics()
            }
        for line in options.json ? [table.json.text] : table.lines { Output.line(line) }
    }
}
