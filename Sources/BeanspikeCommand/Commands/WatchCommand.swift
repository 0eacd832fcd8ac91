import ArgumentParser
import Glibc

/// Shows the tubes as they change.
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show a live screen of the tubes.",
        discussion: """
            On a terminal, fills the screen with the tubes, the fullest first, anew each
            second; q or Ctrl-C ends it. Elsewhere prints the same as plain lines again and
            again, or once with --once. With --json each picture is one line for each tube.

            Examples:
              beanspike watch
              beanspike watch --interval 0.2
              beanspike watch --once
            """
    )

    @OptionGroup var options: ServerOptions
    @Option(help: "Seconds between pictures, 0.1 to 3600.") var interval = 1.0
    @Flag(help: "Print one picture and end.") var once = false

    func validate() throws {
        if !(0.1...3_600).contains(interval) { throw ValidationError("--interval goes from 0.1 to 3600 seconds.") }
    }

    func run() throws {
        let address = try options.address()
        let connection = try BeanstalkConnection(to: address)
        if options.json || once || isatty(STDOUT_FILENO) == 0 {
            return try printPlainly(connection)
        }
        Interruption.begin()
        let screen = TerminalScreen()
        defer { screen.restore() }
        var previous: TubesSnapshot?
        while Interruption.signalReceived == nil {
            let now = try TubesSnapshot(of: connection)
            let size = TerminalScreen.size
            screen.draw(
                WatchFrame.screen(
                    now,
                    previous: previous,
                    server: "\(address)",
                    columns: size.columns,
                    rows: size.rows
                )
            )
            previous = now
            if screen.waitForQuit(milliseconds: Int32(interval * 1_000)) { return }
        }
    }

    private func printPlainly(_ connection: BeanstalkConnection) throws {
        var previous: TubesSnapshot?
        while true {
            let now = try TubesSnapshot(of: connection)
            if options.json {
                for tube in now.tubes { Output.line(tube.json.text) }
            } else {
                let before = previous.map { ($0.tubes, Double(now.takenAt - $0.takenAt) / 1e9) }
                for line in Format.table(WatchFrame.rows(now.tubes, previous: before), indent: 0) { Output.line(line) }
                if !once { Output.line("") }
            }
            if once { return }
            previous = now
            _ = poll(nil, 0, Int32(interval * 1_000))
        }
    }
}
