package import BeanspikeCore

/// What a process asks its peers for statistics.
package enum PeerQuestion: Sendable, Hashable {
    /// How many of your sessions use a tube, watch it, and wait on it?
    case sessions(TubeName)
    /// Which tubes do your sessions use or watch?
    case tubes
    /// How many of your sessions wait?
    case waiting
}

/// What a process answers.
package enum PeerAnswer: Sendable, Hashable {
    /// How many sessions use the tube, watch it, and wait on it.
    case sessions(using: UInt64, watching: UInt64, waiting: UInt64)
    /// The tubes that sessions use or watch.
    case tubes([TubeName])
    /// How many sessions wait.
    case waiting(UInt64)

    /// Whether it answers the question.
    func answers(_ question: PeerQuestion) -> Bool {
        switch (question, self) {
        case (.sessions, .sessions), (.tubes, .tubes), (.waiting, .waiting): true
        default: false
        }
    }
}
