import Aerospike
import Glibc
import NIOCore

/// One blocking connection to a real server, which is all that comparing with it needs.
final class CollectionServer {
    /// What the server did that it should not.
    struct Failure: Error {
        var reason: String
    }

    /// The variable that names the server as `host` or `host:port`; without it the live tests are left out.
    static let address = variable("AEROSPIKE_HOST")

    /// An environment's variable, if it is set to something.
    static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private let descriptor: Int32
    private var decoder = ReplyDecoder()

    init() throws {
        let parts = (Self.address ?? "").split(separator: ":")
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let port = parts.count > 1 ? String(parts[1]) : "3000"
        guard let host = parts.first, getaddrinfo(String(host), port, &hints, &found) == 0, let address = found else {
            throw Failure(reason: "no such host")
        }
        defer { freeaddrinfo(address) }
        descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype, 0)
        guard connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
            throw Failure(reason: "no connection")
        }
        // No reply in this time is a failed test, not a test that hangs.
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close(descriptor)
    }

    /// Does operations to a record, one after the other, and answers each.
    ///
    /// - Throws: ``AerospikeError`` with the server's code.
    func operate(_ key: Key, _ operations: [Operation]) throws -> [Value] {
        let request = RecordRequest.operate(
            key,
            operations,
            readPolicy: ReadPolicy(),
            writePolicy: WritePolicy()
        )
        var buffer = ByteBuffer()
        try buffer.writeRequest(request, timeoutMilliseconds: 1000)
        try send(buffer)
        let message = try receive()
        guard message.resultCode == .ok else { throw AerospikeError(message.resultCode) }
        return try message.record(answering: request).values
    }

    private func send(_ bytes: ByteBuffer) throws {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            let count = bytes.withUnsafeReadableBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(reason: "the connection ended") }
            bytes.moveReaderIndex(forwardBy: count)
        }
    }

    private func receive() throws -> ReplyMessage {
        while true {
            if let frame = try decoder.next() {
                guard case .message(let message, endsBody: true) = frame else { throw Failure(reason: "no message") }
                return message
            }
            var bytes = ByteBuffer()
            let count = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 16384) {
                max(0, recv(descriptor, $0.baseAddress, $0.count, 0))
            }
            guard count > 0 else { throw Failure(reason: "the connection ended") }
            decoder.feed(bytes)
        }
    }
}
