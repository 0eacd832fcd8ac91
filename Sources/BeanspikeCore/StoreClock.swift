#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A point on a store's clock, which never steps back: microseconds since the clock's own start.
@frozen
public struct StoreInstant: Comparable, Hashable, Sendable {
    /// Microseconds since the clock's start.
    public var microseconds: Int64

    /// The instant so many microseconds after the clock's start.
    @inlinable
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// Later than every other instant.
    public static let never = StoreInstant(microseconds: .max)

    /// Earlier is smaller.
    @inlinable
    public static func < (a: StoreInstant, b: StoreInstant) -> Bool { a.microseconds < b.microseconds }

    /// The instant so many seconds later; 2^32 seconds do not overflow it.
    @inlinable
    public func advanced(bySeconds seconds: UInt32) -> StoreInstant {
        StoreInstant(microseconds: microseconds &+ Int64(seconds) &* 1_000_000)
    }

    /// The instant so many microseconds later, or ``never`` where that overflows.
    @inlinable
    public func advanced(byMicroseconds delta: Int64) -> StoreInstant {
        let (sum, overflow) = microseconds.addingReportingOverflow(delta)
        return overflow ? .never : StoreInstant(microseconds: sum)
    }

    /// Whole seconds from `earlier` to here, 0 where that is negative.
    @inlinable
    public func seconds(since earlier: StoreInstant) -> UInt64 {
        UInt64(max(0, microseconds &- earlier.microseconds)) / 1_000_000
    }
}

/// Where a store takes its time from; tests pass one that they move.
public protocol StoreClock: Sendable {
    /// The present instant. It never steps back.
    func now() -> StoreInstant
    /// Wall-clock time, milliseconds since 1970: only for what is kept over a restart. It may step.
    func wallMilliseconds() -> Int64
}

/// The machine's clocks: CLOCK_MONOTONIC for scheduling, CLOCK_REALTIME for what is kept.
public struct SystemClock: StoreClock {
    /// The machine's clocks.
    public init() {}

    /// Microseconds of CLOCK_MONOTONIC.
    public func now() -> StoreInstant {
        let t = Self.read(CLOCK_MONOTONIC)
        return StoreInstant(microseconds: Int64(t.tv_sec) * 1_000_000 + Int64(t.tv_nsec) / 1_000)
    }

    /// Milliseconds of CLOCK_REALTIME.
    public func wallMilliseconds() -> Int64 {
        let t = Self.read(CLOCK_REALTIME)
        return Int64(t.tv_sec) * 1_000 + Int64(t.tv_nsec) / 1_000_000
    }

    private static func read(_ id: clockid_t) -> timespec {
        var t = timespec()
        clock_gettime(id, &t)
        return t
    }
}
