/// Who is likely to send something in a moment: connections that were just answered.
///
/// Clients that send a command when they have the reply to the last come back within microseconds. A commit that
/// begins before they do takes what one of them brought, and the others wait for the next: half the speed. So the
/// loop polls on for a moment before it has a commit made. Where they do not come, it soon stops expecting them.
///
/// A value with no clock: time is passed in, in nanoseconds.
struct ReturnWatch {
    /// How long after the last sign of life the others are expected.
    static let patienceNanoseconds: UInt64 = 50_000
    /// How long they are expected altogether.
    static let windowNanoseconds: UInt64 = 300_000
    /// After a wait in vain, so many chances to wait are let pass, twice as many each time, up to ``skipsMax``.
    static let skipsFirst = 1
    static let skipsMax = 256

    /// Tells the answers before a wait in vain from those after it.
    private(set) var generation: UInt32 = 1
    private var expected = 0
    private var lastSign: UInt64 = 0
    private var waitBegan: UInt64?
    private var skips = 0
    private var skipsNext = ReturnWatch.skipsFirst

    /// A connection was answered.
    mutating func answered(now: UInt64) {
        expected += 1
        lastSign = now
    }

    /// A connection that was answered in this generation sent something.
    mutating func returned(now: UInt64) {
        expected -= 1
        lastSign = now
    }

    /// Whether to poll once more before what has come is committed.
    mutating func shouldWait(now: UInt64) -> Bool {
        guard expected > 0 else {
            if waitBegan != nil { skipsNext = Self.skipsFirst }
            waitBegan = nil
            return false
        }
        guard let began = waitBegan else {
            if now &- lastSign > Self.patienceNanoseconds {
                forget()
                return false
            }
            if skips > 0 {
                skips -= 1
                return false
            }
            waitBegan = now
            return true
        }
        if now &- lastSign <= Self.patienceNanoseconds, now &- began <= Self.windowNanoseconds { return true }
        skips = skipsNext
        skipsNext = min(skipsNext * 2, Self.skipsMax)
        forget()
        return false
    }

    private mutating func forget() {
        expected = 0
        generation &+= 1
        waitBegan = nil
    }
}
