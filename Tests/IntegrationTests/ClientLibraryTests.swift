import Foundation
import Testing

/// Clients that others wrote, through their whole interface.
@Suite struct ClientLibraryTests {
    /// The Python that has the clients; `script/setup` makes it.
    private static let python = packageDirectory + "/.venv/bin/python"
    private static let packageDirectory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    @Test(
        .enabled(if: access(python, X_OK) == 0, "no .venv with the clients: run script/setup"),
        arguments: ["greenstalk", "pystalk", "beanstalkc3"]
    )
    func client(name: String) async throws {
        let output = try await onThread {
            let directory = try TemporaryDirectory()
            let server = try ServerProcess(directory: directory.path)
            let script = Self.packageDirectory + "/Tests/IntegrationTests/Clients/\(name)_client.py"
            let client = try ChildProcess(Self.python, ["-B", script, "\(server.port)"])
            let status = try client.waitForExit(seconds: 60)
            guard status == 0 else { throw TestFailure("\(name): exit \(status): \(client.standardError)") }
            return client.readOutputToEnd()
        }
        #expect(output == "ok\n")
    }
}
