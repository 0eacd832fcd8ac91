import Aerospike
import Foundation
import Glibc
import JobStoreTestKit

@testable import AerospikeStore

/// Real nodes, started by the program that `AEROSPIKE_UP` names.
///
/// It is called as `aerospike-up -d DIRECTORY -n NODES -r REPLICATION -p PORT -s memory|file -a SERVER`, where SERVER is the
/// server program that `AEROSPIKE_ASD` names. It writes each node's process id to `DIRECTORY/NODE/asd.pid`, leaves nodes that
/// run as they are, and returns when all have joined; with `-k` it ends them all. Node i listens on PORT + 10 i.
/// `AEROSPIKE_DIRECTORY` and `AEROSPIKE_PORT` tell where and on which port, if not in the usual place.
final class RealNodes: Sendable {
    /// How the nodes are set up.
    struct Setup: Sendable {
        var nodes = 3
        var replicas = 2
        var storage = "memory"
    }

    /// Whether the variables are there.
    static var isAvailable: Bool { value("AEROSPIKE_UP") != nil && value("AEROSPIKE_ASD") != nil }

    private let setup: Setup
    private let directory: String
    private let port: Int

    private init(_ setup: Setup) {
        self.setup = setup
        let base = Self.value("AEROSPIKE_DIRECTORY") ?? "/tmp/faults/queue"
        directory = "\(base)/\(setup.storage)-\(setup.nodes)-\(setup.replicas)"
        port = Self.value("AEROSPIKE_PORT").flatMap(Int.init) ?? 4000
    }

    /// Starts a cluster with nothing in it, and ends it when a function has run.
    static func with(_ setup: Setup, _ body: (RealNodes) async throws -> Void) async throws {
        let nodes = RealNodes(setup)
        try? FileManager.default.removeItem(atPath: nodes.directory)
        do {
            try await nodes.up()
            try await body(nodes)
            try await nodes.end()
        } catch {
            try? await nodes.end()
            throw error
        }
    }

    var seeds: [AerospikeClientConfiguration.Host] {
        (0..<setup.nodes).map { .init("127.0.0.1", port: port + 10 * $0) }
    }

    func kill(_ node: Int) throws { try signal(node, SIGKILL) }
    func terminate(_ node: Int) throws { try signal(node, SIGTERM) }
    func suspend(_ node: Int) throws { try signal(node, SIGSTOP) }
    func resume(_ node: Int) throws { try signal(node, SIGCONT) }

    /// Starts those nodes that do not run; returns when all have joined.
    func up() async throws {
        let server = Self.value("AEROSPIKE_ASD") ?? ""
        try await run([
            "-n", "\(setup.nodes)", "-r", "\(setup.replicas)", "-p", "\(port)", "-s", setup.storage, "-a", server,
        ])
        for node in 0..<setup.nodes {
            let command = "set-config:context=namespace;namespace=test;conflict-resolution-policy=last-update-time"
            guard try await ask(node, command) == "ok" else { throw ConformanceFailure("a node refuses a setting") }
        }
    }

    /// Waits until no partition is on its way any more: then the next node may go.
    func waitUntilMigrated() async throws {
        for _ in 0..<600 {
            var left = 0
            for node in 0..<setup.nodes {
                let statistics = (try? await ask(node, "namespace/test")) ?? "migrate_tx_partitions_remaining=1"
                for part in statistics.split(separator: ";") where part.hasPrefix("migrate_") {
                    guard part.contains("partitions_remaining=") else { continue }
                    left += part.split(separator: "=").last.flatMap { Int($0) } ?? 0
                }
            }
            if left == 0 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw ConformanceFailure("partitions are on their way for a minute")
    }

    private func signal(_ node: Int, _ number: Int32) throws {
        let text = try String(contentsOfFile: "\(directory)/\(node)/asd.pid", encoding: .utf8)
        guard let id = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), id > 1,
            Glibc.kill(id, number) == 0
        else { throw ConformanceFailure("node \(node) cannot be signalled") }
    }

    private func end() async throws {
        // One that is stopped does not hear that it is to end.
        for node in 0..<setup.nodes { try? signal(node, SIGCONT) }
        try await run(["-k"])
    }

    private static func value(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    // MARK: - Programs and questions

    private func run(_ arguments: [String]) async throws {
        let words = [Self.value("AEROSPIKE_UP") ?? "", "-d", directory] + arguments
        guard await Self.onThread({ Self.wait(for: words) }) == 0 else {
            throw ConformanceFailure("\(words.joined(separator: " ")) failed")
        }
    }

    /// The answer of a node to a question about itself.
    private func ask(_ node: Int, _ question: String) async throws -> String {
        let port = UInt16(port + 10 * node)
        guard let answer = await Self.onThread({ Self.answer(of: port, to: question) }) else {
            throw ConformanceFailure("node \(node) does not answer")
        }
        return answer
    }

    /// Runs what blocks where it blocks nobody.
    private static func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: body()) }.start()
        }
    }

    private static func answer(of port: UInt16, to question: String) -> String? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { return nil }
        let text = Array((question + "\n").utf8)
        let header = [UInt8](repeating: 0, count: 8)
        var message = header + text
        message[0] = 2
        message[1] = 1
        for place in 0..<6 { message[2 + place] = UInt8(truncatingIfNeeded: text.count >> (8 * (5 - place))) }
        guard send(socket, message, message.count, 0) == message.count else { return nil }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if received.count >= 8 {
                let length = received[2..<8].reduce(0) { $0 << 8 | Int($1) }
                if received.count >= 8 + length { break }
            }
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            received += buffer[0..<count]
        }
        let answer = String(decoding: received[8...], as: UTF8.self)
        let words = answer.split(separator: "\t")
        return words.dropFirst().first?.trimmingCharacters(in: .whitespacesAndNewlines)
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
