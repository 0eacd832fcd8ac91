#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A port of the loopback interface that stays a node's while the node is down.
///
/// A socket is bound to it and never listens, so that connections are refused and nobody else is given the port.
final class PortReservation: Sendable {
    /// The port.
    let port: Int
    private let descriptor: Int32

    /// Reserves a port that nobody has.
    ///
    /// - Throws: ``PortReservation/Failure``.
    init() throws(Failure) {
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, stream, 0)
        guard descriptor >= 0 else { throw Failure(errorNumber: errno) }
        var yes: Int32 = 1
        // The node's own socket says the same, without which it could not be bound beside this one.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard result else {
            let number = errno
            close(descriptor)
            throw Failure(errorNumber: number)
        }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit {
        close(descriptor)
    }

    /// Why there is no port.
    struct Failure: Error, CustomStringConvertible {
        var errorNumber: Int32

        var description: String { "no port of the loopback interface: \(String(cString: strerror(errorNumber)))" }
    }
}
