package import NIOCore

/// How long to wait before a connection is opened again.
package struct Backoff: Sendable {
    /// Zero the first time, and then ever longer while connections cannot be opened or soon break.
    package private(set) var delay = TimeAmount.zero
    private var failureCount = 0

    private static let shortest = TimeAmount.milliseconds(50)
    private static let longest = TimeAmount.seconds(1)
    /// A connection that lived that long was good.
    private static let goodLife = TimeAmount.seconds(1)

    package init() {}

    /// Notes that a connection ended.
    ///
    /// One that answered calls, and nothing that is not the protocol, was good however soon it broke: connections are then
    /// opened no more often than calls are made, and the calls that failed with it wait for the next.
    ///
    /// - Parameters:
    ///   - life: how long it was open; zero if it could not be opened.
    ///   - hasServed: whether calls were answered by it, and as the protocol has it.
    package mutating func ended(after life: TimeAmount, hasServed: Bool = false) {
        failureCount = hasServed || life >= Backoff.goodLife ? 0 : failureCount + 1
        switch failureCount {
        case ...1: delay = .zero
        case 2: delay = Backoff.shortest
        default: delay = min(delay * 2, Backoff.longest)
        }
    }
}
