import ArgumentParser
import BeanspikeCore
import Glibc

/// Puts jobs.
struct PutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put",
        abstract: "Put a job into a tube.",
        discussion: """
            The body is the argument, a file, or all of standard input, byte for byte; or
            each line of standard input is a job, without its newline. Prints the id of
            each job put.

            Examples:
              beanspike put 'resize 17.png'
              beanspike put --tube mails --file mail.eml
              find . -name '*.png' | beanspike put --tube resize --lines
              beanspike put --delay 3600 --priority 10 'in an hour, before all others'
            """
    )

    @OptionGroup var options: ServerOptions

    @Argument(help: "The body. Without it, --file or standard input is read.")
    var body: String?

    @Option(name: .shortAndLong, help: "The tube.")
    var tube = TubeArgument(.default)

    @Option(name: .shortAndLong, help: "A file that is the body.", completion: .file())
    var file: String?

    @Flag(help: "Every line of standard input (or of --file) is a job.")
    var lines = false

    @Option(name: .shortAndLong, help: "0 comes first, 4294967295 last.")
    var priority = Schedule.priorityDefault

    @Option(name: .shortAndLong, help: "Seconds before the job may be reserved.")
    var delay: UInt32 = 0

    @Option(help: "Time to run: seconds that a consumer has before the job goes to another.")
    var ttr = Schedule.ttrSecondsDefault

    func validate() throws {
        if body != nil, file != nil { throw ValidationError("The body is either the argument or --file, not both.") }
        if body != nil, lines { throw ValidationError("--lines reads standard input or --file: leave the body out.") }
    }

    func run() throws {
        let connection = try BeanstalkConnection(to: options.address())
        try connection.use(tube.name)
        if lines {
            var input = try file.map { try Input(path: $0) } ?? Input()
            return try putLines(of: &input, connection)
        }
        let bytes = try wholeBody()
        show(try connection.perform(command(bytes.count), body: bytes, expecting: "INSERTED"))
    }

    private func command(_ bodyBytes: Int) -> String { "put \(priority) \(delay) \(ttr) \(bodyBytes)" }

    private func wholeBody() throws -> [UInt8] {
        if let body { return Array(body.utf8) }
        if file == nil, isatty(STDIN_FILENO) == 1 {
            Output.note("Type the body, and end it with Ctrl-D.")
        }
        var input = try file.map { try Input(path: $0) } ?? Input()
        return try input.readAll(bytesMax: Limits.bodyBytesMaxCeiling)
    }

    /// Puts lines, many in flight, and prints ids as they come.
    private func putLines(of input: inout Input, _ connection: BeanstalkConnection) throws {
        var inFlight = 0
        var bytesInFlight = 0
        func takeReplies() throws {
            while inFlight > 0 {
                let reply = try connection.receive(timeoutMilliseconds: connection.replyTimeoutMilliseconds)
                inFlight -= 1
                guard reply.name == "INSERTED" else {
                    throw BeanstalkConnection.error(for: reply, to: "put", missing: "")
                }
                show(reply)
            }
            bytesInFlight = 0
        }
        while let line = try input.nextLine(bytesMax: Limits.bodyBytesMaxCeiling) {
            try connection.send(command(line.count), body: line)
            inFlight += 1
            bytesInFlight += line.count
            if inFlight >= BeanstalkConnection.batchCommandsMax || bytesInFlight > 65_536 { try takeReplies() }
        }
        try takeReplies()
    }

    private func show(_ reply: ServerReply) {
        guard let id = reply.number(at: 1) else { return }
        Output.line(
            options.json
                ? JSONValue.object([("id", .unsigned(id)), ("tube", .string(tube.name.description))]).text : "\(id)"
        )
    }
}
