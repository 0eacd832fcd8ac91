import NIOCore

/// Whether a process puts into segments of a tube that are its own, beside the tube's tail.
///
/// Processes that put into one tail at a time refuse each other, and each refused work costs two calls more. One that was
/// refused again as soon as it had looked goes apart: it is sure then that others' puts are under way with its own, and between
/// those no order is promised. It comes back after a while, so that jobs of different processes do not come out of order for
/// longer.
struct Apartness {
    /// How often in a row others put first where this process was about to.
    private var overtakes = 0
    /// Whether it is to go apart.
    private(set) var isDue = false
    /// Until when it is apart; nil where it is not.
    private(set) var until: NIODeadline?

    /// So often in a row others are first before a process goes apart: once is no more than having put in turn.
    static let overtakesMin = 2
    /// How long it stays apart.
    static let time = TimeAmount.seconds(1)

    /// Takes note that others put first.
    ///
    /// - Returns: whether the process is to go apart.
    mutating func overtaken() -> Bool {
        overtakes += 1
        isDue = isDue || until == nil && overtakes >= Self.overtakesMin
        return isDue
    }

    /// Takes note that the process has put.
    mutating func hasPut() { (overtakes, isDue) = (0, false) }

    /// Whether the next segment is to be the process's own.
    func wantsOwn(_ now: NIODeadline) -> Bool { until.map { now < $0 } ?? isDue }

    /// Whether the process has been apart for long enough.
    func isOver(_ now: NIODeadline) -> Bool { until.map { $0 <= now } ?? false }

    /// Takes note that puts go to a segment of the process's own from now on.
    ///
    /// - Returns: when that is over; nil where it was so before.
    mutating func begin(_ now: NIODeadline) -> NIODeadline? {
        (overtakes, isDue) = (0, false)
        guard until == nil else { return nil }
        until = now + Self.time
        return until
    }

    /// Takes note that puts go where those of all processes do.
    mutating func end() { self = Apartness() }
}
