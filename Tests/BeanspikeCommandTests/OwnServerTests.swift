import Foundation
import Testing

@testable import BeanspikeCommand

/// The program on a store, with no server.
@Suite struct OwnServerTests {
    @Test func commandsAreAsWithAServer() throws {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("beanspike-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func run(_ arguments: String..., input: Data = Data()) throws -> CommandRun {
            try CommandRun(arguments: ["--store", "embedded:\(directory)"] + arguments, input: input)
        }
        let body = Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
        #expect(try run("put", "--tube", "a", input: body).text == "1\n")
        #expect(try run("put", "--tube", "a", "hello").text == "2\n")
        #expect(try run("peek", "1").output == body)
        let reserved = try run("reserve", "--tube", "a", "--timeout", "0")
        #expect(reserved.status == 0)
        #expect(reserved.output == body)
        // The reservation ended with the command.
        #expect(try run("reserve", "--tube", "a", "--timeout", "0", "--delete").output == body)
        #expect(try run("work", "a", "--until-empty", "--", "cat").status == 0)
        #expect(try run("reserve", "--tube", "a", "--timeout", "0").status == 3)
        #expect(try run("peek", "9").status == 3)
    }

    @Test func aStoreThatCannotBeOpenedIsOneLine() throws {
        let run = try CommandRun(arguments: ["--store", "embedded:/proc/no/such/place", "stats"])
        #expect(run.status == 1)
        #expect(run.errors.split(separator: "\n").count == 1)
    }
}
