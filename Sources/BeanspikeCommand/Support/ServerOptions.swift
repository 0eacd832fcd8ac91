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
            "A store without a server: for doctor only. Everything else reaches stores through beanspiked."
        )
    )
    var store: String?

    @Flag(help: "Print JSON, one value a line, for programs to read.")
    var json = false

    /// The one server that was named, or the default.
    func address() throws -> ServerAddress {
        try refuseStore()
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
            "This build of beanspike reaches stores only through a server: start `beanspiked --store \(store)`,"
                + " and name it with --server."
        )
    }
}
