import Foundation
import Testing

/// Servers whose jobs an Aerospike cluster keeps.
///
/// The protocol as the transcripts have it, clients that others wrote and the command line, on an Aerospike cluster.
///
/// With `AEROSPIKE_HOST=host[:port],…` on real nodes too, in the namespace `test`.
@Suite(.enabled(if: ServerProgram.isOurs, "beanstalkd has no cluster"), .serialized)
enum QueueOnClusterTests {}

extension QueueOnClusterTests {
    @Suite struct OneServer {
        @Test(arguments: QueueOnCluster.Place.all, Transcript.all)
        func transcript(place: QueueOnCluster.Place, name: String) async throws {
            try await QueueOnCluster.with(place) { queue in
                let transcript = try Transcript(named: name, for: .beanspike)
                let server = try queue.server(transcript.serverArguments)
                try TranscriptRunner(transcript, server, idsAreNames: true).run()
                #expect(try server.stop() == 0)
            }
        }

        @Test(
            .enabled(if: access(ClientLibraryTests.python, X_OK) == 0, "no .venv with the clients: run script/setup"),
            arguments: QueueOnCluster.Place.all,
            ClientLibraryTests.names
        )
        func client(place: QueueOnCluster.Place, name: String) async throws {
            try await QueueOnCluster.with(place) { queue in
                let output = try ClientLibraryTests.run(name, queue.server())
                #expect(output == "ok\n")
            }
        }

        @Test(arguments: QueueOnCluster.Place.all)
        func commandLine(place: QueueOnCluster.Place) async throws {
            try await QueueOnCluster.with(place) { queue in
                let servers = [try queue.server(), try queue.server()]
                func run(_ server: Int, _ arguments: String..., status: Int32 = 0) throws -> String {
                    let child = try ChildProcess(
                        ServerProgram.productsDirectory + "/beanspike",
                        ["--server", "127.0.0.1:\(servers[server].port)"] + arguments
                    )
                    let output = child.readOutputToEnd()
                    #expect(try child.waitForExit() == status, "\(arguments): \(child.standardError)")
                    return output
                }
                let first = try run(0, "put", "hello", "--tube", "letters").trimmingCharacters(in: .newlines)
                let second = try run(1, "put", "world", "--tube", "letters", "--delay", "3600")
                    .trimmingCharacters(in: .newlines)
                #expect(first != second)
                #expect(try run(1, "peek", first) == "hello")
                #expect(try run(0, "stats", "--tube", "letters").contains("current-jobs-delayed"))
                #expect(try run(0, "tubes").contains("letters"))
                #expect(try run(1, "reserve", "--tube", "letters", "--timeout", "5", "--delete") == "hello")
                _ = try run(1, "peek", first, status: 3)
                _ = try run(0, "kick", "10", "--tube", "letters")
                #expect(try run(1, "reserve", "--tube", "letters", "--timeout", "5", "--delete") == "world")
            }
        }
    }
}
