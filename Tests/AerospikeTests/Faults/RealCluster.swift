import Aerospike
import Foundation
import Glibc

/// Three real nodes, started by the program that `AEROSPIKE_UP` names.
///
/// It is called as `aerospike-up -d DIRECTORY -n NODES -r REPLICATION -p PORT -a SERVER`, where SERVER is the server program
/// that `AEROSPIKE_ASD` names. It writes each node's process id to `DIRECTORY/NODE/asd.pid`, leaves nodes that run as they
/// are, and returns when all have joined; with `-k` it ends them all. Node i listens on PORT + 10 i. `AEROSPIKE_DIRECTORY`
/// and `AEROSPIKE_PORT` tell where and on which port, if not in the usual place.
final class RealCluster: FaultyCluster {
    private static let variables = (up: "AEROSPIKE_UP", server: "AEROSPIKE_ASD")

    /// Whether the variables are there.
    static var isAvailable: Bool { environment(variables.up) != nil && environment(variables.server) != nil }

    private static let nodeCount = 3

    private let directory: String
    private let port: Int

    private init() {
        directory = environment("AEROSPIKE_DIRECTORY") ?? "/tmp/faults/nodes"
        port = environment("AEROSPIKE_PORT").flatMap(Int.init) ?? 3300
    }

    /// Starts a cluster and ends it when a function has run.
    static func withCluster<Output>(_ body: (RealCluster) async throws -> Output) async throws -> Output {
        let cluster = RealCluster()
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
        let server = environment(RealCluster.variables.server) ?? ""
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
        let words = [environment(RealCluster.variables.up) ?? "", "-d", directory] + arguments
        let status = await withCheckedContinuation { (continuation: CheckedContinuation<Int32, Never>) in
            // It waits for the program, which takes seconds: no thread of the tasks' own is to do that.
            let thread = Thread { continuation.resume(returning: RealCluster.wait(for: words)) }
            thread.start()
        }
        guard status == 0 else { throw Unexpected() }
    }

    /// Runs a program to its end; its status, or −1 if it cannot be started.
    ///
    /// `Foundation.Process` would wait for the nodes that the program leaves behind too.
    private static func wait(for words: [String]) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        // A child inherits which signals its parent's thread blocks, and threads of tests block some.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var id: pid_t = 0
        guard posix_spawn(&id, words[0], &actions, &attributes, &arguments, environ) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 {
            guard errno == EINTR else { return -1 }
        }
        return status
    }
}

/// A variable's value; nil if it is empty or not there.
private func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}
