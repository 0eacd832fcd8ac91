import Glibc

/// Standard output and standard error as bytes: nothing added, nothing buffered over a call.
enum Output {
    /// Writes a line.
    static func line(_ text: String) { write(Array((text + "\n").utf8), to: STDOUT_FILENO) }
    /// Writes bytes untouched.
    static func bytes(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }
    /// Writes text as it is.
    static func text(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }
    /// Writes a line for people, not for programs.
    static func note(_ text: String) { write(Array((text + "\n").utf8), to: STDERR_FILENO) }
    /// Writes text for people without ending the line.
    static func noteText(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { whole in
            var rest = whole[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&waiting, 1, -1)
                } else if errno != EINTR {
                    // Nobody reads any more, and there is nobody else to tell.
                    exit(CommandError.Code.failed.rawValue)
                }
            }
        }
    }
}
