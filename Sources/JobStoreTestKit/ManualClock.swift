public import BeanspikeCore
import Synchronization

/// A clock that stands still until a test moves it.
///
/// It may be used by any number of threads.
public final class ManualClock: StoreClock {
    private struct Hands {
        var now: StoreInstant
        var wallMicroseconds: Int64
    }

    private let hands: Mutex<Hands>

    /// A clock that stands at these times.
    ///
    /// - Parameters:
    ///   - microseconds: Where the monotonic clock stands.
    ///   - wallMilliseconds: Where the wall clock stands, milliseconds since 1970.
    public init(microseconds: Int64 = 5_000_000_000, wallMilliseconds: Int64 = 1_700_000_000_000) {
        hands = Mutex(
            Hands(
                now: StoreInstant(microseconds: microseconds),
                wallMicroseconds: wallMilliseconds * 1_000
            )
        )
    }

    /// The present instant.
    public func now() -> StoreInstant { hands.withLock { $0.now } }

    /// The wall clock, milliseconds since 1970.
    public func wallMilliseconds() -> Int64 { hands.withLock { $0.wallMicroseconds / 1_000 } }

    /// Moves both clocks forward.
    public func advance(by duration: Duration) {
        let delta = duration.wholeMicroseconds
        precondition(delta >= 0, "time does not run backwards")
        hands.withLock {
            $0.now = $0.now.advanced(byMicroseconds: delta)
            $0.wallMicroseconds += delta
        }
    }

    /// Sets the wall clock forward or, where negative, back; the monotonic clock does not notice.
    public func stepWall(by duration: Duration) {
        hands.withLock { $0.wallMicroseconds += duration.wholeMicroseconds }
    }
}

extension Duration {
    /// The duration in microseconds, rounded towards zero.
    var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
