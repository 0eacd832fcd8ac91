import Glibc
import Synchronization

/// Signals as bytes of a pipe, so that a loop can wait for them and for sockets alike.
enum SignalPipe {
    private static let writeEnd = Atomic<Int32>(-1)

    /// Starts to turn these signals into bytes.
    ///
    /// - Returns: the descriptor to read them from; it stays open as long as the process lives.
    /// - Throws: ``CommandError`` where no pipe can be had.
    static func open(_ signals: [Int32]) throws -> Int32 {
        var ends: (Int32, Int32) = (-1, -1)
        let outcome = withUnsafeMutableBytes(of: &ends) {
            pipe($0.assumingMemoryBound(to: Int32.self).baseAddress)
        }
        guard outcome == 0 else {
            throw CommandError.failed("No pipe can be had: \(String(cString: strerror(errno))).")
        }
        for end in [ends.0, ends.1] {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        // Before any handler can run, so that none of them is the first to touch it.
        writeEnd.store(ends.1, ordering: .releasing)
        for number in signals {
            signal(number) { number in
                // Only what a signal handler may do: an atomic load and write(2), errno kept.
                let saved = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(SignalPipe.writeEnd.load(ordering: .relaxed), &byte, 1)
                errno = saved
            }
        }
        return ends.0
    }

    /// The signals that have come since the last time.
    static func drain(_ descriptor: Int32) -> [Int32] {
        var all: [Int32] = []
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { room in
            while true {
                let count = read(descriptor, room.baseAddress, room.count)
                guard count > 0 else { return }
                all += room[..<count].map { Int32($0) }
            }
        }
        return all
    }
}
