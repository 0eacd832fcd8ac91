import ArgumentParser
import BeanspikeCore

/// Runs a command for each job of a tube.
struct WorkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work",
        abstract: "Run a command for each job of a tube.",
        discussion: """
            The command reads the job's body from standard input. If it exits with 0, the
            job is deleted. Otherwise the job is released, to be tried again after a delay
            that doubles with each attempt (with some chance in it); after --attempts
            attempts it is buried, for you to look at it with `beanspike peek --buried` and
            to `beanspike kick` it. Attempts are what the server counts as the job's
            reserves. While the command runs its job is touched, so it may run as long as
            it needs.

            The command finds BEANSPIKE_JOB_ID, BEANSPIKE_TUBE and BEANSPIKE_ATTEMPT in its
            environment. Its output goes where this command's goes; with --json its
            standard output goes to standard error, and standard output has one line for
            each job done.

            Ctrl-C or SIGTERM takes no more jobs and lets running commands finish; a second
            one ends them with SIGTERM (SIGKILL after 5 s), and their jobs are ready again.
            If a job is lost meanwhile, because somebody deleted it or the server went
            away, its command is ended with SIGTERM.

            Examples:
              beanspike work mails -- ./send-mail
              beanspike work resize --concurrency 4 -- sh -c 'read f && ./resize "$f"'
              beanspike work mails --until-empty -- ./send-mail
            """
    )

    @OptionGroup var options: ServerOptions

    @Argument(help: "The tube.")
    var tube: TubeArgument

    @Argument(parsing: .postTerminator, help: "After --: the command and its arguments.")
    var command: [String] = []

    @Option(name: .shortAndLong, help: "Commands that run at the same time, 1 to 1024.")
    var concurrency = 1

    @Option(help: "Bury a job that has failed so many times; 0 means never.")
    var attempts: UInt64 = 10

    @Option(help: "The longest delay after a job's first failure, in seconds; 0 means none ever.")
    var backoff: UInt32 = 1

    @Option(help: "The longest delay after any failure, in seconds.")
    var backoffMax: UInt32 = 3_600

    @Option(help: "End after so many jobs.")
    var count: Int?

    @Flag(help: "End when there is nothing to reserve.")
    var untilEmpty = false

    @Flag(name: .shortAndLong, help: "Do not tell of each job on standard error.")
    var quiet = false

    func validate() throws {
        if command.isEmpty { throw ValidationError("Say what to run, after --: beanspike work \(tube.name) -- cat") }
        if !(1...1_024).contains(concurrency) { throw ValidationError("--concurrency goes from 1 to 1024.") }
        if let count, count < 1 { throw ValidationError("--count is at least 1.") }
    }

    func run() throws {
        let loop = WorkLoop(
            WorkPlan(
                address: try options.address(),
                tube: tube.name,
                command: command,
                concurrency: min(concurrency, count ?? concurrency),
                attemptsMax: attempts,
                backoffFirstSeconds: backoff,
                backoffMostSeconds: backoffMax,
                jobsMax: count,
                untilEmpty: untilEmpty,
                isJSON: options.json,
                isQuiet: quiet
            )
        )
        try loop.run()
    }
}

/// What `work` shall do, checked.
struct WorkPlan {
    var address: ServerAddress
    var tube: TubeName
    var command: [String]
    var concurrency: Int
    /// 0 for no limit.
    var attemptsMax: UInt64
    var backoffFirstSeconds: UInt32
    var backoffMostSeconds: UInt32
    var jobsMax: Int?
    var untilEmpty: Bool
    var isJSON: Bool
    var isQuiet: Bool
}
