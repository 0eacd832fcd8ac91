import ArgumentParser
import Glibc

/// The `beanspike` command line.
@main
struct BeanspikeTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "beanspike",
        abstract: "Put, take and watch the jobs of a beanstalk queue.",
        discussion: """
            A job is some bytes in a tube. Somebody puts it, somebody else reserves it, and
            deletes it when the work is done. A job that is reserved and not deleted in its
            time to run (TTR) goes to the next one.

            Try it (start a server with `beanspiked` first):
              beanspike put 'hello'                 put a job into the tube "default"
              beanspike tubes                       what waits where
              beanspike reserve --delete            take it, and print its body
              beanspike work mails -- ./send-mail   run a command for each job
              beanspike watch                       a live screen

            Exit codes: 0 done, 1 failed, 2 misused, 3 nothing there (no such job, no such
            tube, no job in time).

            Bodies go in and out as they are, byte for byte; only on a terminal a newline
            is added after one.

            Shell completions: `beanspike --generate-completion-script bash`, or zsh, fish.
            """,
        subcommands: [
            PutCommand.self, ReserveCommand.self, WorkCommand.self, DeleteCommand.self, ReleaseCommand.self,
            BuryCommand.self, KickCommand.self, TouchCommand.self, PeekCommand.self, StatsCommand.self,
            TubesCommand.self, PauseCommand.self, WatchCommand.self, ExportCommand.self, ImportCommand.self,
            BenchCommand.self, DoctorCommand.self,
        ]
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
            do {
                try command.run()
            } catch {
                // What went wrong first is what is told.
                try? OwnServer.stop()
                throw error
            }
            try OwnServer.stop()
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
