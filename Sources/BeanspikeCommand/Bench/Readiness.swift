import CEpoll
import Glibc

/// Which connections have something to read, or room again: `epoll`, whose cost does not grow with those that have not.
final class Readiness {
    private let descriptor: Int32
    private var events: [epoll_event]

    /// Watches descriptors for something to read.
    ///
    /// - Parameter descriptors: in the order that ``wait(milliseconds:)`` numbers them in; they are not closed here.
    /// - Throws: ``CommandError`` where the system refuses.
    init(_ descriptors: [Int32]) throws {
        events = Array(repeating: epoll_event(), count: max(descriptors.count, 1))
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw Self.failure("epoll_create1") }
        for (index, watched) in descriptors.enumerated() {
            try control(EPOLL_CTL_ADD, watched, index, awaitsRoom: false)
        }
    }

    deinit { close(descriptor) }

    /// Changes whether a descriptor is watched for room to write, too.
    func change(_ watched: Int32, _ index: Int, awaitsRoom: Bool) throws {
        try control(EPOLL_CTL_MOD, watched, index, awaitsRoom: awaitsRoom)
    }

    /// Waits until one is ready or has failed.
    ///
    /// - Returns: the numbers of those that are; none where the time is over or a signal came.
    func wait(milliseconds: Int32) throws -> some Sequence<Int> {
        let count = epoll_wait(descriptor, &events, Int32(events.count), milliseconds)
        guard count >= 0 || errno == EINTR else { throw Self.failure("epoll_wait") }
        return events.prefix(Int(max(count, 0))).lazy.map { Int($0.data.u64) }
    }

    private func control(_ operation: Int32, _ watched: Int32, _ index: Int, awaitsRoom: Bool) throws {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | (awaitsRoom ? EPOLLOUT.rawValue : 0)
        event.data.u64 = UInt64(index)
        guard epoll_ctl(descriptor, operation, watched, &event) == 0 else { throw Self.failure("epoll_ctl") }
    }

    private static func failure(_ call: String) -> CommandError {
        .failed("\(call): \(String(cString: strerror(errno))).")
    }
}
