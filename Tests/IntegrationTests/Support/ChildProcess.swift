import Foundation

/// A program that runs beside the test, with a bound on every wait.
///
/// Its standard error goes to a file, so that it never blocks on a pipe that nobody reads.
final class ChildProcess: @unchecked Sendable {
    // Safe: `process` is used only before `run` returns, but for its constant id; `status` is guarded by `ended`.
    private let process = Process()
    private let ended = NSCondition()
    private var status: Int32?
    private let errorFile: URL
    private let output: Pipe
    private var outputBuffer: [UInt8] = []

    /// Starts the program.
    init(_ path: String, _ arguments: [String], environment: [String: String] = [:], directory: String? = nil) throws {
        errorFile = FileManager.default.temporaryDirectory.appendingPathComponent("beanspike-\(UUID()).stderr")
        _ = FileManager.default.createFile(atPath: errorFile.path, contents: nil)
        output = Pipe()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errorFile)
        process.terminationHandler = { [weak self] process in
            self?.end(
                process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
            )
        }
        // A child inherits which signals its parent's thread blocks, and threads of tests block some.
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
        try? output.fileHandleForWriting.close()
    }

    deinit {
        if status == nil { kill(processID, SIGKILL) }
        try? FileManager.default.removeItem(at: errorFile)
    }

    /// The process's id.
    var processID: pid_t { process.processIdentifier }

    private func end(_ code: Int32) {
        ended.lock()
        status = code
        ended.broadcast()
        ended.unlock()
    }

    /// Sends the signal, unless the process has ended.
    func signal(_ number: Int32) {
        ended.lock()
        defer { ended.unlock() }
        if status == nil { kill(processID, number) }
    }

    /// The exit status once the process has ended, or a signal's number negated.
    func waitForExit(seconds: Double = 20) throws -> Int32 {
        let deadline = Date(timeIntervalSinceNow: seconds)
        ended.lock()
        defer { ended.unlock() }
        while status == nil {
            guard ended.wait(until: deadline) else {
                throw TestFailure("process \(processID) did not end in \(seconds) s; it said: \(standardError)")
            }
        }
        return status ?? 0
    }

    /// Whether the process has ended.
    var hasEnded: Bool {
        ended.lock()
        defer { ended.unlock() }
        return status != nil
    }

    /// Everything on standard error so far.
    var standardError: String {
        String(decoding: (try? Data(contentsOf: errorFile)) ?? Data(), as: UTF8.self)
    }

    /// The next line of standard output, without its end.
    func readOutputLine(seconds: Double = 30) throws -> String {
        let deadline = Deadline(seconds: seconds)
        while true {
            if let end = outputBuffer.firstIndex(of: 0x0A) {
                let line = String(decoding: outputBuffer[..<end], as: UTF8.self)
                outputBuffer.removeSubrange(...end)
                return line
            }
            let descriptor = output.fileHandleForReading.fileDescriptor
            var chunk = [UInt8](repeating: 0, count: 4096)
            guard try Descriptor.wait(descriptor, for: POLLIN, until: deadline) else {
                throw TestFailure("no line on standard output in \(seconds) s; standard error: \(standardError)")
            }
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else {
                throw TestFailure("standard output ended; standard error: \(standardError)")
            }
            outputBuffer += chunk[..<count]
        }
    }

    /// All of standard output, once the process has closed it.
    func readOutputToEnd() -> String {
        let rest = (try? output.fileHandleForReading.readToEnd()) ?? nil
        return String(decoding: outputBuffer + Array(rest ?? Data()), as: UTF8.self)
    }
}

/// Why a test's own machinery gave up.
struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// A point in time that a wait ends at.
struct Deadline {
    private let end: ContinuousClock.Instant
    init(seconds: Double) { end = .now + .seconds(seconds) }
    /// Milliseconds that are left, at least 0.
    var milliseconds: Int32 { Int32(clamping: max(0, Int64((end - .now) / .milliseconds(1)))) }
    var hasPassed: Bool { end <= .now }
}

/// Waiting on file descriptors.
enum Descriptor {
    /// Whether the descriptor is ready for the events before the deadline.
    static func wait(_ descriptor: Int32, for events: Int32, until deadline: Deadline) throws -> Bool {
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let count = poll(&entry, 1, deadline.milliseconds)
            if count > 0 { return true }
            if count == 0 { return false }
            guard errno == EINTR else { throw TestFailure("poll: \(String(cString: strerror(errno)))") }
        }
    }
}
