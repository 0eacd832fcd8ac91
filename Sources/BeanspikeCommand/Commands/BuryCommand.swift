import ArgumentParser

/// Buries jobs.
struct BuryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bury",
        abstract: "Set jobs aside until they are kicked.",
        discussion: """
            Takes each job by its id, whether it is ready, delayed or buried, and buries
            it: nobody gets it until `beanspike kick`. A job that somebody else has
            reserved stays theirs, and exits 3. Needs beanstalkd 1.12 or later, or
            beanspiked.

            Example: beanspike bury 12
            """
    )

    @OptionGroup var options: ServerOptions
    @Argument(help: "Ids of jobs.") var ids: [UInt64]
    @Option(name: .shortAndLong, help: "The priority from now on (default: as it was).") var priority: UInt32?

    func run() throws {
        try OneByOne(options: options, past: "buried").run(ids) { connection, id in
            let before = try OneByOne.take(id, connection)
            try connection.perform("bury \(id) \(priority.map { UInt64($0) } ?? before)", expecting: "BURIED")
        }
    }
}
