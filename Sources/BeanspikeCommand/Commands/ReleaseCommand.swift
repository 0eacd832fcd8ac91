import ArgumentParser

/// Releases jobs with a new priority and delay.
struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Make jobs ready again, or give them another priority or delay.",
        discussion: """
            Takes each job by its id, whether it is ready, delayed or buried, and releases
            it. A job that somebody else has reserved stays theirs, and exits 3. Needs
            beanstalkd 1.12 or later, or beanspiked.

            Examples:
              beanspike release 12                   ready at once
              beanspike release 12 --delay 60        in a minute
              beanspike release 12 --priority 0      before all others
            """
    )

    @OptionGroup var options: ServerOptions
    @Argument(help: "Ids of jobs.") var ids: [UInt64]
    @Option(name: .shortAndLong, help: "The priority from now on (default: as it was).") var priority: UInt32?
    @Option(name: .shortAndLong, help: "Seconds before the job may be reserved.") var delay: UInt32 = 0

    func run() throws {
        try OneByOne(options: options, past: "released").run(ids) { connection, id in
            let before = try OneByOne.take(id, connection)
            let priority = priority.map { UInt64($0) } ?? before
            try connection.perform("release \(id) \(priority) \(delay)", expecting: "RELEASED")
        }
    }
}
