import NIOCore

/// Segments that are ready to be a tube's next tails, and how many there should be.
///
/// It takes a millisecond to make one, and a busy tube fills several in that time: the faster tails follow each other, the
/// more are kept. Those that a process leaves behind are ended by whoever finds that the tail has passed them.
struct SpareSegments {
    struct Spare: Sendable {
        var number: SegmentNumber
        var position: Int
    }

    /// With the least number first: tails' numbers only rise.
    private var spares: [Spare] = []
    /// How many there should be.
    private(set) var wanted = 1
    private var turnedAt: NIODeadline?

    /// The most that are kept.
    static let max = 8
    /// Tails that last less than this ask for more spares, and those that last ten times as long for fewer.
    private static let shortLife = TimeAmount.milliseconds(20)

    /// How many are to be made: none while half of those wanted are left, since several cost no more than one.
    var missing: Int { spares.count * 2 < wanted ? wanted - spares.count : 0 }

    /// Takes note that the tail was filled.
    mutating func tailIsFull(_ now: NIODeadline) {
        defer { turnedAt = now }
        guard let turnedAt else { return }
        if now - turnedAt < Self.shortLife {
            wanted = min(Self.max, wanted * 2)
        } else if now - turnedAt > Self.shortLife * 10 {
            wanted = Swift.max(1, wanted / 2)
        }
    }

    /// The next one with a greater number; those with lesser ones will never be tails.
    mutating func take(after tail: SegmentNumber?) -> Spare? {
        spares.removeAll { $0.number <= tail ?? 0 }
        return spares.isEmpty ? nil : spares.removeFirst()
    }

    mutating func add(_ more: [Spare]) { spares = (spares + more).sorted { $0.number < $1.number } }
}
