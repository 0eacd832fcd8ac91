import Aerospike
import AerospikeTestKit
import Glibc
import NIOCore

/// One blocking connection to a node, with every byte in the test's hands.
final class NodeClient {
    /// What the test did not expect: the node closed the connection, was silent for too long, or sent another thing.
    enum Unexpected: Error, Equatable {
        case closed
        case silence
        case refused
        case frame
    }

    private let descriptor: Int32
    private var decoder = ReplyDecoder()

    /// Connects.
    init(_ seed: TestCluster.Seed, receiveBufferBytes: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var bytes = receiveBufferBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(seed.port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Unexpected.refused }
        setPatience(milliseconds: 10_000)
    }

    deinit {
        close(descriptor)
    }

    /// How long it waits for bytes; no reply in this time is a failed test, not one that hangs.
    func setPatience(milliseconds: Int) {
        var patience = timeval()
        patience.tv_sec = milliseconds / 1000
        patience.tv_usec = milliseconds % 1000 * 1000
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Tells the node that no more will come.
    func endSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    func send(_ bytes: ByteBuffer) throws {
        guard try sendSome(bytes) == bytes.readableBytes else { throw Unexpected.silence }
    }

    /// Sends until all is sent or the node takes no more; tells how many bytes it took.
    func sendSome(_ bytes: ByteBuffer) throws -> Int {
        var sent = 0
        while sent < bytes.readableBytes {
            let count = bytes.withUnsafeReadableBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EAGAIN { return sent }
            guard count > 0 else { throw Unexpected.closed }
            sent += count
        }
        return sent
    }

    /// Some bytes; none if the node has closed the connection.
    func receiveBytes() throws -> ByteBuffer {
        var bytes = ByteBuffer()
        var errorNumber: Int32 = 0
        let count = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 16384) {
            let count = recv(descriptor, $0.baseAddress, $0.count, 0)
            errorNumber = count < 0 ? errno : 0
            return max(0, count)
        }
        if count == 0, errorNumber == EAGAIN { throw Unexpected.silence }
        return bytes
    }

    func receive() throws -> ReplyDecoder.Frame {
        while true {
            if let frame = try decoder.next() { return frame }
            let bytes = try receiveBytes()
            guard bytes.readableBytes > 0 else { throw Unexpected.closed }
            decoder.feed(bytes)
        }
    }

    func receiveMessage() throws -> ReplyMessage {
        guard case .message(let message, _) = try receive() else { throw Unexpected.frame }
        return message
    }

    // MARK: Calls

    func info(_ names: String...) throws -> [String: String] {
        var buffer = ByteBuffer()
        try InfoMessage.write(names, into: &buffer)
        try send(buffer)
        guard case .info(let body) = try receive() else { throw Unexpected.frame }
        return try InfoMessage.parse(body)
    }

    /// The answer to one name.
    func ask(_ name: String) throws -> String {
        try info(name)[name] ?? ""
    }

    func send(_ request: RecordRequest, timeoutMilliseconds: UInt32 = 0) throws {
        var buffer = ByteBuffer()
        try buffer.writeRequest(request, timeoutMilliseconds: timeoutMilliseconds)
        try send(buffer)
    }

    func code(_ request: RecordRequest, timeoutMilliseconds: UInt32 = 0) throws -> ResultCode {
        try send(request, timeoutMilliseconds: timeoutMilliseconds)
        return try receiveMessage().resultCode
    }

    func call(_ request: RecordRequest) throws -> Record {
        try send(request)
        let message = try receiveMessage()
        guard message.resultCode == .ok else { throw AerospikeError(message.resultCode) }
        return try message.record(answering: request)
    }

    func put(_ key: Key, _ value: Value) throws -> ResultCode {
        try code(.put(key, bins: [("v", value)], policy: WritePolicy()))
    }

    /// The value that ``put(_:_:)`` wrote; nil if there is no record.
    func get(_ key: Key) throws -> Value? {
        do {
            return try call(.get(key, bins: nil, policy: ReadPolicy()))["v"]
        } catch let error as AerospikeError where error.code == .notFound {
            return nil
        }
    }

    func delete(_ key: Key) throws -> ResultCode {
        try code(.delete(key, policy: WritePolicy()))
    }

    /// The messages of a reply that goes on to one that is last.
    func stream(_ request: ByteBuffer) throws -> [ReplyMessage] {
        try send(request)
        var messages: [ReplyMessage] = []
        while true {
            let message = try receiveMessage()
            if message.isLast {
                guard message.resultCode == .ok else { throw AerospikeError(message.resultCode) }
                return messages
            }
            messages.append(message)
        }
    }
}

/// A key of the tests.
func testKey(_ name: String) -> Key {
    Key(namespace: "test", set: "kit", .string(name))
}
