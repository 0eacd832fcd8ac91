import ArgumentParser

/// Deletes jobs.
struct DeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete jobs by their ids.",
        discussion: """
            Deletes jobs that are ready, delayed or buried. A job that somebody has
            reserved cannot be deleted by anybody else. Exits 3 if one of the jobs is not
            there; the others are deleted all the same.

            Example: beanspike delete 12 13 14
            """
    )

    @OptionGroup var options: ServerOptions
    @Argument(help: "Ids of jobs.") var ids: [UInt64]

    func run() throws {
        try OneByOne(options: options, past: "deleted").run(ids) { connection, id in
            try connection.perform(
                "delete \(id)",
                expecting: "DELETED",
                missing: "There is no job \(id), or somebody has reserved it."
            )
        }
    }
}
