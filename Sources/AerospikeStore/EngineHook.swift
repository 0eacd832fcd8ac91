import BeanspikeCore
import NIOCore

/// Brings what peers say to the engine, which is made after the network that they say it on.
///
/// Used on the event loop.
///
/// `@unchecked Sendable`: the engine is set once, before the network lets anybody in.
final class EngineHook: @unchecked Sendable {
    private var engine: StoreEngine?

    func set(_ engine: StoreEngine) { self.engine = engine }

    func events(on eventLoop: any EventLoop) -> PeerEvents {
        PeerEvents(
            work: { tube, _ in self.run { $0.hinted(tube) } },
            paused: { tube in self.run { $0.peerPaused(tube) } },
            peerWaits: { tube in self.run { $0.peerWaits(tube) } },
            answer: { question in
                guard let engine = self.engine else {
                    return eventLoop.makeFailedFuture(JobStoreError(.closed, "the store is not open yet"))
                }
                return eventLoop.makeSucceededFuture(engine.assumeIsolated { $0.answer(question) })
            }
        )
    }

    private func run(_ body: @escaping @Sendable (isolated StoreEngine) -> Void) {
        engine?.assumeIsolated { engine in
            body(engine)
            engine.endTurn()
        }
    }
}
