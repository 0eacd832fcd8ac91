/// Why a command could not do what it was asked, in one line that says how to remedy it.
struct CommandError: Error, Equatable, CustomStringConvertible {
    /// The exit codes that scripts rely on (docs/command-line.md, "Exit codes").
    enum Code: Int32 {
        /// The server, the network or a file failed.
        case failed = 1
        /// The command line makes no sense.
        case misused = 2
        /// The job or the tube asked for is not there.
        case nothingThere = 3
    }

    let code: Code
    let description: String

    static func failed(_ message: String) -> Self { .init(code: .failed, description: message) }
    static func misused(_ message: String) -> Self { .init(code: .misused, description: message) }
    static func nothingThere(_ message: String) -> Self { .init(code: .nothingThere, description: message) }
}
