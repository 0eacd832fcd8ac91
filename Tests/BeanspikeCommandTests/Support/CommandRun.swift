import Foundation

@testable import BeanspikeCommand

/// One run of the `beanspike` program that was built with these tests, to its end.
struct CommandRun {
    /// The exit status, or the negative number of the signal that ended it.
    let status: Int32
    let output: Data
    let errors: String

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    /// Runs the program; input and output are files, so that nobody waits for anybody to read.
    init(_ server: ServerAddress, _ arguments: [String], input: Data = Data()) throws {
        try self.init(arguments: ["--server", "\(server)"] + arguments, input: input)
    }

    init(arguments: [String], input: Data = Data()) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("beanspike-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let names = ["input", "output", "errors"].map { folder.appendingPathComponent($0) }
        try input.write(to: names[0])
        let descriptors = names.map { open($0.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
        defer { for descriptor in descriptors { close(descriptor) } }
        let process = try TestProcess(
            Self.program,
            arguments,
            input: descriptors[0],
            output: descriptors[1],
            errors: descriptors[2]
        )
        status = process.wait()
        output = try Data(contentsOf: names[1])
        errors = String(decoding: try Data(contentsOf: names[2]), as: UTF8.self)
    }

    init(_ server: ServerProgram, _ arguments: [String], input: Data = Data()) throws {
        try self.init(server.address, arguments, input: input)
    }

    init(_ server: ServerProgram, _ arguments: String..., input: Data = Data()) throws {
        try self.init(server.address, arguments, input: input)
    }

    /// The program is built beside the tests.
    static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("beanspike").path
}
