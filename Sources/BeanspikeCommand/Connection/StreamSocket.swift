import Glibc

/// A connected stream socket, closed when it goes.
struct StreamSocket: ~Copyable {
    let descriptor: Int32
    /// Whether the peer is on this machine: a loopback address or a Unix socket.
    let isLocal: Bool

    deinit { close(descriptor) }

    private init(descriptor: Int32, isLocal: Bool) {
        self.descriptor = descriptor
        self.isLocal = isLocal
    }

    /// Takes an open descriptor over; tests pass one end of a socket pair.
    init(adopting descriptor: Int32) { self.init(descriptor: descriptor, isLocal: true) }

    /// Connects to the server, trying each address of a name in turn.
    init(to address: ServerAddress, timeoutMilliseconds: Int32) throws {
        switch address {
        case .unix(let path):
            self = try Self.connect(unix: path, address, timeoutMilliseconds)
        case .tcp(let host, let port):
            self = try Self.connect(host: host, port: port, address, timeoutMilliseconds)
        }
    }

    private static func connect(unix path: String, _ server: ServerAddress, _ timeout: Int32) throws -> StreamSocket {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            // One byte short of the room: the rest stays zero, and ends the path.
            room.dropLast().copyBytesFromStart(path.utf8)
        }
        let failure = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                open($0, socklen_t(MemoryLayout<sockaddr_un>.size), family: AF_UNIX, timeout)
            }
        }
        switch failure {
        case .success(let descriptor): return StreamSocket(descriptor: descriptor, isLocal: true)
        case .failure(let code): throw unreachable(server, code.number)
        }
    }

    private static func connect(
        host: String,
        port: UInt16,
        _ server: ServerAddress,
        _ timeout: Int32
    ) throws -> StreamSocket {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let outcome = getaddrinfo(host, String(port), &hints, &list)
        guard outcome == 0 else {
            throw CommandError.failed(
                "Cannot find the host \(host): \(String(cString: gai_strerror(outcome))). Check --server."
            )
        }
        defer { freeaddrinfo(list) }
        var lastError = ECONNREFUSED
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            guard let address = entry.pointee.ai_addr else { continue }
            switch open(address, entry.pointee.ai_addrlen, family: entry.pointee.ai_family, timeout) {
            case .success(let descriptor):
                var on: Int32 = 1
                setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                return StreamSocket(descriptor: descriptor, isLocal: isLoopback(address))
            case .failure(let code):
                lastError = code.number
            }
        }
        throw unreachable(server, lastError)
    }

    private struct ErrorNumber: Error { let number: Int32 }

    private static func open(
        _ address: UnsafePointer<sockaddr>,
        _ length: socklen_t,
        family: Int32,
        _ timeoutMilliseconds: Int32
    ) -> Result<Int32, ErrorNumber> {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return .failure(.init(number: errno)) }
        // Connecting without blocking is what bounds the wait for a host that never answers.
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        var error = Glibc.connect(descriptor, address, length) == 0 ? 0 : errno
        if error == EINPROGRESS {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            if poll(&waiting, 1, timeoutMilliseconds) == 1 {
                var length = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
            } else {
                error = ETIMEDOUT
            }
        }
        guard error == 0 else {
            close(descriptor)
            return .failure(.init(number: error))
        }
        _ = fcntl(descriptor, F_SETFL, flags)
        return .success(descriptor)
    }

    private static func isLoopback(_ address: UnsafePointer<sockaddr>) -> Bool {
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                UInt32(bigEndian: $0.pointee.sin_addr.s_addr) >> 24 == 127
            }
        case AF_INET6:
            address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
                var bytes = pointer.pointee.sin6_addr
                return withUnsafeBytes(of: &bytes) { $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1 }
            }
        default:
            false
        }
    }

    private static func unreachable(_ server: ServerAddress, _ error: Int32) -> CommandError {
        .failed(
            "Cannot reach a server at \(server): \(String(cString: strerror(error)))."
                + " Start one with `beanspiked`, or name another with --server."
        )
    }
}

extension Slice<UnsafeMutableRawBufferPointer> {
    /// Copies as many of the bytes as there is room for.
    fileprivate func copyBytesFromStart(_ bytes: String.UTF8View) {
        UnsafeMutableRawBufferPointer(rebasing: self).copyBytes(from: bytes.prefix(count))
    }
}
