import BeanspikeCore
import Foundation
import Testing

@testable import BeanspikeCommand

/// `beanspike work` against real servers.
@Suite(.enabled(if: !ServerProgram.kinds.isEmpty, "beanstalkd is not installed, and BEANSPIKE_TEST_SERVERS is not set"))
struct WorkTests {
    @Test(arguments: ServerProgram.kinds)
    func aCommandThatSucceedsDeletesItsJob(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        for body in ["a", "b", "c"] { _ = try CommandRun(server, "put", "-t", "w", body) }
        let script = "printf '%s %s %s %s\\n' \"$(cat)\" $BEANSPIKE_JOB_ID $BEANSPIKE_TUBE $BEANSPIKE_ATTEMPT"
        let work = try CommandRun(server, "work", "w", "--until-empty", "-c", "2", "--", "sh", "-c", script)
        #expect(work.status == 0)
        #expect(work.lines.sorted() == ["a 1 w 1", "b 2 w 1", "c 3 w 1"])
        #expect(try server.connect().tubes() == ["default"])
    }

    @Test(arguments: ServerProgram.kinds)
    func aCommandThatFailsReleasesItsJobAndBuriesItInTheEnd(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        _ = try CommandRun(server, "put", "-t", "w", "-p", "77", "x")
        let line = ["work", "w", "--json", "--quiet", "--attempts", "2", "--count", "2", "--backoff", "1"]
        let work = try CommandRun(server, line + ["--", "sh", "-c", "echo noise; exit 4"])
        #expect(work.status == 0)
        let outcomes = try work.lines.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(outcomes.map { $0["outcome"] as? String } == ["released", "buried"])
        #expect(outcomes.map { $0["attempt"] as? Int } == [1, 2])
        #expect(outcomes.map { $0["exit_status"] as? Int } == [4, 4])
        #expect(outcomes[0]["delay"] as? Int == 1)
        #expect(work.errors.contains("noise"), "with --json the command's output goes to standard error")
        let statistics = try server.connect().statistics(ofJob: 1)
        #expect(statistics["state"] == "buried")
        #expect(statistics.number("pri") == 77)
    }

    @Test(arguments: ServerProgram.kinds)
    func aJobIsTouchedForAsLongAsItsCommandRuns(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        _ = try CommandRun(server, "put", "-t", "w", "--ttr", "1", "x")
        let work = try CommandRun(server, "work", "w", "--until-empty", "--", "sleep", "2.5")
        #expect(work.status == 0)
        #expect(work.errors.contains("deleted"))
        let statistics = try server.connect().statistics()
        #expect(statistics.number("job-timeouts") == 0)
        #expect(try #require(statistics.number("cmd-touch")) >= 5)
    }

    @Test(arguments: ServerProgram.kinds)
    func aSignalLetsTheCommandFinish(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        for _ in 1...2 { _ = try CommandRun(server, "put", "-t", "w", "x") }
        // The command itself tells its worker to stop, so that no clock decides what the test sees.
        let script = "kill -TERM $PPID; sleep 0.3; echo finished"
        let work = try CommandRun(server, "work", "w", "--", "sh", "-c", script)
        #expect(work.status == 0)
        #expect(work.lines == ["finished"])
        #expect(try server.connect().statistics(ofTube: try #require(TubeName("w"))).number("current-jobs-ready") == 1)
    }

    @Test(arguments: ServerProgram.kinds)
    func aSecondSignalEndsTheCommandAndGivesTheJobBack(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        _ = try CommandRun(server, "put", "-t", "w", "x")
        let script = "kill -TERM $PPID; kill -INT $PPID; sleep 60; echo finished"
        let work = try CommandRun(server, "work", "w", "--attempts", "1", "--", "sh", "-c", script)
        #expect(work.status == 0)
        #expect(work.lines.isEmpty)
        #expect(try server.connect().statistics(ofJob: 1)["state"] == "ready")
    }

    @Test(arguments: ServerProgram.kinds)
    func aCommandThatCannotBeRunCostsNoJob(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        _ = try CommandRun(server, "put", "-t", "w", "x")
        let work = try CommandRun(server, "work", "w", "--", "/nonexistent/program")
        #expect(work.status == 1)
        #expect(work.errors.contains("Cannot run /nonexistent/program"))
        #expect(try server.connect().statistics(ofJob: 1)["state"] == "ready")
    }

    @Test func aTouchThatIsRefusedEndsTheCommand() throws {
        let server = try ScriptedServer { line in
            switch line.prefix(while: { $0 != " " }) {
            case "watch", "ignore": "WATCHING 1\r\n"
            case "reserve": "RESERVED 7 1\r\nx\r\n"
            case "stats-job": "OK 35\r\n---\nid: 7\npri: 0\nttr: 1\nreserves: 1\r\n"
            default: "NOT_FOUND\r\n"
            }
        }
        let script = "sleep 30; echo finished"
        let work = try CommandRun(server.address, ["work", "w", "--count", "1", "--json", "--", "sh", "-c", script])
        #expect(work.status == 0)
        #expect(work.text.contains(#""outcome":"lost""#))
        #expect(work.errors.contains("job 7 is lost"))
        #expect(!work.errors.contains("finished"))
    }

    @Test(arguments: ServerProgram.kinds)
    func aServerThatGoesAwayEndsTheCommand(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        _ = try CommandRun(server, "put", "-t", "w", "--ttr", "1", "x")
        let script = "kill -KILL \(server.processID); sleep 30; echo finished"
        let work = try CommandRun(server, "work", "w", "--count", "1", "--", "sh", "-c", script)
        #expect(work.status == 0)
        #expect(work.lines.isEmpty)
        #expect(work.errors.contains("is lost"))
    }
}
