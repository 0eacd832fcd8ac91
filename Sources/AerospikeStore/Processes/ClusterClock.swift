package import NIOCore

/// The cluster's time, as this machine's monotonic clock tells it.
///
/// It is the clock of the node that serves the queue's record, so that no process's own wall clock matters. A sample says
/// what it showed some time between the sending of a question and the coming of its answer; samples narrow down by how much
/// the two clocks differ, and the middle of what is left is taken.
package struct ClusterClock: Sendable, Hashable {
    /// The least and the greatest that the cluster's clock can be ahead of this machine's, in nanoseconds.
    private var leastAhead: Int64
    private var greatestAhead: Int64
    /// When the last sample was taken, by the machine's clock in nanoseconds.
    private var sampledAt: Int64
    /// What the clock has shown already, in milliseconds: it never shows less.
    private var floorMilliseconds: Int64

    /// How fast two clocks can drift apart, in nanoseconds for each second.
    private static let driftNanosecondsPerSecond: Int64 = 200_000

    /// A clock of one sample.
    ///
    /// - Parameters:
    ///   - milliseconds: what the cluster's clock showed, in milliseconds of Unix time.
    ///   - sentAt: when it was asked.
    ///   - receivedAt: when the answer came.
    package init(milliseconds: Int64, sentAt: NIODeadline, receivedAt: NIODeadline) {
        (leastAhead, greatestAhead) = Self.ahead(milliseconds, sentAt, receivedAt)
        sampledAt = Self.nanoseconds(receivedAt)
        floorMilliseconds = .min
    }

    /// The cluster's time, in milliseconds of Unix time; it never steps back.
    package func nowMilliseconds(at now: NIODeadline = .now()) -> Int64 {
        let ahead = leastAhead &+ (greatestAhead &- leastAhead) / 2
        return max(floorMilliseconds, (Self.nanoseconds(now) &+ ahead) / 1_000_000)
    }

    /// The moment of this machine's clock at which the cluster's shows a time.
    package func deadline(atMilliseconds milliseconds: Int64) -> NIODeadline {
        let ahead = leastAhead &+ (greatestAhead &- leastAhead) / 2
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return milliseconds < 0 ? .uptimeNanoseconds(0) : .distantFuture }
        let (uptime, isBeyond) = nanoseconds.subtractingReportingOverflow(ahead)
        return isBeyond ? .distantFuture : .uptimeNanoseconds(UInt64(max(0, uptime)))
    }

    /// Learns from one more sample.
    ///
    /// A node that takes the record over may have another time: the clock then goes by the new one, and stands still for as
    /// long as the new one is behind.
    ///
    /// - Parameters:
    ///   - milliseconds: what the cluster's clock showed, in milliseconds of Unix time.
    ///   - sentAt: when it was asked.
    ///   - receivedAt: when the answer came.
    package mutating func sample(milliseconds: Int64, sentAt: NIODeadline, receivedAt: NIODeadline) {
        floorMilliseconds = nowMilliseconds(at: receivedAt)
        let now = Self.nanoseconds(receivedAt)
        let seconds = max(0, now &- sampledAt) / 1_000_000_000 &+ 1
        let drift = seconds &* Self.driftNanosecondsPerSecond
        let (least, greatest) = Self.ahead(milliseconds, sentAt, receivedAt)
        leastAhead = max(leastAhead &- drift, least)
        greatestAhead = min(greatestAhead &+ drift, greatest)
        if leastAhead > greatestAhead {
            (leastAhead, greatestAhead) = (least, greatest)
        }
        sampledAt = now
    }

    /// By how much the cluster's clock can be ahead; its milliseconds are cut off, not rounded.
    private static func ahead(
        _ milliseconds: Int64,
        _ sentAt: NIODeadline,
        _ receivedAt: NIODeadline
    ) -> (Int64, Int64) {
        // What no clock shows must not overflow: a node's answer is not to be relied on.
        let shown = min(max(0, milliseconds), 1 << 42) &* 1_000_000
        return (shown &- nanoseconds(receivedAt), shown &+ 1_000_000 &- nanoseconds(sentAt))
    }

    private static func nanoseconds(_ time: NIODeadline) -> Int64 {
        Int64(clamping: min(time.uptimeNanoseconds, 1 << 61))
    }
}
