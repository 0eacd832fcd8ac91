import Foundation

/// A Python that has PyPI's `aerospike`.
package enum PythonProgram {
    private static let packageDirectory = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The interpreter: the one that `AEROSPIKE_PYTHON` names, or that of `script/setup`, or `python3`.
    private static let interpreter: String = {
        if let named = ProcessInfo.processInfo.environment["AEROSPIKE_PYTHON"], !named.isEmpty {
            return named
        }
        let own = packageDirectory.appending(path: ".venv/bin/python").path()
        return FileManager.default.isExecutableFile(atPath: own) ? own : "python3"
    }()

    /// What to do where it has not.
    package static let remedy = "no PyPI client `aerospike`: run script/setup, or set AEROSPIKE_PYTHON"

    /// Whether it has the client.
    package static let hasClient = (try? run(["-c", "import aerospike"], within: 30).status) == 0

    /// Runs a script of the package.
    ///
    /// - Parameters:
    ///   - path: where it is in the package.
    ///   - arguments: what it is given.
    /// - Returns: its exit status, and all that it said.
    /// - Throws: why it could not be started.
    package static func run(
        script path: String,
        _ arguments: [String]
    ) async throws -> (status: Int32, output: String) {
        let script = packageDirectory.appending(path: path).path()
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
