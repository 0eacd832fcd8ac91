package import Aerospike
package import AerospikeTestKit
import Glibc
package import NIOCore

/// One blocking connection to a node, real or in process, with every byte in the test's hands.
package final class RawConnection {
    /// What the test did not expect: the node closed the connection, was silent for too long, or sent another thing.
    package enum Unexpected: Error, Equatable {
        case closed
        case silence
        case refused
        case frame
    }

    private let descriptor: Int32
    private var decoder = ReplyDecoder()

    /// Connects to a node in process.
    package convenience init(_ seed: TestCluster.Seed, receiveBufferBytes: Int32? = nil) throws {
        try self.init(host: seed.host, port: seed.port, receiveBufferBytes: receiveBufferBytes)
    }

    /// Connects.
    package init(host: String, port: Int, receiveBufferBytes: Int32? = nil) throws {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let address = found else { throw Unexpected.refused }
        defer { freeaddrinfo(address) }
        descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype, 0)
        if var bytes = receiveBufferBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        guard connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
            throw Unexpected.refused
        }
        var noDelay: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(MemoryLayout<Int32>.size))
        setPatience(milliseconds: 10_000)
    }

    deinit {
        close(descriptor)
    }

    /// How long it waits for bytes; no reply in this time is a failed test, not one that hangs.
    package func setPatience(milliseconds: Int) {
        var patience = timeval()
        patience.tv_sec = milliseconds / 1000
        patience.tv_usec = milliseconds % 1000 * 1000
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Tells the node that no more will come.
    package func endSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    package func send(_ bytes: ByteBuffer) throws {
        guard try sendSome(bytes) == bytes.readableBytes else { throw Unexpected.silence }
    }

    /// Sends until all is sent or the node takes no more; tells how many bytes it took.
    package func sendSome(_ bytes: ByteBuffer) throws -> Int {
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
    package func receiveBytes() throws -> ByteBuffer {
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

    package func receive() throws -> ReplyDecoder.Frame {
        while true {
            if let frame = try decoder.next() { return frame }
            let bytes = try receiveBytes()
            guard bytes.readableBytes > 0 else { throw Unexpected.closed }
            decoder.feed(bytes)
        }
    }

    package func receiveMessage() throws -> ReplyMessage {
        guard case .message(let message, _) = try receive() else { throw Unexpected.frame }
        return message
    }

    // MARK: Calls

    package func info(_ names: String...) throws -> [String: String] {
        var buffer = ByteBuffer()
        try InfoMessage.write(names, into: &buffer)
        try send(buffer)
        guard case .info(let body) = try receive() else { throw Unexpected.frame }
        return try InfoMessage.parse(body)
    }

    /// The answer to one name.
    package func ask(_ name: String) throws -> String {
        try info(name)[name] ?? ""
    }

    package func send(_ request: RecordRequest, timeoutMilliseconds: UInt32 = 0) throws {
        var buffer = ByteBuffer()
        try buffer.writeRequest(request, timeoutMilliseconds: timeoutMilliseconds)
        try send(buffer)
    }

    package func code(_ request: RecordRequest, timeoutMilliseconds: UInt32 = 0) throws -> ResultCode {
        try send(request, timeoutMilliseconds: timeoutMilliseconds)
        return try receiveMessage().resultCode
    }

    package func call(_ request: RecordRequest) throws -> Record {
        try send(request)
        let message = try receiveMessage()
        guard message.resultCode == .ok else { throw AerospikeError(message.resultCode) }
        return try message.record(answering: request)
    }

    /// Does operations to a record; the values are their answers, in order.
    package func operate(_ key: Key, _ operations: [Operation], policy: WritePolicy = WritePolicy()) throws -> Record {
        try call(.operate(key, operations, readPolicy: ReadPolicy(), writePolicy: policy))
    }

    package func put(_ key: Key, _ value: Value) throws -> ResultCode {
        try code(.put(key, bins: [("v", value)], policy: WritePolicy()))
    }

    /// The value that ``put(_:_:)`` wrote; nil if there is no record.
    package func get(_ key: Key) throws -> Value? {
        do {
            return try call(.get(key, bins: nil, policy: ReadPolicy()))["v"]
        } catch let error as AerospikeError where error.code == .notFound {
            return nil
        }
    }

    package func delete(_ key: Key) throws -> ResultCode {
        try code(.delete(key, policy: WritePolicy()))
    }

    /// The messages of a reply that goes on to one that is last.
    package func stream(_ request: ByteBuffer) throws -> [ReplyMessage] {
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

    /// How many messages a reply has.
    package enum ReplyForm {
        /// One.
        case one
        /// As many as come before the one that is last.
        case many
        /// The same, or one alone that refuses.
        case manyOrRefusal
    }

    /// All messages of the reply to a request.
    package func messages(_ request: ByteBuffer, _ form: ReplyForm) throws -> [ReplyMessage] {
        try send(request)
        var messages: [ReplyMessage] = []
        while true {
            let message = try receiveMessage()
            messages.append(message)
            let isRefusal = form == .manyOrRefusal && message.resultCode != .ok && message.donePartitionID == nil
            if message.isLast || form == .one || isRefusal {
                return messages
            }
        }
    }
}
