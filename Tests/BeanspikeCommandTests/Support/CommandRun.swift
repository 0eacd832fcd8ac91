import Foundation
import Testing

/// One run of the `beanspike` program that was built with these tests.
struct CommandRun {
    let status: Int32
    let output: Data
    let errors: String

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    /// Runs the program to its end.
    init(_ server: ServerProgram, _ arguments: [String], input: Data = Data()) throws {
        let running = try RunningCommand(server, arguments, input: input)
        self = try running.finish()
    }

    init(_ server: ServerProgram, _ arguments: String..., input: Data = Data()) throws {
        try self.init(server, arguments, input: input)
    }

    fileprivate init(status: Int32, output: Data, errors: String) {
        self.status = status
        self.output = output
        self.errors = errors
    }
}

/// A `beanspike` that runs.
final class RunningCommand {
    let process = Process()
    private let output: URL
    private let errors: URL
    private let folder: URL

    /// Starts it; its output goes to files, so that nothing has to be read while it runs.
    init(_ server: ServerProgram, _ arguments: [String], input: Data = Data()) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("beanspike-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        output = folder.appendingPathComponent("output")
        errors = folder.appendingPathComponent("errors")
        let inputFile = folder.appendingPathComponent("input")
        try input.write(to: inputFile)
        for file in [output, errors] { try Data().write(to: file) }
        process.executableURL = Self.program
        process.arguments = ["--server", "\(server.address)"] + arguments
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
    }

    deinit {
        if process.isRunning { process.terminate() }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Waits for its end.
    func finish() throws -> CommandRun {
        process.waitUntilExit()
        return CommandRun(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: try Data(contentsOf: output),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self)
        )
    }

    /// The program is built beside the tests.
    private static let program: URL = {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent("beanspike")
    }()
}
