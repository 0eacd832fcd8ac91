import BeanspikeCore
import NIOCore

/// The limits of what processes tell each other directly.
enum PeerLimits {
    /// The longest payload of a frame, in bytes.
    static let payloadBytesMax = 64 << 10
    /// Tubes told of in one message.
    static let tubesPerMessage = 256
    /// News of so many tubes wait for a connection or for room on it; more are dropped.
    static let newsMax = 1_024
    /// Questions that wait for a connection or for room on it; more go unanswered.
    static let questionsMax = 256
    /// Bytes of answers that wait for room on a connection; more are dropped.
    static let answerBytesMax = 4 << 20
    /// Changes of waits that wait for room; with more, all waits are told anew.
    static let changesMax = 4_096
    /// Tubes that one peer can be waiting on.
    static let waitsMax = Limits.watchedTubesMax
    /// Tubes in the answer of one peer.
    static let answeredTubesMax = Limits.watchedTubesMax
    /// Questions of one peer that are being answered.
    static let openQuestionsMax = 64
    /// Connections that have not shown yet that they know the secret.
    static let strangersMax = 64
    /// Connections of one peer.
    static let connectionsPerPeerMax = 4
    /// How long a connection may take to show that it knows the secret.
    static let handshakeTimeout = TimeAmount.seconds(3)
    /// How long making a connection may take.
    static let connectTimeout = TimeAmount.seconds(2)
    /// The pause after the first connection that failed; it doubles with each further one.
    static let backoff = TimeAmount.milliseconds(50)
    /// The longest pause.
    static let backoffMax = TimeAmount.seconds(5)

    /// Whether the limits agree with each other; asserted by a test.
    static var areConsistent: Bool {
        tubesPerMessage * (Limits.tubeNameBytesMax + 2) + 64 <= payloadBytesMax
    }
}
