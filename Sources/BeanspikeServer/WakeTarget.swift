import NIOCore
import Synchronization

/// What a store's wake-up call reaches: the loop, once there is one.
///
/// It holds the loop weakly, since the store's port, which the loop owns, holds this.
final class WakeTarget: Sendable {
    private struct WeakLoop { weak var loop: ServerLoop? }

    private let eventLoop: any EventLoop
    private let target = Mutex(WeakLoop())

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Says whom to wake.
    func set(_ loop: ServerLoop) { target.withLock { $0.loop = loop } }

    /// Has the loop collect replies soon.
    ///
    /// May be called on any thread.
    func wake() {
        guard let loop = target.withLock({ $0.loop }) else { return }
        eventLoop.execute { loop.collect() }
    }
}
