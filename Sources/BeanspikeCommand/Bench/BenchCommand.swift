import ArgumentParser
import BeanspikeCore
import Glibc

/// What `beanspike bench` measures.
enum Workload: String, CaseIterable, ExpressibleByArgument {
    case put
    case reserveDelete = "reserve-delete"
    case work
    case mixed
    case cycle
    case memory

    /// What its rate counts.
    var unit: String {
        switch self {
        case .put: "puts/s"
        case .reserveDelete, .work: "reserve+delete/s"
        case .mixed, .cycle: "put+reserve+delete/s"
        case .memory: "bytes of resident memory per waiting job"
        }
    }
}

/// Measures servers.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a beanstalk server, or compare several in turn.",
        discussion: """
            Loads any server that speaks beanstalkd's protocol, checks every reply, and
            prints rates and latencies. With several servers it takes turns (A B A B ...),
            and prints the ratio of the first to each other, round by round with the
            median: that is the figure to quote, since whatever else the machine does slows
            both alike.

            Workloads:
              put             put jobs into an empty tube
              reserve-delete  take and delete them again; filling the tube is not measured
              work            the same, each delete sent together with the next reserve, as
                              workers do that do not wait for the delete's reply
              mixed           each slot puts a job, reserves one, deletes it, and again
              cycle           one connection, one command at a time: put, reserve, delete,
                              with the latency of each (at most 20,000 jobs a round)
              memory          put the jobs and see how much the server grew, by its pid
                              (one round; start the server afresh for it)

            Jobs go into a tube of their own, which is empty again at the end, also after
            Ctrl-C.

            Examples:
              beanspike bench
              beanspike bench --server 127.0.0.1:11300 --in-flight 1,32
              beanspike bench --server ours=:11300 --versus beanstalkd=:11301
              beanspike bench --workload memory --jobs 1000000 --in-flight 32
            """
    )

    @OptionGroup var options: ServerOptions

    @Option(help: ArgumentHelp("A server to compare with; may be repeated.", valueName: "[name=]address"))
    var versus: [String] = []

    @Option(
        help: ArgumentHelp(
            "What to measure; may be repeated (default: put and reserve-delete).",
            valueName: "workload"
        )
    )
    var workload: [Workload] = []

    @Option(help: "Connections, 1 to 1000.")
    var connections = 8

    @Option(help: "Commands in flight on each connection, 1 to 4096, or several such: 1,32.")
    var inFlight = "32"

    @Option(help: "Bytes of a job's body, 0 to 1048576.")
    var bodyBytes = 64

    @Option(help: "Jobs in a round.")
    var jobs = 100_000

    @Option(help: "Rounds for each server, 1 to 1000.")
    var rounds = 5

    @Option(help: "A phase begins no more jobs after so many seconds.")
    var seconds = 30.0

    @Option(help: "Jobs put, reserved and deleted at first without being measured (default: a tenth of --jobs).")
    var warmUp: Int?

    @Option(
        help: ArgumentHelp(
            "The process of each server in the order given, for memory and processor time "
                + "(default: the pid that the server's stats tell).",
            valueName: "pid"
        )
    )
    var pid: [Int32] = []

    @Flag(help: "Load servers that are not on this machine.")
    var allowRemote = false

    func run() throws {
        try options.refuseStore()
        let plan = try benchPlan()
        Interruption.begin()
        let report = try BenchRun(plan, progress: ProgressBar(isWanted: !options.json)).run()
        for line in options.json ? report.jsonLines : report.textLines { Output.line(line) }
        if report.errorCount > 0 {
            throw CommandError.failed(
                "\(report.errorCount) replies were not what they should be: the figures mean nothing."
            )
        }
        if Interruption.signalReceived != nil {
            throw CommandError.failed("Interrupted: the figures are of what was done until then.")
        }
    }

    /// The options, checked.
    func benchPlan() throws -> BenchPlan {
        let servers = (options.server.isEmpty ? [ServerAddress.default.description] : options.server) + versus
        let windows = inFlight.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        func require(_ condition: Bool, _ message: String) throws {
            if !condition { throw CommandError.misused(message) }
        }
        try require(servers.count <= 26, "At most 26 servers can be compared.")
        try require((1...1_000).contains(connections), "--connections goes from 1 to 1000.")
        try require((0...1_048_576).contains(bodyBytes), "--body-bytes goes from 0 to 1048576.")
        try require((1...100_000_000).contains(jobs), "--jobs goes from 1 to 100000000.")
        try require((1...1_000).contains(rounds), "--rounds goes from 1 to 1000.")
        try require(seconds > 0 && seconds <= 3_600, "--seconds is more than 0, and at most 3600.")
        try require((0...100_000_000).contains(warmUp ?? 0), "--warm-up goes from 0 to 100000000.")
        try require(
            pid.isEmpty || pid.count == servers.count,
            "--pid must be given once for each server, or not at all."
        )
        let inFlights = try windows.map { window in
            guard let window, (1...4_096).contains(window) else {
                throw CommandError.misused("--in-flight goes from 1 to 4096, several separated by commas.")
            }
            try require(
                connections * window * (bodyBytes + 64) <= 1 << 30,
                "--connections times --in-flight times --body-bytes comes to more than 1 GiB; take less of one."
            )
            return window
        }
        return BenchPlan(
            servers: try servers.enumerated().map { index, text in
                try BenchServer(text, index: index, processID: pid.isEmpty ? nil : pid[index])
            },
            workloads: workload.isEmpty
                ? [.put, .reserveDelete] : Workload.allCases.filter { workload.contains($0) },
            connections: connections,
            inFlights: inFlights,
            bodyBytes: bodyBytes,
            jobs: jobs,
            rounds: rounds,
            secondsMax: seconds,
            warmUpJobs: warmUp ?? jobs / 10,
            allowRemote: allowRemote
        )
    }
}
