import Aerospike
import Foundation

/// Three real nodes, started by the program that `AEROSPIKE_UP` names.
///
/// It is called as `aerospike-up -d DIRECTORY -n NODES -r REPLICATION -p PORT -a SERVER`, where SERVER is the server program
/// that `AEROSPIKE_ASD` names. It writes each node's process id to `DIRECTORY/NODE/asd.pid`, leaves nodes that run as they
/// are, and returns when all have joined; with `-k` it ends them all. Node i listens on PORT + 10 i.
final class RealCluster: FaultyCluster {
    private static let variables = (up: "AEROSPIKE_UP", server: "AEROSPIKE_ASD")

    /// Whether the variables are there.
    static var isAvailable: Bool {
        let environment = ProcessInfo.processInfo.environment
        return environment[variables.up] != nil && environment[variables.server] != nil
    }

    private static let nodeCount = 3

    private let directory: String
    private let port: Int

    private init() throws {
        let environment = ProcessInfo.processInfo.environment
        let directory = environment["AEROSPIKE_DIRECTORY"] ?? FileManager.default.temporaryDirectory.path + "/faults"
        self.directory = directory
        port = environment["AEROSPIKE_PORT"].flatMap(Int.init) ?? 3300
    }

    /// Starts a cluster and ends it when a function has run.
    static func withCluster<Output>(_ body: (RealCluster) async throws -> Output) async throws -> Output {
        let cluster = try RealCluster()
        try await cluster.up()
        do {
            let output = try await body(cluster)
            try await cluster.end()
            return output
        } catch {
            try? await cluster.end()
            throw error
        }
    }

    var seeds: [AerospikeClientConfiguration.Host] {
        (0..<RealCluster.nodeCount).map { .init("127.0.0.1", port: port + 10 * $0) }
    }

    func kill(_ node: Int) async throws { try signal(node, SIGKILL) }
    func terminate(_ node: Int) async throws { try signal(node, SIGTERM) }
    func suspend(_ node: Int) async throws { try signal(node, SIGSTOP) }
    func resume(_ node: Int) async throws { try signal(node, SIGCONT) }
    func restart(_ node: Int) async throws { try await up() }

    private func signal(_ node: Int, _ number: Int32) throws {
        let text = try String(contentsOfFile: "\(directory)/\(node)/asd.pid", encoding: .utf8)
        guard let id = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), id > 1 else { throw Unexpected() }
        guard Glibc.kill(id, number) == 0 else { throw Unexpected() }
    }

    private func up() async throws {
        let server = ProcessInfo.processInfo.environment[RealCluster.variables.server] ?? ""
        try await run(["-n", "\(RealCluster.nodeCount)", "-r", "2", "-p", "\(port)", "-a", server])
    }

    private func end() async throws {
        // One that is stopped does not hear that it is to end.
        for node in 0..<RealCluster.nodeCount {
            try? signal(node, SIGCONT)
        }
        try await run(["-k"])
    }

    private func run(_ arguments: [String]) async throws {
        let process = Process()
        let program = ProcessInfo.processInfo.environment[RealCluster.variables.up] ?? ""
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["-d", directory] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let status = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            // A child inherits which signals its parent's thread blocks, and threads of tests block some.
            var none = sigset_t()
            var before = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, &before)
            defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        guard status == 0 else { throw Unexpected() }
    }
}
