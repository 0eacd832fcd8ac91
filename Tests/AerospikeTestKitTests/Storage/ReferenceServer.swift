import Aerospike
import AerospikeTestKit
import Glibc
import NIOCore

/// One blocking connection to a real server, to compare with.
final class ReferenceServer {
    struct Unexpected: Error {}

    /// The variable that names the server as `host` or `host:port`; without it the live tests are left out.
    static let address = getenv("AEROSPIKE_HOST").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }

    private let descriptor: Int32
    private var decoder = ReplyDecoder()

    init() throws {
        let parts = (Self.address ?? "").split(separator: ":")
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let port = parts.count > 1 ? String(parts[1]) : "3000"
        guard let host = parts.first, getaddrinfo(String(host), port, &hints, &found) == 0, let address = found else {
            throw Unexpected()
        }
        defer { freeaddrinfo(address) }
        descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype, 0)
        guard connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else { throw Unexpected() }
        var noDelay: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit {
        close(descriptor)
    }

    private func send(_ bytes: ByteBuffer) throws {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            let count = bytes.withUnsafeReadableBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Unexpected() }
            bytes.moveReaderIndex(forwardBy: count)
        }
    }

    private func receive() throws -> ReplyDecoder.Frame {
        while true {
            if let frame = try decoder.next() {
                return frame
            }
            // No reply in this time is a failed test, not a test that hangs.
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 10_000) == 1 else { throw Unexpected() }
            var bytes = ByteBuffer()
            let count = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 65536) {
                max(0, recv(descriptor, $0.baseAddress, $0.count, 0))
            }
            guard count > 0 else { throw Unexpected() }
            decoder.feed(bytes)
        }
    }

    func info(_ names: String...) throws -> [String: String] {
        var buffer = ByteBuffer()
        try InfoMessage.write(names, into: &buffer)
        try send(buffer)
        guard case .info(let body) = try receive() else { throw Unexpected() }
        return try InfoMessage.parse(body)
    }

    /// How many messages a reply has.
    enum ReplyForm {
        /// One.
        case one
        /// As many as come before the one that is last.
        case many
        /// The same, or one alone that refuses.
        case manyOrRefusal
    }

    /// The messages of the reply to a request.
    func messages(_ request: ByteBuffer, _ form: ReplyForm) throws -> [ReplyMessage] {
        try send(request)
        var messages: [ReplyMessage] = []
        while true {
            guard case .message(let message, _) = try receive() else { throw Unexpected() }
            messages.append(message)
            let isRefusal = form == .manyOrRefusal && message.resultCode != .ok && message.donePartitionID == nil
            if message.isLast || form == .one || isRefusal {
                return messages
            }
        }
    }
}
