import Foundation
import Testing

/// A Python that has PyPI's `aerospike`.
enum PythonProgram {
    /// The interpreter: the one that `AEROSPIKE_PYTHON` names, or `python3`.
    private static let interpreter = ProcessInfo.processInfo.environment["AEROSPIKE_PYTHON"] ?? "python3"

    /// Whether it has the client.
    static let hasClient = (try? run(["-c", "import aerospike"], within: 30).status) == 0

    /// Runs a script of the directory `Clients`.
    ///
    /// - Returns: its exit status, and all that it said.
    static func runClient(_ name: String, _ arguments: [String]) async throws -> (status: Int32, output: String) {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Clients/\(name)").path()
        return try await withCheckedThrowingContinuation { continuation in
            // It blocks, so that it has a thread of its own.
            Thread {
                continuation.resume(with: Result { try run(["-B", "-W", "ignore", script] + arguments, within: 60) })
            }.start()
        }
    }

    private static func run(
        _ arguments: [String],
        within seconds: TimeInterval
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [interpreter] + arguments
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        // A child inherits which signals its parent's thread blocks, and threads of tests block some.
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
        // A script that hangs is a failed test, not a test that hangs.
        let processID = process.processIdentifier
        let ending = DispatchWorkItem { kill(processID, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: ending)
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        ending.cancel()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
