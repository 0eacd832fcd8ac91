import Foundation
import Testing

/// The files in `deploy`.
enum Deployment {
    /// The package's directory.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    static func path(_ name: String) -> String { root + "/deploy/" + name }

    static func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    /// Expects that the server takes the flags: with `-v` it looks at them all, and serves nothing.
    static func checkFlags(_ flags: [String]) throws {
        let child = try ChildProcess(ServerProgram.productsDirectory + "/beanspiked", flags + ["-v"])
        let output = child.readOutputToEnd()
        #expect(try child.waitForExit() == 0, "\(flags): \(child.standardError)")
        #expect(output.hasPrefix("beanspiked "))
    }
}

/// A server that answers one request of one connection.
final class ScriptedPeer: @unchecked Sendable {
    // Safe: `asked` is used under the lock alone; the rest never changes.
    let port: UInt16
    private let listener: Int32
    private let lock = NSLock()
    private var asked = false

    /// Whether the request has come, as it was expected.
    var wasAsked: Bool { lock.withLock { asked } }

    init(expecting request: [UInt8], reply: [UInt8]) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let port = try RawConnection.freePort()
        self.port = port
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isBound, listen(listener, 1) == 0 else { throw TestFailure("cannot listen on \(port)") }
        let listening = listener
        Thread.detachNewThread { [weak self] in
            let connection = accept(listening, nil, nil)
            guard connection >= 0 else { return }
            defer { close(connection) }
            var got: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 256)
            while got.count < request.count {
                let count = recv(connection, &chunk, chunk.count, 0)
                guard count > 0 else { return }
                got += chunk.prefix(count)
            }
            self?.lock.withLock { self?.asked = got == request }
            _ = send(connection, reply, reply.count, Int32(MSG_NOSIGNAL))
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
