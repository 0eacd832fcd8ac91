import ArgumentParser
import BeanspikeCore

/// Kicks jobs.
struct KickCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kick",
        abstract: "Make buried or delayed jobs ready.",
        discussion: """
            Kicks the jobs of a tube: the buried ones if there are any, in the order of
            their burial, else the delayed ones. Or kicks one job by its id. Prints how
            many were kicked; exits 3 if none was.

            Examples:
              beanspike kick 100 --tube mails
              beanspike kick --job 12
            """
    )

    @OptionGroup var options: ServerOptions
    @Argument(help: "At most so many jobs (default: 1).") var count: UInt32?
    @Option(name: .shortAndLong, help: "The tube.") var tube = TubeArgument(.default)
    @Option(name: .shortAndLong, help: "One job, by its id.") var job: UInt64?

    func validate() throws {
        if job != nil, count != nil { throw ValidationError("Kick a count of jobs or one --job, not both.") }
    }

    func run() throws {
        let connection = try BeanstalkConnection(to: options.address())
        var kicked: UInt64 = 1
        if let job {
            try connection.perform(
                "kick-job \(job)",
                expecting: "KICKED",
                missing: "There is no job \(job) that is buried or delayed."
            )
        } else {
            try connection.use(tube.name)
            kicked = try connection.perform("kick \(count ?? 1)", expecting: "KICKED").number(at: 1) ?? 0
        }
        guard kicked > 0 else {
            throw CommandError.nothingThere("Tube \(tube.name) has no buried and no delayed jobs.")
        }
        Output.line(options.json ? JSONValue.object([("kicked", .unsigned(kicked))]).text : "kicked \(kicked)")
    }
}
