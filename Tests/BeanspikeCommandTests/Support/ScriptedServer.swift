import Foundation

@testable import BeanspikeCommand

/// A server on a Unix socket that says to each line what a test tells it to; it takes one connection.
final class ScriptedServer {
    let address: ServerAddress
    private let path: String
    private let listener: Int32

    /// Listens; `answer` is called on another thread for each line, without its CRLF.
    init(_ answer: @escaping @Sendable (String) -> String) throws {
        path = "/tmp/beanspike-test-\(UUID().uuidString).sock"
        address = .unix(path: path)
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let outcome = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard outcome == 0, listen(listener, 1) == 0 else { throw CommandError.failed("cannot listen at \(path)") }
        Thread.detachNewThread {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            defer { close(connection) }
            var line: [UInt8] = []
            var byte: UInt8 = 0
            while read(connection, &byte, 1) == 1 {
                line.append(byte)
                guard byte == UInt8(ascii: "\n") else { continue }
                let reply = Array(answer(String(decoding: line.dropLast(2), as: UTF8.self)).utf8)
                guard send(connection, reply, reply.count, Int32(MSG_NOSIGNAL)) == reply.count else { return }
                line = []
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        unlink(path)
    }
}
