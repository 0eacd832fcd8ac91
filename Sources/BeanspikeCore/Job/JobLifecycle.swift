/// The part of a job that transitions change: its state and what belongs to it.
///
/// A value with no clock and no I/O: each transition takes the time, changes the value, and says whether it was
/// allowed. Every store uses these, so that a job behaves alike on all of them. Who may ask (only the session that
/// holds a reserved job may release, bury or touch it) is the store's to check before.
@frozen
public struct JobLifecycle: Equatable, Sendable {
    /// Smaller is more urgent.
    public var priority: UInt32
    /// The delay that the job was last put or released with, in seconds; `stats-job` shows it.
    public var delaySeconds: UInt32
    /// How long a reservation lasts in seconds; 0 means until it is given up or its holder is gone.
    public var ttrSeconds: UInt32
    /// How often the job was reserved.
    public var reserves: UInt32 = 0
    /// How often a reservation ran out of time.
    public var timeouts: UInt32 = 0
    /// How often a holder released the job.
    public var releases: UInt32 = 0
    /// How often the job was buried.
    public var buries: UInt32 = 0
    /// How often the job was kicked.
    public var kicks: UInt32 = 0
    /// When a delayed job is due or a reservation ends; ``StoreInstant/never`` in other states and without TTR.
    public var deadline: StoreInstant = .never
    /// The present state.
    public var state: JobState = .ready

    /// A job as it is when it is put: delayed if it has a delay, otherwise ready.
    @inlinable
    public init(priority: UInt32, delaySeconds: UInt32, ttrSeconds: UInt32, now: StoreInstant) {
        self.priority = priority
        self.delaySeconds = delaySeconds
        self.ttrSeconds = ttrSeconds
        if delaySeconds > 0 {
            state = .delayed
            deadline = now.advanced(bySeconds: delaySeconds)
        }
    }

    /// ready, delayed or buried → reserved.
    @inlinable
    public mutating func reserve(now: StoreInstant) -> Bool {
        guard state != .reserved else { return false }
        state = .reserved
        deadline = ttrSeconds == 0 ? .never : now.advanced(bySeconds: ttrSeconds)
        reserves &+= 1
        return true
    }

    /// Starts the time to run anew; false when the job is not reserved.
    @inlinable
    public mutating func touch(now: StoreInstant) -> Bool {
        guard state == .reserved else { return false }
        if ttrSeconds > 0 { deadline = now.advanced(bySeconds: ttrSeconds) }
        return true
    }

    /// reserved → delayed, or ready where there is no delay.
    @inlinable
    public mutating func release(priority: UInt32, delaySeconds: UInt32, now: StoreInstant) -> Bool {
        guard state == .reserved else { return false }
        self.priority = priority
        self.delaySeconds = delaySeconds
        releases &+= 1
        if delaySeconds > 0 {
            state = .delayed
            deadline = now.advanced(bySeconds: delaySeconds)
        } else {
            state = .ready
            deadline = .never
        }
        return true
    }

    /// reserved → buried.
    @inlinable
    public mutating func bury(priority: UInt32) -> Bool {
        guard state == .reserved else { return false }
        self.priority = priority
        state = .buried
        deadline = .never
        buries &+= 1
        return true
    }

    /// buried or delayed → ready.
    @inlinable
    public mutating func kick() -> Bool {
        guard state == .buried || state == .delayed else { return false }
        state = .ready
        deadline = .never
        kicks &+= 1
        return true
    }

    /// delayed → ready, when due.
    @inlinable
    public mutating func comeDue(now: StoreInstant) -> Bool {
        guard state == .delayed, deadline <= now else { return false }
        state = .ready
        deadline = .never
        return true
    }

    /// reserved → ready, when its time to run is over.
    @inlinable
    public mutating func timeOut(now: StoreInstant) -> Bool {
        guard state == .reserved, deadline <= now else { return false }
        state = .ready
        deadline = .never
        timeouts &+= 1
        return true
    }

    /// reserved → ready, because its holder is gone; no timeout is counted.
    @inlinable
    public mutating func abandon() -> Bool {
        guard state == .reserved else { return false }
        state = .ready
        deadline = .never
        return true
    }
}
