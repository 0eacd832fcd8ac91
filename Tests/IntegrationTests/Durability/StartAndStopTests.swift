import Foundation
import Testing

/// How the server starts, refuses to start, and stops.
@Suite(.enabled(if: ServerProgram.isOurs, "beanstalkd does otherwise"))
struct StartAndStopTests {
    @Test func aStoppedServerHasLostNothing() async throws {
        try await onThread {
            let directory = try TemporaryDirectory()
            let server = try ServerProcess(directory: directory.path)
            var ledgers = (0..<4).map { JobLedger(tube: "tube-\($0)") }
            let port = server.port
            let before = ledgers
            let stopping = Thread {
                usleep(400_000)
                server.signal(SIGTERM)
            }
            stopping.start()
            ledgers = try concurrently(before.count) { index in
                var client = LedgerClient(before[index], seed: UInt64(index))
                return client.work(try RawConnection(port: port), commandsMax: 1_000_000)
            }
            #expect(try server.waitForExit() == 0)
            #expect(ledgers.compactMap(\.violation).isEmpty)
            #expect(ledgers.allSatisfy { $0.acknowledged > 0 })
            try server.restart()
            try LedgerAudit(server).run(&ledgers)
            #expect(try server.stop() == 0)
        }
    }

    @Test func interruptStopsCleanly() async throws {
        try await onThread {
            let server = try ServerProcess()
            let client = try server.connect()
            try client.send("reserve")
            server.signal(SIGINT)
            #expect(try server.waitForExit() == 0)
        }
    }

    @Test func drainEnds() async throws {
        try await onThread {
            let server = try ServerProcess()
            let client = try server.connect()
            for (signal, expected) in [(SIGUSR1, "true"), (SIGUSR2, "false"), (SIGUSR1, "true")] {
                server.signal(signal)
                let deadline = Deadline(seconds: 20)
                while try client.ask("stats")["draining"] != expected {
                    guard !deadline.hasPassed else { throw TestFailure("draining is never \(expected)") }
                }
                try client.sendPut([0x61])
                #expect(try client.readLine().hasPrefix(expected == "true" ? "DRAINING" : "INSERTED"))
            }
        }
    }

    @Test func oneProcessForOneDirectory() async throws {
        try await onThread {
            let directory = try TemporaryDirectory()
            let server = try ServerProcess(directory: directory.path)
            let client = try server.connect()
            let id = try client.put("kept")
            let (status, message) = try Self.start(["-b", directory.path])
            #expect(status == 1)
            #expect(message.contains(directory.path))
            #expect(message.contains("\(server.processID)"))
            #expect(message.split(separator: "\n").count == 1)
            #expect(try client.ask("peek \(id)").text == "kept")
            // The directory is free as soon as the process is gone.
            try server.killAtOnce()
            try server.restart()
            #expect(try server.connect().ask("peek \(id)").text == "kept")
        }
    }

    /// What is done to a store's file.
    enum Damage: String, CaseIterable, Sendable {
        case text, empty, otherDatabase, cut, headerOverwritten, pagesOverwritten
    }

    @Test(arguments: Damage.allCases)
    func damagedAndForeignFilesAreRefused(damage: Damage) async throws {
        try await onThread {
            let directory = try TemporaryDirectory()
            let server = try ServerProcess(directory: directory.path)
            let client = try server.connect()
            for _ in 0..<200 { _ = try client.put(String(repeating: "x", count: 2_000)) }
            #expect(try server.stop() == 0)
            let file = directory.path + "/journal.sqlite"
            var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
            try #require(bytes.count > 300_000)
            switch damage {
            case .text: bytes = Data("These are notes, and no jobs.\n".utf8)
            case .empty: bytes = Data()
            case .otherDatabase:
                // The application's id, by which SQLite's files are told apart (fileformat2.html, 1.3).
                bytes.replaceSubrange(68..<72, with: [1, 2, 3, 4])
            case .cut: bytes.removeLast(bytes.count / 2)
            case .headerOverwritten: bytes.replaceSubrange(0..<100, with: Data(repeating: 0x5A, count: 100))
            case .pagesOverwritten:
                bytes.replaceSubrange(
                    4096..<(bytes.count / 2),
                    with: Data(repeating: 0x5A, count: bytes.count / 2 - 4096)
                )
            }
            try bytes.write(to: URL(fileURLWithPath: file))
            let (status, message) = try Self.start(["-b", directory.path])
            #expect(status == 1)
            #expect(message.contains(directory.path))
            #expect(message.split(separator: "\n").count == 1)
            #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == bytes, "a refused file stays as it is")
        }
    }

    @Test func aPlaceThatCannotBe() async throws {
        try await onThread {
            let directory = try TemporaryDirectory()
            let file = directory.path + "/file"
            try Data("x".utf8).write(to: URL(fileURLWithPath: file))
            for arguments in [["-b", file], ["-b", file + "/below"], ["--store", "embedded:" + file]] {
                let (status, message) = try Self.start(arguments)
                #expect(status == 1)
                #expect(message.contains(file))
            }
            let other = try ServerProcess()
            let (status, message) = try Self.start(["--store", "memory:", "-p", "\(other.port)"])
            #expect(status == 1)
            #expect(message.contains("\(other.port)"))
        }
    }

    @Test(arguments: [
        ["-x"], ["-p"], ["-p", "none"], ["-p", "65536"], ["-z", "-1"], ["--store", "nothing:"], ["word"],
    ])
    func misuseIsExit2(arguments: [String]) async throws {
        try await onThread {
            let (status, message) = try Self.start(arguments)
            #expect(status == 2)
            #expect(!message.isEmpty)
        }
    }

    @Test(arguments: [["-h"], ["-v"]])
    func helpAndVersionAreExit0(arguments: [String]) async throws {
        try await onThread {
            let program = try ChildProcess(ServerProgram.underTest.path, arguments)
            #expect(try program.waitForExit() == 0)
            #expect(program.readOutputToEnd().contains("beanspiked"))
        }
    }

    /// Starts a server that should not start; returns how it ended and what it said.
    private static func start(_ arguments: [String]) throws -> (status: Int32, message: String) {
        let port = arguments.contains("-p") ? [] : ["-p", "0"]
        let program = try ChildProcess(ServerProgram.underTest.path, port + ["--http", "off"] + arguments)
        let status = try program.waitForExit()
        return (status, program.standardError)
    }
}
