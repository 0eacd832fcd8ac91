import Foundation
import Testing

/// The unit files in `deploy`.
@Suite struct UnitFileTests {
    private static let analyzer = "/usr/bin/systemd-analyze"
    private static let names = ["beanspiked.service", "beanspiked@.service"]

    /// The values of the lines that begin with a key.
    private func values(_ key: String, in text: String) -> [String] {
        text.split(separator: "\n").filter { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
    }

    /// Names and values of lines such as `NAME=value`.
    private func variables(_ lines: [String]) -> [String: String] {
        Dictionary(
            lines.map { line in
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }
        ) { $1 }
    }

    /// What is run, in words, as systemd makes them (systemd.service(5), "Command lines").
    private func words(of unit: String, _ variables: [String: String]) throws -> [String] {
        let command = try #require(values("ExecStart", in: unit).first)
        return command.split(separator: " ").flatMap { word -> [String] in
            if word.hasPrefix("$"), !word.hasPrefix("${") {
                return (variables[String(word.dropFirst())] ?? "").split(separator: " ").map(String.init)
            }
            var text = String(word).replacingOccurrences(of: "%i", with: "11301")
            for (name, value) in variables { text = text.replacingOccurrences(of: "${\(name)}", with: value) }
            return [text]
        }
    }

    @Test(arguments: names)
    func theServerTakesItsFlags(name: String) async throws {
        let unit = try Deployment.text(name)
        let defaults = variables(values("Environment", in: unit))
        let sample = try Deployment.text("beanspiked.env").split(separator: "\n")
            .map { $0.hasPrefix("#BEANSPIKED_") ? String($0.dropFirst()) : String($0) }
            .filter { $0.hasPrefix("BEANSPIKED_") }
        #expect(sample.count == 4)
        for more in [[:], variables(sample)] {
            let words = try words(of: unit, defaults.merging(more) { $1 })
            #expect(words.first == "/usr/local/bin/beanspiked")
            #expect(!words.contains { $0.contains("$") || $0.contains("%") })
            try await onThread { try Deployment.checkFlags(Array(words.dropFirst())) }
        }
        // What the sample offers is what the units know.
        let known = Set(variables(values("Environment", in: try Deployment.text(Self.names[0]))).keys)
        #expect(Set(variables(sample).keys) == known)
    }

    @Test(
        .enabled(if: access(analyzer, X_OK) == 0, "there is no systemd-analyze"),
        arguments: names
    )
    func systemdTakesTheUnit(name: String) async throws {
        try await onThread {
            let directory = try TemporaryDirectory()
            // A program that is there, wherever the test runs.
            let unit = try Deployment.text(name)
                .replacingOccurrences(
                    of: "/usr/local/bin/beanspiked",
                    with: ServerProgram.productsDirectory + "/beanspiked"
                )
            let path = directory.path + "/" + name
            try Data(unit.utf8).write(to: URL(fileURLWithPath: path))
            let child = try ChildProcess(Self.analyzer, ["verify", "--man=no", path])
            #expect(try child.waitForExit(seconds: 60) == 0)
            // A line that it does not know is told, and no failure. What it says of other units is not ours.
            let complaints = child.standardError.split(separator: "\n").filter { $0.contains(name) }
            #expect(complaints == [])
        }
    }
}
