import NIOCore

/// What is known of one peer, and the connections to it.
///
/// All on one event loop.
struct PeerLink {
    /// Where it can be dialled; nil if it told no address, or is not known to the registry yet.
    var address: PeerAddress?
    /// Whether the registry ever listed it.
    var isListed = false
    /// Connections that have shown that they know the secret.
    ///
    /// All that is told goes over the first, to keep its order.
    var connections: [PeerConnection] = []
    var outbox = PeerOutbox()
    var waits = PeerWaits()
    /// Questions of the peer that are being answered.
    var openQuestions = 0
    var dialling = Dialling()

    /// When a peer is dialled: it holds no clock.
    struct Dialling: Equatable {
        private var failures = 0
        private var succeededAt: NIODeadline?
        private(set) var isUnderWay = false
        private(set) var isPausing = false

        /// Whether the peer can be dialled now.
        var canBegin: Bool { !isUnderWay && !isPausing }

        mutating func begin() {
            isUnderWay = true
        }

        mutating func succeeded(at now: NIODeadline) {
            isUnderWay = false
            succeededAt = now
        }

        /// Takes note that a connection failed or ended.
        ///
        /// - Parameters:
        ///   - now: the time.
        ///   - chance: a random number from 0 to 1.
        /// - Returns: how long to pause.
        mutating func failed(at now: NIODeadline, chance: Double) -> TimeAmount {
            // Who lets connections in only to end them is no better than who lets none in.
            if let succeededAt, now - succeededAt > PeerLimits.backoffMax { failures = 0 }
            succeededAt = nil
            isUnderWay = false
            isPausing = true
            let whole = min(
                PeerLimits.backoff.nanoseconds << Int64(min(failures, 20)),
                PeerLimits.backoffMax.nanoseconds
            )
            failures += 1
            return .nanoseconds(whole - Int64(Double(whole) * 0.5 * min(max(chance, 0), 1)))
        }

        mutating func paused() {
            isPausing = false
        }
    }
}
