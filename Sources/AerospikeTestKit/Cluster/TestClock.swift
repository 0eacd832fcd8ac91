package import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The time that the nodes of a ``TestCluster`` go by: the real one, or one that the test moves.
public struct TestClock: Sendable {
    private enum Source: Sendable {
        case real
        case manual(ManualClock)
    }

    private let source: Source

    /// The machine's own time.
    public static let real = TestClock(source: .real)

    /// A time that stands still until the test moves it.
    ///
    /// - Parameter clock: the clock that the test keeps.
    /// - Returns: the time by that clock.
    public static func manual(_ clock: ManualClock) -> TestClock {
        TestClock(source: .manual(clock))
    }

    /// The time, in nanoseconds since 1970.
    package var nowNanoseconds: Int64 {
        switch source {
        case .real:
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
        case .manual(let clock): return clock.nowNanoseconds
        }
    }

    /// Does something when a time has come.
    ///
    /// - Parameters:
    ///   - instantNanoseconds: the time, in nanoseconds since 1970.
    ///   - eventLoop: which waits for it, if it is the real time.
    ///   - body: what to do then, on the event loop or the thread of the test that moves the time.
    package func schedule(
        atNanoseconds instantNanoseconds: Int64,
        on eventLoop: any EventLoop,
        _ body: @escaping @Sendable () -> Void
    ) {
        switch source {
        case .real:
            let delay = max(0, instantNanoseconds &- nowNanoseconds)
            eventLoop.scheduleTask(in: .nanoseconds(delay), body)
        case .manual(let clock): clock.schedule(atNanoseconds: instantNanoseconds, body)
        }
    }
}

/// A clock that stands still until a test moves it.
///
/// What is due is done by ``advance(by:)`` itself, in order, before it returns.
public final class ManualClock: Sendable {
    private struct State: Sendable {
        var nowNanoseconds: Int64
        var number = 0
        var due: [Entry] = []
    }

    private struct Entry: Sendable {
        var atNanoseconds: Int64
        var number: Int
        var body: @Sendable () -> Void
    }

    private let state: Mutex<State>

    /// A clock that stands at some time.
    ///
    /// - Parameter unixSeconds: the time, in seconds since 1970; by default in the middle of 2026.
    public init(startingAtUnixSeconds unixSeconds: Int64 = 1_782_000_000) {
        state = Mutex(State(nowNanoseconds: unixSeconds &* 1_000_000_000))
    }

    /// The time, in nanoseconds since 1970.
    public var nowNanoseconds: Int64 {
        state.withLock { $0.nowNanoseconds }
    }

    /// Moves the time, and does all that comes due on the way.
    ///
    /// - Parameter duration: how far; never backwards.
    public func advance(by duration: Duration) {
        let end = nowNanoseconds &+ max(0, duration.inNanoseconds)
        while let body = next(before: end) {
            body()
        }
        state.withLock { $0.nowNanoseconds = max($0.nowNanoseconds, end) }
    }

    private func next(before end: Int64) -> (@Sendable () -> Void)? {
        state.withLock { state in
            let earliest = state.due.indices.min {
                (state.due[$0].atNanoseconds, state.due[$0].number)
                    < (state.due[$1].atNanoseconds, state.due[$1].number)
            }
            guard let earliest, state.due[earliest].atNanoseconds <= end else { return nil }
            let entry = state.due.remove(at: earliest)
            state.nowNanoseconds = max(state.nowNanoseconds, entry.atNanoseconds)
            return entry.body
        }
    }

    fileprivate func schedule(atNanoseconds instant: Int64, _ body: @escaping @Sendable () -> Void) {
        let isDue = state.withLock { state in
            guard instant > state.nowNanoseconds else { return true }
            state.number += 1
            state.due.append(Entry(atNanoseconds: instant, number: state.number, body: body))
            return false
        }
        if isDue {
            body()
        }
    }
}

extension Duration {
    /// Whole nanoseconds; as many as fit if there are more.
    package var inNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || carry ? (seconds < 0 ? .min : .max) : sum
    }
}
