import Foundation
import Testing

/// Clients that others wrote, through their whole interface.
@Suite struct ClientLibraryTests {
    /// The Python that has the clients; `script/setup` makes it.
    static let python = packageDirectory + "/.venv/bin/python"
    private static let packageDirectory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The clients, each with a script in `Clients`.
    static let names = ["greenstalk", "pystalk", "beanstalkc3"]

    @Test(
        .enabled(if: access(python, X_OK) == 0, "no .venv with the clients: run script/setup"),
        arguments: names
    )
    func client(name: String) async throws {
        let output = try await onThread {
            let directory = try TemporaryDirectory()
            let server = try ServerProcess(directory: directory.path)
            return try Self.run(name, server)
        }
        #expect(output == "ok\n")
    }

    /// Runs a client's script against a server and returns what it prints: ok.
    static func run(_ name: String, _ server: ServerProcess) throws -> String {
        let script = packageDirectory + "/Tests/IntegrationTests/Clients/\(name)_client.py"
        let client = try ChildProcess(python, ["-B", script, "\(server.port)"])
        let status = try client.waitForExit(seconds: 60)
        guard status == 0 else { throw TestFailure("\(name): exit \(status): \(client.standardError)") }
        return client.readOutputToEnd()
    }
}
