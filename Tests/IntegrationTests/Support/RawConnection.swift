import Foundation

/// One client's connection: bytes out, lines and bodies in, and a bound on every wait.
final class RawConnection {
    private var descriptor: Int32
    private var input: [UInt8] = []
    private var consumed = 0
    private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

    /// How long any one read or write may take, in seconds: generous, since the machine may be busy.
    static let patienceSeconds = 30.0

    /// Connects to a port of 127.0.0.1.
    init(port: UInt16, receiveBufferBytes: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Self.failure("socket") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        if var bytes = receiveBufferBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        let connected = Self.withLoopback(port: port) { Glibc.connect(descriptor, $0, $1) }
        guard connected == 0 else {
            let error = Self.failure("connect")
            Glibc.close(descriptor)
            descriptor = -1
            throw error
        }
    }

    deinit {
        close()
        chunk.deallocate()
    }

    // MARK: Out

    /// Sends the text and an end of line.
    func send(_ line: String) throws { try send(bytes: Array(line.utf8) + [0x0D, 0x0A]) }

    /// Sends a put with its body.
    func sendPut(_ body: [UInt8], priority: UInt32 = 0, delay: UInt32 = 0, ttr: UInt32 = 3600) throws {
        try send(bytes: Array("put \(priority) \(delay) \(ttr) \(body.count)\r\n".utf8) + body + [0x0D, 0x0A])
    }

    /// Sends the bytes, whole.
    func send(bytes: [UInt8]) throws {
        let sent = try sendSome(bytes, seconds: Self.patienceSeconds)
        guard sent == bytes.count else { throw TestFailure("the server does not read: \(sent) of \(bytes.count)") }
    }

    /// Sends until all is out or the server has taken nothing for so long; returns how many bytes went.
    func sendSome(_ bytes: [UInt8], seconds: Double) throws -> Int {
        var sent = 0
        while sent < bytes.count {
            guard try Descriptor.wait(descriptor, for: POLLOUT, until: Deadline(seconds: seconds)) else { break }
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor,
                    $0.baseAddress.map { $0 + sent },
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                )
            }
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("send") }
            sent += count
        }
        return sent
    }

    // MARK: In

    /// The next line without its CRLF.
    func readLine(seconds: Double = patienceSeconds) throws -> String {
        String(decoding: try readLineBytes(seconds: seconds), as: UTF8.self)
    }

    /// The next line without its CRLF, as bytes.
    func readLineBytes(seconds: Double = patienceSeconds) throws -> [UInt8] {
        let deadline = Deadline(seconds: seconds)
        var searched = consumed
        while true {
            while let feed = input[searched...].firstIndex(of: 0x0A) {
                searched = feed + 1
                guard feed > consumed, input[feed - 1] == 0x0D else { continue }
                defer { consumed = feed + 1 }
                return Array(input[consumed..<(feed - 1)])
            }
            searched = input.count
            let before = consumed
            guard try fill(until: deadline) else {
                throw TestFailure(
                    "no whole line came; so far: \(String(decoding: input[consumed...], as: UTF8.self).debugDescription)"
                )
            }
            searched -= before - consumed
        }
    }

    /// The next bytes.
    func read(count: Int) throws -> [UInt8] {
        let deadline = Deadline(seconds: Self.patienceSeconds)
        while input.count - consumed < count {
            guard try fill(until: deadline) else {
                throw TestFailure("\(input.count - consumed) of \(count) bytes came")
            }
        }
        defer { consumed += count }
        return Array(input[consumed..<(consumed + count)])
    }

    /// A reply: its line, and its body where the line announces one.
    func readReply(seconds: Double = patienceSeconds) throws -> WireReply {
        let line = try readLine(seconds: seconds)
        let words = line.split(separator: " ")
        guard let first = words.first, ["RESERVED", "FOUND", "OK"].contains(first) else { return WireReply(line: line) }
        guard let last = words.last, words.count == (first == "OK" ? 2 : 3), let count = Int(last) else {
            throw TestFailure("not a reply: \(line)")
        }
        let body = try read(count: count)
        guard try read(count: 2) == [0x0D, 0x0A] else { throw TestFailure("no CRLF after the body of \(line)") }
        return WireReply(line: line, body: body)
    }

    /// Sends the line and returns its reply.
    func ask(_ line: String) throws -> WireReply {
        try send(line)
        return try readReply()
    }

    /// Puts a job and returns its id.
    func put(_ body: String, priority: UInt32 = 0, delay: UInt32 = 0, ttr: UInt32 = 3600) throws -> UInt64 {
        try sendPut(Array(body.utf8), priority: priority, delay: delay, ttr: ttr)
        let reply = try readReply()
        guard let id = reply.id(after: "INSERTED") else { throw TestFailure("put was answered \(reply.line)") }
        return id
    }

    /// Whether something has come that was not read yet.
    func hasInput(within seconds: Double = 0) throws -> Bool {
        if input.count > consumed { return true }
        return try Descriptor.wait(descriptor, for: POLLIN, until: Deadline(seconds: seconds))
    }

    /// Whether the server closes the connection without another byte.
    func isClosedByServer(within seconds: Double = patienceSeconds) throws -> Bool {
        guard consumed == input.count else { return false }
        return try !fill(until: Deadline(seconds: seconds), orThrow: true) && consumed == input.count
    }

    /// Takes more input; false at the end of the stream or at the deadline.
    private func fill(until deadline: Deadline, orThrow: Bool = false) throws -> Bool {
        if consumed > 65_536 {
            input.removeSubrange(..<consumed)
            consumed = 0
        }
        guard try Descriptor.wait(descriptor, for: POLLIN, until: deadline) else {
            if orThrow { throw TestFailure("the connection stays open") }
            return false
        }
        let count = recv(descriptor, chunk.baseAddress, chunk.count, 0)
        if count > 0 { input.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count])) }
        // A connection that was reset has ended, too.
        return count > 0
    }

    // MARK: The end

    /// Says that nothing more will be sent, and still listens.
    func closeOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes the connection.
    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    // MARK: Addresses

    /// A port that is free now.
    static func freePort() throws -> UInt16 {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(listener) }
        guard withLoopback(port: 0, { bind(listener, $0, $1) }) == 0 else { throw failure("bind") }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let named = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
        }
        guard named == 0 else { throw failure("getsockname") }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func withLoopback(
        port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    private static func failure(_ what: String) -> TestFailure {
        TestFailure("\(what): \(String(cString: strerror(errno)))")
    }
}
