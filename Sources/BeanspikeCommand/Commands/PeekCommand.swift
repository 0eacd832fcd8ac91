import ArgumentParser
import BeanspikeCore

/// Shows a job without taking it.
struct PeekCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peek",
        abstract: "Look at a job without taking it.",
        discussion: """
            Shows a job by its id, or the next one of a tube in a state: the next to be
            reserved, the delayed one that is ready soonest, or the one that was buried
            first. The body goes to standard output byte for byte, the id to standard
            error. Exits 3 if there is no such job.

            Examples:
              beanspike peek 12
              beanspike peek --buried --tube mails
            """
    )

    @OptionGroup var options: ServerOptions
    @Argument(help: "The job's id.") var id: UInt64?
    @Flag(help: "The next job that is ready, delayed or buried.") var state: PeekState?
    @Option(name: .shortAndLong, help: "The tube.") var tube = TubeArgument(.default)

    func validate() throws {
        if (id == nil) == (state == nil) {
            throw ValidationError("Name the job by its id, or give one of --ready, --delayed and --buried.")
        }
    }

    func run() throws {
        let connection = try BeanstalkConnection(to: options.address())
        let reply: ServerReply
        if let state {
            try connection.use(tube.name)
            reply = try connection.perform(
                "peek-\(state.rawValue)",
                expecting: "FOUND",
                missing: "Tube \(tube.name) has no \(state.rawValue) job."
            )
        } else {
            reply = try connection.perform(
                "peek \(id ?? 0)",
                expecting: "FOUND",
                missing: "There is no job \(id ?? 0)."
            )
        }
        guard let id = reply.number(at: 1), let body = reply.body else { return }
        // The job may be gone by now: then its body is all that can be shown.
        let statistics = try? connection.statistics(ofJob: id)
        JobPrinter(isJSON: options.json).show(id: id, body: body, statistics: statistics)
    }
}

/// The states that can be peeked.
enum PeekState: String, EnumerableFlag {
    case ready, delayed, buried
}
