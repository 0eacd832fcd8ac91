import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A way to a channel's socket that needs no event loop: any thread may write to it.
///
/// It has a descriptor of its own for the same socket. The channel may close its own at any time, and its number may be
/// given to another file at once; this one is closed only when the last who uses it has let go of it. One thread at a time
/// may write, and only while the channel has nothing to write, or bytes would get into each other's midst.
final class DirectSocket: Sendable {
    private let descriptor: CInt

    /// What became of bytes.
    enum Outcome: Sendable, Equatable {
        /// The socket took them all.
        case sent
        /// It takes no more now.
        case full
        /// It takes no more at all.
        case broken(errno: CInt)
    }

    /// The socket of a channel; nil if it has none, or something stands between its pipeline and its socket.
    ///
    /// - Parameter channel: the channel, on whose event loop this is called.
    init?(of channel: any Channel) {
        let copy = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            fcntl($0, F_DUPFD_CLOEXEC, 0)
        }
        guard let copy, copy >= 0 else { return nil }
        descriptor = copy
    }

    deinit {
        _ = close(descriptor)
    }

    /// Writes as much as the socket takes, and moves the reader's index past it.
    func send(_ bytes: inout ByteBuffer) -> Outcome {
        while bytes.readableBytes > 0 {
            let (count, error) = bytes.withUnsafeReadableBytes { bytes in
                let count = write(bytes)
                // Before anything else can change it.
                return (count, errno)
            }
            if count >= 0 {
                bytes.moveReaderIndex(forwardBy: count)
                continue
            }
            switch error {
            case EINTR: continue
            case EAGAIN, EWOULDBLOCK, ENOBUFS: return .full
            default: return .broken(errno: error)
            }
        }
        return .sent
    }

    /// Writes once, without waiting.
    ///
    /// SwiftNIO has made the socket one that does not block, and on Darwin one that raises no signal.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        #elseif canImport(Musl)
            Musl.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        #else
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}
