import Glibc

/// A blocking connection to a server that speaks beanstalkd's protocol.
///
/// One command at a time; every wait is bounded.
final class BeanstalkConnection {
    let address: ServerAddress
    /// How long the server may take to answer a command that does not wait for jobs.
    let replyTimeoutMilliseconds: Int32
    private let socket: StreamSocket
    private var parser = ReplyParser()

    var descriptor: Int32 { socket.descriptor }
    var isLocal: Bool { socket.isLocal }

    static let connectTimeoutMilliseconds: Int32 = 5_000
    static let replyTimeoutMilliseconds: Int32 = 30_000

    /// Connects to the server.
    init(to address: ServerAddress) throws {
        self.address = address
        self.replyTimeoutMilliseconds = Self.replyTimeoutMilliseconds
        socket = try StreamSocket(to: address, timeoutMilliseconds: Self.connectTimeoutMilliseconds)
    }

    /// Speaks over an open socket; tests pass one end of a pair.
    init(over socket: consuming StreamSocket, replyTimeoutMilliseconds: Int32) {
        address = .unix(path: "(pair)")
        self.replyTimeoutMilliseconds = replyTimeoutMilliseconds
        self.socket = socket
    }

    /// Sends a command line, with a body where it has one, and waits for its reply.
    ///
    /// - Parameters:
    ///   - line: the command without its CRLF.
    ///   - body: bytes that follow the line.
    ///   - extraMilliseconds: how long the command itself may wait for a job; nil waits for ever.
    /// - Returns: the reply, whatever it says.
    /// - Throws: ``CommandError`` where the connection breaks, or what comes is no reply.
    func request(_ line: String, body: [UInt8]? = nil, extraMilliseconds: Int64? = 0) throws -> Reply {
        try send(line, body: body)
        let limit = extraMilliseconds.map { Int32(clamping: Int64(replyTimeoutMilliseconds) + $0) }
        return try receive(timeoutMilliseconds: limit)
    }

    /// Sends a command and does not wait for its reply.
    func send(_ line: String, body: [UInt8]? = nil) throws {
        var bytes = Array(line.utf8)
        bytes.reserveCapacity(bytes.count + 4 + (body?.count ?? 0))
        bytes += "\r\n".utf8
        if let body {
            bytes += body
            bytes += "\r\n".utf8
        }
        try bytes.withUnsafeBytes { try sendAll($0) }
    }

    private func sendAll(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard try wait(for: POLLOUT, timeoutMilliseconds: replyTimeoutMilliseconds, wakeDescriptor: nil) else {
                throw CommandError.failed("The server at \(address) takes no more bytes: it may be stuck.")
            }
            let sent = Glibc.send(
                descriptor,
                UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                rest.count,
                Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            )
            if sent >= 0 {
                rest = rest.dropFirst(sent)
            } else if errno != EINTR && errno != EAGAIN {
                throw broken(errno)
            }
        }
    }

    /// Waits for the next reply.
    func receive(timeoutMilliseconds: Int32?) throws -> Reply {
        guard let reply = try receive(timeoutMilliseconds: timeoutMilliseconds, wakeDescriptor: nil) else {
            throw CommandError.failed(
                "The server at \(address) did not answer in time. Is it a beanstalkd server, and is it alive?"
            )
        }
        return reply
    }

    /// Waits for the next reply, until the time is over or `wakeDescriptor` can be read; nil in both cases.
    func receive(timeoutMilliseconds: Int32?, wakeDescriptor: Int32?) throws -> Reply? {
        while true {
            do {
                if let reply = try parser.next() { return reply }
            } catch {
                throw CommandError.failed(
                    "The server at \(address) does not speak beanstalkd's protocol (\(error)). Check --server."
                )
            }
            guard try wait(for: POLLIN, timeoutMilliseconds: timeoutMilliseconds, wakeDescriptor: wakeDescriptor)
            else { return nil }
            try readSome()
        }
    }

    private func readSome() throws {
        try withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { room in
            let count = read(descriptor, room.baseAddress, room.count)
            if count > 0 {
                parser.append(UnsafeRawBufferPointer(rebasing: room[..<count]))
            } else if count == 0 {
                throw CommandError.failed("The server at \(address) closed the connection.")
            } else if errno != EINTR && errno != EAGAIN {
                throw broken(errno)
            }
        }
    }

    /// Whether the socket became ready before the time was over and before the wake descriptor was.
    private func wait(for events: Int32, timeoutMilliseconds: Int32?, wakeDescriptor: Int32?) throws -> Bool {
        let deadline = timeoutMilliseconds.map { MonotonicTime.now + UInt64(max(0, $0)) * 1_000_000 }
        while true {
            var remaining: Int32 = -1
            if let deadline {
                let now = MonotonicTime.now
                remaining = now >= deadline ? 0 : Int32(clamping: (deadline - now + 999_999) / 1_000_000)
            }
            var list = (
                pollfd(fd: descriptor, events: Int16(events), revents: 0),
                pollfd(fd: wakeDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
            )
            let ready = withUnsafeMutableBytes(of: &list) {
                poll($0.assumingMemoryBound(to: pollfd.self).baseAddress, 2, remaining)
            }
            if ready > 0 { return list.0.revents != 0 && list.1.revents == 0 }
            if ready == 0 { return false }
            if errno != EINTR { throw broken(errno) }
        }
    }

    private func broken(_ error: Int32) -> CommandError {
        .failed("The connection to \(address) broke: \(String(cString: strerror(error))).")
    }
}
