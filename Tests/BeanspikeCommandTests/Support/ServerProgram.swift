import Foundation
import Synchronization
import Testing

@testable import BeanspikeCommand

/// A server program that a test starts on a free port of this machine, ended when the test is done with it.
final class ServerProgram {
    /// How to start a server: its path, and its arguments but for the port.
    struct Kind: Sendable, CustomTestStringConvertible {
        let path: String
        let arguments: [String]

        var testDescription: String { ([path] + arguments).joined(separator: " ") }
    }

    /// The variable that names more servers to test against, as `PATH ARGUMENT...`, several separated by `;`.
    static let variable = "BEANSPIKE_TEST_SERVERS"

    /// beanstalkd where it is installed, and what the variable names.
    static let kinds: [Kind] = {
        let environment = ProcessInfo.processInfo.environment
        let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init) + ["/usr/bin", "/usr/sbin"]
        let installed = folders.map { $0 + "/beanstalkd" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        var kinds = installed.map { [Kind(path: $0, arguments: [])] } ?? []
        for entry in (environment[variable] ?? "").split(separator: ";") {
            let words = entry.split(separator: " ").map(String.init)
            if let path = words.first { kinds.append(Kind(path: path, arguments: Array(words.dropFirst()))) }
        }
        return kinds
    }()

    let address: ServerAddress
    private let process: TestProcess

    /// Starts a server, and waits until it takes connections.
    init(_ kind: Kind, unixSocket: String? = nil) throws {
        if let unixSocket {
            address = .unix(path: unixSocket)
            process = try TestProcess(kind.path, kind.arguments + ["-l", "unix:\(unixSocket)"])
        } else {
            let port = try Self.freePort()
            address = .tcp(host: "127.0.0.1", port: port)
            process = try TestProcess(kind.path, kind.arguments + ["-l", "127.0.0.1", "-p", "\(port)"])
        }
        // beanstalkd says nowhere that it is ready: asking is the only way to know.
        let deadline = MonotonicTime.now + 10_000_000_000
        while true {
            do {
                _ = try BeanstalkConnection(to: address)
                return
            } catch {
                guard process.isRunning, MonotonicTime.now < deadline else { throw error }
                _ = poll(nil, 0, 10)
            }
        }
    }

    var processID: pid_t { process.id }

    /// A connection to it.
    func connect() throws -> BeanstalkConnection { try BeanstalkConnection(to: address) }

    /// Counts on, so that no two servers of one run are given the same port: some programs share one without a word.
    private static let lastPort = Atomic<Int>(20_000 + Int(getpid()) % 10_000)

    private static func freePort() throws -> UInt16 {
        for _ in 0..<1_000 {
            let port = UInt16(lastPort.wrappingAdd(1, ordering: .relaxed).newValue)
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            defer { close(listener) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let isFree = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isFree { return port }
        }
        throw CommandError.failed("no free port")
    }
}
