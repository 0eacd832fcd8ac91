import NIOCore

/// Whether this process can take itself for alive: it holds no clock and sends nothing.
struct Heart: Sendable, Equatable {
    /// Others take the process for dead when its beat did not change for so long.
    let interval: TimeAmount
    /// When the last beat that was accepted was sent: nobody can have seen it earlier.
    private(set) var lastBeatAt: NIODeadline
    /// How often in a row the queue's record did not list the process.
    private var absences = 0

    /// A heart that beat for the first time.
    init(interval: TimeAmount, beatAt: NIODeadline) {
        self.interval = interval
        lastBeatAt = beatAt
    }

    /// How long to wait from one beat to the next.
    var beatInterval: TimeAmount { .nanoseconds(interval.nanoseconds / 5) }

    /// How long to wait after a beat that failed.
    var retryInterval: TimeAmount { .nanoseconds(interval.nanoseconds / 20) }

    /// Takes note of a beat that was accepted.
    mutating func beat(sentAt: NIODeadline) {
        lastBeatAt = max(lastBeatAt, sentAt)
    }

    /// Takes note of whether the queue's record lists the process.
    ///
    /// - Parameter isListed: whether it does.
    /// - Returns: whether the process may go on. One absence is borne, for an answer that was under way when the process
    ///   entered; a second means that nobody would notice its death.
    mutating func note(isListed: Bool) -> Bool {
        absences = isListed ? 0 : absences + 1
        return absences < 2
    }

    /// Whether others may soon take the process for dead, so that it should begin nothing new.
    func isDoubtful(at now: NIODeadline) -> Bool {
        now - lastBeatAt > .nanoseconds(interval.nanoseconds / 5 * 3)
    }
}
