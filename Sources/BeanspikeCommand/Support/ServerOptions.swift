import ArgumentParser

/// Which server to speak to and how to print, for every command alike.
///
/// The root has it too, so that the options may come before the command's name or after it.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server, as HOST:PORT or unix:PATH (default: 127.0.0.1:11300).",
            valueName: "address"
        )
    )
    var server: [String] = []

    @Option(
        help: ArgumentHelp(
            "A store without a server: embedded:DIR or aerospike://HOST[:PORT],…[/NAMESPACE].",
            valueName: "url"
        )
    )
    var store: String?

    @Flag(help: "Print JSON, one value a line, for programs to read.")
    var json = false

    /// The one server that was named, or the default; with a store, one inside of this process.
    func address() throws -> ServerAddress {
        if let store {
            guard server.isEmpty else { throw CommandError.misused("--server and --store were given; either will do.") }
            return try OwnServer.address(of: store)
        }
        guard server.count <= 1 else {
            throw CommandError.misused("--server was given \(server.count) times, and only bench takes several.")
        }
        guard let text = server.first else { return .default }
        return try Self.address(text)
    }

    static func address(_ text: String) throws -> ServerAddress {
        guard let address = ServerAddress(text) else {
            throw CommandError.misused("\(text) is no server: write HOST:PORT, 127.0.0.1:11300 for one, or unix:PATH.")
        }
        return address
    }

    func refuseStore() throws {
        guard let store else { return }
        throw CommandError.misused(
            "This measures servers: start `beanspiked --store \(store)`, and name it with --server."
        )
    }
}
