import ArgumentParser
import BeanspikeCore

/// Pauses a tube.
struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Let nobody reserve from a tube for some time.",
        discussion: """
            Jobs can still be put. 0 seconds end a pause. Exits 3 if there is no such tube.

            Examples:
              beanspike pause mails 300
              beanspike pause mails 0
            """
    )

    @OptionGroup var options: ServerOptions
    @Argument(help: "The tube.") var tube: TubeArgument
    @Argument(help: "For so many seconds; 0 ends the pause.") var seconds: UInt32

    func run() throws {
        let connection = try BeanstalkConnection(to: options.address())
        try connection.perform(
            "pause-tube \(tube.name) \(seconds)",
            expecting: "PAUSED",
            missing: "There is no tube \(tube.name)."
        )
        Output.line(
            options.json
                ? JSONValue.object([
                    ("tube", .string(tube.name.description)), ("pause", .unsigned(UInt64(seconds))),
                ]).text
                : seconds == 0 ? "\(tube.name) goes on" : "\(tube.name) is paused for \(seconds) s"
        )
    }
}
