import ArgumentParser

/// Touches jobs.
struct TouchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "touch",
        abstract: "Give the holder of a reserved job its time to run anew.",
        discussion: """
            Over a server, only the connection that reserved a job may touch it, and each
            run of this command is a connection of its own: a server that keeps to the
            protocol always says there is no such job, and the command exits 3. `beanspike
            reserve --hold` and `beanspike work` touch their jobs by themselves, in time.

            Example: beanspike touch 12
            """
    )

    @OptionGroup var options: ServerOptions
    @Argument(help: "Ids of jobs.") var ids: [UInt64]

    func run() throws {
        try OneByOne(options: options, past: "touched").run(ids) { connection, id in
            try connection.perform(
                "touch \(id)",
                expecting: "TOUCHED",
                missing: "Job \(id) is not reserved by this connection: see `beanspike touch --help`."
            )
        }
    }
}
