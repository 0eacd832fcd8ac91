package import BeanspikeCore
package import NIOCore

/// What peers tell a process; everything is called on the network's event loop.
package struct PeerEvents: Sendable {
    /// A job of a priority became ready in a tube on which this process waits.
    package var work: @Sendable (_ tube: TubeName, _ priority: UInt32) -> Void
    /// A tube was paused, or is no more.
    package var paused: @Sendable (_ tube: TubeName) -> Void
    /// A peer began to wait on a tube: if there is a job, ``PeerNetwork/tellWork(_:priority:)`` tells it.
    package var peerWaits: @Sendable (_ tube: TubeName) -> Void
    /// Answers a question of a peer.
    package var answer: @Sendable (_ question: PeerQuestion) -> EventLoopFuture<PeerAnswer>

    /// What peers tell a process.
    package init(
        work: @escaping @Sendable (_ tube: TubeName, _ priority: UInt32) -> Void,
        paused: @escaping @Sendable (_ tube: TubeName) -> Void = { _ in },
        peerWaits: @escaping @Sendable (_ tube: TubeName) -> Void = { _ in },
        answer: @escaping @Sendable (_ question: PeerQuestion) -> EventLoopFuture<PeerAnswer>
    ) {
        self.work = work
        self.paused = paused
        self.peerWaits = peerWaits
        self.answer = answer
    }
}
