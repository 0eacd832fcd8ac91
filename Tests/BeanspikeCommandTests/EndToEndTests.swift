import Foundation
import Testing

@testable import BeanspikeCommand

private let noServer = "beanstalkd is not installed, and \(ServerProgram.variable) names no server"

/// The program against servers that do not keep to the protocol.
@Suite struct HostileServerTests {
    @Test(arguments: [
        "\r\n", "HTTP/1.1 400 Bad Request\r\n", "OK 99999999999\r\n", "OK 3\r\nabcdef", "RESERVED\r\n", "OK x\r\n",
        String(repeating: "x", count: 10_000), "INTERNAL_ERROR\r\n", "OUT_OF_MEMORY\r\n", "\u{0}\u{1}\r\n",
    ])
    func oneLineSaysWhatIsWrong(reply: String) throws {
        let server = try ScriptedServer { _ in reply }
        let stats = try CommandRun(server.address, ["stats"])
        #expect(stats.status == 1)
        #expect(stats.output.isEmpty)
        #expect(stats.errors.hasPrefix("beanspike: "))
        #expect(stats.errors.split(separator: "\n").count == 1)
    }

    @Test func theGeneratorDoesNotTrustAServerEither() throws {
        for reply in ["RESERVED 1 64\r\n", "INSERTED x", String(repeating: "y", count: 10_000)] {
            let server = try ScriptedServer { line in
                if line.hasPrefix("use ") { return "USING \(line.dropFirst(4))\r\n" }
                if line.hasPrefix("watch ") { return "WATCHING 2\r\n" }
                if line.hasPrefix("ignore ") { return "WATCHING 1\r\n" }
                return reply + "\r\n" + reply + "\r\n"
            }
            // A pid keeps it from asking for one by another connection.
            let line = ["bench", "--connections", "1", "--jobs", "10", "--warm-up", "0", "--rounds", "1"]
            let bench = try CommandRun(server.address, line + ["--pid", "\(getpid())"])
            #expect(bench.status == 1)
        }
    }
}

/// The program against real servers, as a person uses it.
@Suite(.enabled(if: !ServerProgram.kinds.isEmpty, Comment(rawValue: noServer)))
struct EndToEndTests {
    @Test(arguments: ServerProgram.kinds)
    func bodiesGoInAndOutUntouched(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        let body = Data((0...255).map { UInt8($0) } + Array("\r\n".utf8))
        let put = try CommandRun(server, "put", input: body)
        #expect(put.status == 0)
        #expect(put.text == "1\n")
        #expect(try CommandRun(server, "peek", "1").output == body)
        // Without more said, a reservation ends with the command.
        #expect(try CommandRun(server, "reserve", "--timeout", "0").output == body)
        let taken = try CommandRun(server, "reserve", "--timeout", "0", "--delete")
        #expect(taken.output == body)
        #expect(taken.errors.contains("job 1 of tube default, 258 bytes"))
        #expect(try CommandRun(server, "reserve", "--timeout", "0").status == 3)
        #expect(try CommandRun(server, "peek", "1").status == 3)
    }

    @Test(arguments: ServerProgram.kinds)
    func anEmptyBodyAndAFileAreJobsToo(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        #expect(try CommandRun(server, "put", "").status == 0)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try Data("from a file\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try CommandRun(server, "put", "--file", file.path).text == "2\n")
        #expect(try CommandRun(server, "peek", "1").output.isEmpty)
        #expect(try CommandRun(server, "peek", "2").text == "from a file\n")
        #expect(try CommandRun(server, "put", "--file", file.path + ".no").status == 1)
        let tooBig = try CommandRun(server, "put", input: Data(count: 65_536))
        #expect(tooBig.status == 1)
        #expect(tooBig.errors.contains("longer than the server takes"))
    }

    @Test(arguments: ServerProgram.kinds)
    func everyLineIsAJob(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        let lines = (1...1_000).map { "line \($0)" }.joined(separator: "\n") + "\n\nlast"
        let put = try CommandRun(server, "put", "--lines", "--tube", "l", input: Data(lines.utf8))
        #expect(put.status == 0)
        #expect(put.lines == (1...1_002).map(String.init))
        #expect(try CommandRun(server, "peek", "1000").text == "line 1000")
        #expect(try CommandRun(server, "peek", "1001").text == "")
        #expect(try CommandRun(server, "peek", "1002").text == "last")
    }

    @Test(arguments: ServerProgram.kinds)
    func jobsAreBuriedKickedReleasedAndDeletedByTheirIds(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        func state(_ id: Int) throws -> String? { try server.connect().statistics(ofJob: UInt64(id))["state"] }
        for _ in 1...3 { _ = try CommandRun(server, "put", "-t", "t", "-p", "9", "x") }
        #expect(try CommandRun(server, "bury", "1", "2").text == "buried 1\nburied 2\n")
        #expect(try state(1) == "buried")
        #expect(try server.connect().statistics(ofJob: 1).number("pri") == 9)
        #expect(try CommandRun(server, "peek", "--buried", "-t", "t").errors.contains("job 1 "))
        #expect(try CommandRun(server, "kick", "-t", "t", "--json").text == "{\"kicked\":1}\n")
        #expect(try state(1) == "ready")
        #expect(try CommandRun(server, "kick", "--job", "2").status == 0)
        #expect(try CommandRun(server, "kick", "10", "-t", "t").status == 3)
        #expect(try CommandRun(server, "release", "3", "--delay", "100", "-p", "1").status == 0)
        #expect(try state(3) == "delayed")
        #expect(try server.connect().statistics(ofJob: 3).number("pri") == 1)
        #expect(try CommandRun(server, "touch", "1").status == 3)
        // The others are deleted although one is not there.
        let deleted = try CommandRun(server, "delete", "1", "99", "2")
        #expect(deleted.status == 3)
        #expect(deleted.text == "deleted 1\ndeleted 2\n")
        #expect(try CommandRun(server, "stats", "--job", "1").status == 3)
        // A job that somebody else holds is theirs.
        let holder = try server.connect()
        try holder.perform("reserve-job 3", expecting: "RESERVED")
        for command in ["release", "bury", "delete"] { #expect(try CommandRun(server, command, "3").status == 3) }
    }

    @Test(arguments: ServerProgram.kinds)
    func statisticsAreLinesOrJSON(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        _ = try CommandRun(server, "put", "-t", "a", "x")
        #expect(try CommandRun(server, "stats").lines.contains("current-jobs-ready: 1"))
        let tube = try CommandRun(server, "stats", "--tube", "a", "--json")
        let object = try #require(try JSONSerialization.jsonObject(with: tube.output) as? [String: Any])
        #expect(object["name"] as? String == "a")
        #expect(object["current-jobs-ready"] as? Int == 1)
        #expect(try CommandRun(server, "tubes", "--names").lines == ["a", "default"])
        #expect(try CommandRun(server, "pause", "a", "100").status == 0)
        #expect(try CommandRun(server, "tubes").text.contains("a (paused "))
        #expect(try CommandRun(server, "watch", "--once").lines.count == 3)
        #expect(try CommandRun(server, "pause", "a", "0").status == 0)
        #expect(try CommandRun(server, "reserve", "-t", "a", "--timeout", "0", "--bury").status == 0)
        #expect(try CommandRun(server, "pause", "nosuch", "1").status == 3)
    }

    @Test(arguments: ServerProgram.kinds)
    func aHeldJobIsDecidedByALine(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        for (line, state) in [("delete", nil), ("release 50", "delayed"), ("bury", "buried"), ("", "ready")] {
            let id = try #require(Int(try CommandRun(server, "put", "x").lines[0]))
            let held = try CommandRun(server, "reserve", "--hold", input: Data("what\n\(line)\n".utf8))
            #expect(held.status == 0)
            #expect(held.errors.contains("write delete"))
            let statistics = try? server.connect().statistics(ofJob: UInt64(id))
            #expect(statistics?["state"] == state)
            _ = try CommandRun(server, "delete", "\(id)")
        }
    }

    @Test(arguments: ServerProgram.kinds)
    func whatIsExportedCanBeImported(kind: ServerProgram.Kind) throws {
        let first = try ServerProgram(kind)
        _ = try CommandRun(first, "put", "-t", "a", "-p", "5", "--ttr", "7", input: Data([0, 10, 255]))
        _ = try CommandRun(first, "put", "-t", "b", "-d", "500", "later")
        _ = try CommandRun(first, "put", "aside")
        _ = try CommandRun(first, "bury", "3")
        let exported = try CommandRun(first, "export")
        #expect(exported.lines.count == 3)
        #expect(try first.connect().tubes() == ["default", "a", "b"], "nothing of the export is left")
        #expect(try CommandRun(first, "export", "-t", "b", "--state", "delayed").lines.count == 1)
        #expect(try CommandRun(first, "export", "--from", "2", "--to", "2").lines.count == 1)

        let second = try ServerProgram(kind)
        let imported = try CommandRun(second, "import", "--json", input: exported.output)
        #expect(imported.text == "{\"imported\":3}\n")
        let connection = try second.connect()
        let states = try (1...3).map { try connection.statistics(ofJob: $0) }
        #expect(states.map { $0["state"] } == ["ready", "delayed", "buried"])
        #expect(states.map { $0["tube"] } == ["a", "b", "default"])
        #expect((states[0].number("pri"), states[0].number("ttr")) == (5, 7))
        #expect(try CommandRun(second, "peek", "1").output == Data([0, 10, 255]))

        let broken = try CommandRun(second, "import", input: Data("{\"body\":\"\"}\n\n{\"body\":\"%\"}\n".utf8))
        #expect(broken.status == 1)
        #expect(broken.errors.contains("Line 3"))
    }

    @Test(arguments: ServerProgram.kinds)
    func unixSocketsAreServersToo(kind: ServerProgram.Kind) throws {
        let path = "/tmp/beanspike-test-\(UUID().uuidString).sock"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let server = try ServerProgram(kind, unixSocket: path)
        #expect(try CommandRun(server, "put", "x").text == "1\n")
        #expect(try CommandRun(server, "reserve", "--delete").text == "x")
    }
}
