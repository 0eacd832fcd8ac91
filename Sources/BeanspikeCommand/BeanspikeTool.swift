import ArgumentParser
import Glibc

/// The `beanspike` command line.
@main
struct BeanspikeTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "beanspike",
        abstract: "Put, take and watch the jobs of a queue.",
        subcommands: [BenchCommand.self]
    )

    @OptionGroup var options: ServerOptions

    static func main() {
        Glibc.exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    /// Parses and runs a command line.
    ///
    /// - Returns: the exit code: 0 done, 1 failed, 2 misused, 3 nothing there.
    static func run(_ arguments: [String]) -> Int32 {
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
            return 0
        } catch let error as CommandError {
            Output.note("beanspike: \(error)")
            return error.code.rawValue
        } catch {
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            if code.isSuccess {
                Output.line(message)
                return 0
            }
            if !message.isEmpty { Output.note(message) }
            return code == .validationFailure ? CommandError.Code.misused.rawValue : code.rawValue
        }
    }
}
