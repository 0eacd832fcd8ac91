import BeanspikeCore
import Testing

@testable import BeanspikeCommand

@Suite struct FormatTests {
    @Test func base64IsThatOfRFC4648() {
        let vectors = [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
        for (plain, encoded) in vectors {
            #expect(Base64.encode(Array(plain.utf8)) == encoded)
            #expect(Base64.decode(encoded) == Array(plain.utf8))
        }
        let all = (0...255).map { UInt8($0) }
        #expect(Base64.decode(Base64.encode(all)) == all)
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Z===", "====", "=Zg=", "Zg==Zg==", "Zm9v\n", "Zm-_", "Zé"])
    func refusesWhatIsNoBase64(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func numbersReadWell() {
        #expect(Format.grouped(UInt64(0)) == "0")
        #expect(Format.grouped(UInt64(1_234_567)) == "1,234,567")
        #expect(Format.fixed(1.005, digits: 1) == "1.0")
        #expect(Format.fixed(0.07, digits: 2) == "0.07")
        #expect(Format.fixed(-1.5, digits: 1) == "-1.5")
        #expect(Format.fixed(12.6, digits: 0) == "13")
        #expect(Format.fixed(.infinity, digits: 2) == "-")
        #expect(Format.duration(nanoseconds: 999) == "999 ns")
        #expect(Format.duration(nanoseconds: 12_345) == "12.3 µs")
        #expect(Format.duration(nanoseconds: 1_200_000_000) == "1.20 s")
        #expect(Format.median([]) == nil)
        #expect(Format.median([3]) == 3)
        #expect(Format.median([4, 1]) == 2.5)
        #expect(Format.median([9, 1, 5]) == 5)
    }

    @Test func jsonIsEscaped() {
        let value = JSONValue.object([
            ("a\"\\", .string("\n\t\u{1}é")), ("b", .array([.null, .bool(true), .integer(-1), .unsigned(.max)])),
            ("c", .number(.nan)),
        ])
        #expect(
            value.text == #"{"a\"\\":"\n\t\u0001é","b":[null,true,-1,18446744073709551615],"c":null}"#
        )
    }

    @Test func statisticsKeepTheirOrderAndTheirQuotes() {
        let table = StatisticsTable(Array("---\nname: \"12\"\npri: 5\nrate: 0.5\ndraining: false\nbroken\n".utf8))
        #expect(table.json.text == #"{"name":"12","pri":5,"rate":0.5,"draining":false}"#)
        #expect(table.lines == ["name: 12", "pri: 5", "rate: 0.5", "draining: false"])
        #expect(table.number("pri") == 5)
        #expect(table["nothing"] == nil)
    }

    @Test func aJobIsTheSameAfterExportAndImport() throws {
        let statistics = StatisticsTable(
            Array("---\ntube: \"mails\"\nstate: delayed\npri: 7\ntime-left: 30\nttr: 9\nreserves: 2\n".utf8)
        )
        let line = JobRecord.line(id: 12, body: [0, 255, 10], statistics)
        let job = try JobRecord(line: Array(line.utf8))
        #expect(job.tube.description == "mails")
        #expect((job.priority, job.delay, job.ttr) == (7, 30, 9))
        #expect(!job.isBuried)
        #expect(job.body == [0, 255, 10])
    }

    @Test(arguments: [
        "{}", "[]", "", "{\"body\":1}", "{\"body\":\"x\"}", "{\"body\":\"\",\"priority\":-1}",
        "{\"body\":\"\",\"tube\":\"a b\"}", "{\"body\":\"\",\"state\":\"gone\"}", "{\"body\":\"\",\"ttr\":4294967296}",
    ])
    func refusesLinesThatAreNoJobs(line: String) {
        #expect(throws: CommandError.self) { try JobRecord(line: Array(line.utf8)) }
    }

    @Test func theWatchScreenFitsTheTerminal() {
        func tube(_ name: String, ready: Int, total: Int) -> StatisticsTable {
            StatisticsTable(Array("name: \"\(name)\"\ncurrent-jobs-ready: \(ready)\ntotal-jobs: \(total)\n".utf8))
        }
        let before = TubesSnapshot(tubes: [tube("a", ready: 1, total: 10)], takenAt: 0)
        let now = TubesSnapshot(
            tubes: [tube("a", ready: 1, total: 30), tube("b", ready: 9, total: 9), tube("c", ready: 0, total: 1)],
            takenAt: 2_000_000_000
        )
        let lines = WatchFrame.screen(now, previous: before, server: "here", columns: 72, rows: 6)
        #expect(lines.count <= 6)
        #expect(lines.allSatisfy { $0.count <= 72 })
        #expect(lines[3].hasPrefix("b"))
        #expect(lines[4].hasPrefix("a"))
        #expect(lines[4].split(separator: " ")[7] == "10")
        #expect(lines[5].contains("1 more"))
    }

    @Test func ratiosAreTakenRoundByRound() {
        var first = BenchReport.Series(workload: .put, inFlight: 1, server: 0)
        var other = BenchReport.Series(workload: .put, inFlight: 1, server: 1)
        first.figures = [10, 30, 20]
        other.figures = [5, 10]
        #expect(BenchReport.ratios(first, other) == [2, 3])
    }

    @Test func theProgressBarIsFullAtTheEnd() {
        #expect(ProgressBar.text("x", done: 0, of: 0, cells: 4) == "░░░░ 0 %  x")
        #expect(ProgressBar.text("x", done: 5, of: 10, cells: 4) == "██░░ 50 %  x")
        #expect(ProgressBar.text("x", done: 20, of: 10, cells: 4) == "████ 100 %  x")
    }
}
