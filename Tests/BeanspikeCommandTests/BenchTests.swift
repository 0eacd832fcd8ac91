import Foundation
import Testing

@testable import BeanspikeCommand

/// `beanspike bench` against real servers: what it counts, not how fast it is.
@Suite(.enabled(if: !ServerProgram.kinds.isEmpty, "beanstalkd is not installed, and BEANSPIKE_TEST_SERVERS is not set"))
struct BenchTests {
    @Test(arguments: ServerProgram.kinds, ["1", "32"])
    func everyWorkloadIsCountedAndNothingIsLeft(kind: ServerProgram.Kind, inFlight: String) throws {
        let server = try ServerProgram(kind)
        var line = [
            "bench", "--json", "--jobs", "2000", "--rounds", "2", "--connections", "3", "--in-flight", inFlight,
        ]
        for workload in Workload.allCases { line += ["--workload", workload.rawValue] }
        let bench = try CommandRun(server, line)
        #expect(bench.status == 0, "\(bench.errors)")
        let series = try bench.lines.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(Set(series.map { $0["workload"] as? String }) == Set(Workload.allCases.map(\.rawValue)))
        for one in series {
            let rounds = one["workload"] as? String == "memory" ? 1 : 2
            #expect((one["rounds"] as? [Double])?.count == rounds)
            #expect(one["jobs"] as? Int == 2_000 * rounds)
            #expect(one["errors"] as? Int == 0)
        }
        let connection = try server.connect()
        #expect(try connection.tubes() == ["default"])
        // Warm-ups of a tenth for each of the two ways to connect, the memory round, and 2 rounds of the rest.
        let put = 2 * 200 + 2_000 + 2 * 4 * 2_000
        let statistics = try connection.statistics()
        let counted = ["total-jobs", "cmd-put", "cmd-delete", "current-jobs-ready"].map { statistics.number($0) }
        #expect(counted == [put, put, put, 0].map { UInt64($0) })
    }

    @Test(arguments: ServerProgram.kinds)
    func twoServersAreComparedRoundByRound(kind: ServerProgram.Kind) throws {
        let first = try ServerProgram(kind)
        let second = try ServerProgram(kind)
        let bench = try CommandRun(
            first,
            ["bench", "--versus", "other=\(second.address)", "--jobs", "500", "--rounds", "3", "--json"]
        )
        #expect(bench.status == 0, "\(bench.errors)")
        let ratios = bench.lines.filter { $0.contains("\"ratio\":\"A/other\"") }
        #expect(ratios.count == 2)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(ratios[0].utf8)) as? [String: Any])
        #expect((object["rounds"] as? [Double])?.count == 3)
    }

    @Test(arguments: ServerProgram.kinds)
    func bodiesLargerThanTheBufferAndEmptyOnes(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        for bytes in ["0", "65535"] {
            let line = ["bench", "--body-bytes", bytes, "--jobs", "200", "--rounds", "1", "--in-flight", "16"]
            let bench = try CommandRun(server, line)
            #expect(bench.status == 0, "\(bench.errors)")
        }
        #expect(try server.connect().tubes() == ["default"])
    }

    @Test(arguments: ServerProgram.kinds)
    func errorsAreCountedAndFail(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        let bench = try CommandRun(server, ["bench", "--body-bytes", "65536", "--jobs", "100", "--rounds", "1"])
        #expect(bench.status == 1)
        #expect(bench.text.contains("times JOB_TOO_BIG"))
    }

    @Test(arguments: ServerProgram.kinds)
    func aTimeLimitEndsARoundAndEmptiesTheTube(kind: ServerProgram.Kind) throws {
        let server = try ServerProgram(kind)
        let line = ["bench", "--jobs", "100000000", "--warm-up", "0", "--rounds", "1", "--seconds", "0.1"]
        let bench = try CommandRun(server, line)
        #expect(bench.status == 0, "\(bench.errors)")
        let statistics = try server.connect().statistics()
        #expect(statistics.number("total-jobs") == statistics.number("cmd-delete"))
        #expect(statistics.number("current-jobs-ready") == 0)
    }
}
