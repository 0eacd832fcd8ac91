import ArgumentParser
import Beanspike
import BeanspikeCore
import Testing

@testable import BeanspikeCommand

@Suite struct DoctorTests {
    private static let findings = [
        StoreFinding(.fine, "nodes", "3 nodes", meaning: "They are there."),
        StoreFinding(
            .refused,
            "policy",
            "\"bad\"",
            meaning: "Jobs are lost.",
            remedy: .init(
                "Set it.",
                commands: ["set all"],
                alternatives: ["set 1", "set 2"],
                configuration: ["a {", "}"]
            )
        ),
    ]

    private func report() throws -> DoctorReport {
        let examination = StoreExamination(promise: "Little.", findings: Self.findings)
        return DoctorReport(location: try StoreLocation("aerospike://a/jobs"), examination: examination)
    }

    @Test func whatIsFineTakesALineAndTheRestIsExplained() throws {
        #expect(
            try report().lines(isVerbose: false) == [
                "aerospike://a:3000/jobs", "  Little.", "", "fine      nodes   3 nodes", "REFUSED   policy  \"bad\"",
                "          Jobs are lost.", "          Set it.", "            $ set all",
                "            or, node by node:",
                "            $ set 1", "            $ set 2", "            in aerospike.conf:", "              a {",
                "              }", "", "1 refused, 0 warnings, 1 fine",
            ]
        )
        #expect(try report().lines(isVerbose: true).contains("          They are there."))
    }

    @Test func programsGetALineForEachFindingAndOneForAll() throws {
        #expect(
            try report().json.map(\.text) == [
                #"{"level":"fine","subject":"nodes","state":"3 nodes","meaning":"They are there.","remedy":null}"#,
                #"{"level":"refused","subject":"policy","state":"\"bad\"","meaning":"Jobs are lost.","#
                    + #""remedy":{"advice":"Set it.","commands":["set all"],"alternatives":["set 1","set 2"],"#
                    + #""configuration":["a {","}"]}}"#,
                #"{"store":"aerospike://a:3000/jobs","level":"refused","promise":"Little."}"#,
            ]
        )
    }

    @Test(arguments: [
        (["doctor", "memory:"], StoreLocation.memory), (["doctor", "--store", "memory:"], .memory),
        (["--store", "memory:", "doctor"], .memory), (["doctor"], .default),
    ])
    func theStoreIsNamedEitherWay(arguments: [String], location: StoreLocation) throws {
        let doctor = try #require(try BeanspikeTool.parseAsRoot(arguments) as? DoctorCommand)
        #expect(try doctor.location(environment: [:]) == location)
        let named = try doctor.location(environment: ["AEROSPIKE_HOST": "h"])
        #expect(named == (location == .default ? try StoreLocation("aerospike://h") : location))
    }

    /// Exit codes: 0 fine or warnings, 1 refused or not to be reached, 2 misused.
    @Test(
        arguments: [
            (["doctor", "memory:"], 0), (["doctor", "embedded:/proc"], 1),
            (["doctor", "aerospike://127.0.0.1:1"], 1),
            (["doctor", "nonsense"], 2), (["doctor", "memory:", "--store", "memory:"], 2),
            (["doctor", "--server", "a:1"], 2),
        ] as [([String], Int32)]
    )
    func exitCodesTell(arguments: [String], code: Int32) throws {
        // In a process of its own: it blocks its thread until the nodes have answered.
        #expect(try TestProcess(CommandRun.program, arguments).wait() == code)
    }
}
