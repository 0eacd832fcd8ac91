import ArgumentParser
import BeanspikeCore

/// Lists tubes.
struct TubesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tubes",
        abstract: "List the tubes and how many jobs each has.",
        discussion: """
            A tube is there as long as it has a job or somebody uses or watches it.

            Examples:
              beanspike tubes
              beanspike tubes --names
              beanspike tubes --json | jq 'select(.["current-jobs-buried"] > 0) | .name'
            """
    )

    @OptionGroup var options: ServerOptions
    @Flag(help: "Print the names alone.") var names = false

    func run() throws {
        let connection = try BeanstalkConnection(to: options.address())
        if names {
            for name in try connection.tubes().sorted() {
                Output.line(options.json ? JSONValue.string(name).text : name)
            }
            return
        }
        let tables = try TubesSnapshot(of: connection).tubes
        if options.json {
            for table in tables { Output.line(table.json.text) }
        } else {
            for line in Format.table(WatchFrame.rows(tables, previous: nil), indent: 0) { Output.line(line) }
        }
    }
}
