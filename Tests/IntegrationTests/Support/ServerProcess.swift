import Foundation

/// A real server in a process of its own, on a port of its own.
final class ServerProcess: @unchecked Sendable {
    // Safe: what changes (`child`, `port`) changes in `restart` alone, which tests call while nobody else uses this.
    let program: ServerProgram
    /// The port it listens on, on 127.0.0.1.
    private(set) var port: UInt16
    private var child: ChildProcess
    private let arguments: [String]

    /// Starts the server and returns once it takes connections.
    ///
    /// The directory is for the embedded store or beanstalkd's binlog; without one the store is another, in memory
    /// if none is named.
    init(
        _ program: ServerProgram = .underTest,
        directory: String? = nil,
        store: String = "memory:",
        arguments more: [String] = [],
        environment: [String: String] = [:]
    ) throws {
        self.program = program
        switch program.flavor {
        case .beanspike:
            arguments =
                ["-p", "0", "--http", "off"] + (directory.map { ["-b", $0] } ?? ["--store", store]) + more
        case .beanstalkd:
            // -f 0 is as near as it comes to "committed before acknowledged".
            arguments = ["-l", "127.0.0.1"] + (directory.map { ["-b", $0, "-f", "0"] } ?? []) + more
        }
        (child, port) = try Self.start(program, arguments, environment)
    }

    deinit { child.signal(SIGKILL) }

    private static func start(
        _ program: ServerProgram,
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) throws -> (ChildProcess, UInt16) {
        switch program.flavor {
        case .beanspike:
            let child = try ChildProcess(program.path, arguments, environment: environment)
            let line = try child.readOutputLine()
            guard line.hasPrefix("beanspiked listening on "), let colon = line.lastIndex(of: ":"),
                let port = UInt16(line[line.index(after: colon)...])
            else { throw TestFailure("not a ready line: \(line)") }
            return (child, port)
        case .beanstalkd:
            // It cannot be asked for a free port: take one that was free a moment ago, and try again if it is gone.
            for _ in 0..<20 {
                let port = try RawConnection.freePort()
                let child = try ChildProcess(program.path, arguments + ["-p", "\(port)"])
                let deadline = Deadline(seconds: 20)
                while !child.hasEnded, !deadline.hasPassed {
                    if (try? RawConnection(port: port)) != nil { return (child, port) }
                    usleep(2_000)
                }
                child.signal(SIGKILL)
            }
            throw TestFailure("\(program.path) does not listen")
        }
    }

    /// A connection of a client.
    func connect() throws -> RawConnection { try RawConnection(port: port) }

    /// The server's process.
    var processID: pid_t { child.processID }

    /// What the server said on standard error.
    var standardError: String { child.standardError }

    /// Whether the server runs.
    var isRunning: Bool { !child.hasEnded }

    /// Sends it a signal.
    func signal(_ number: Int32) { child.signal(number) }

    /// Ends it as a power cut would end the process.
    func killAtOnce() throws {
        child.signal(SIGKILL)
        _ = try child.waitForExit()
    }

    /// Its exit status once it has ended, or a signal's number negated.
    func waitForExit(seconds: Double = 20) throws -> Int32 { try child.waitForExit(seconds: seconds) }

    /// Asks it to end and returns the exit status.
    func stop(seconds: Double = 20) throws -> Int32 {
        child.signal(SIGTERM)
        return try child.waitForExit(seconds: seconds)
    }

    /// Starts it again after its end, with the same arguments.
    func restart() throws {
        (child, port) = try Self.start(program, arguments)
    }

    /// Memory that the process holds in RAM, in bytes.
    var residentBytes: Int {
        get throws {
            let statm = try String(contentsOfFile: "/proc/\(processID)/statm", encoding: .utf8).split(separator: " ")
            guard statm.count > 1, let pages = Int(statm[1]) else { throw TestFailure("no statm") }
            return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        }
    }
}
