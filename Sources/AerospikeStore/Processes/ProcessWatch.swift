import NIOCore

/// What a process makes of the others' beats: who is dead, and who is to clear up after it.
///
/// It holds no clock and asks nobody. A process is dead when its beat did not change for the interval that it declared, on
/// the watcher's own monotonic clock. A random part is added to each wait, so that usually one watcher acts and the others
/// see that it did; two at once do no harm. Time in which the watcher saw nothing, as when the cluster stands still, does not
/// count against the others.
struct ProcessWatch: Sendable {
    /// What a process's record showed.
    enum Sighting: Sendable, Equatable {
        /// It beats.
        case beat(Int64, interval: TimeAmount)
        /// Somebody found it dead, and is likely to be clearing up after it.
        case dead
        /// There is no record.
        case missing
    }

    /// What to do about a process.
    enum Action: Sendable, Equatable {
        /// Mark it dead if its beat is still the one seen, and then clear up after it.
        case markDead(Int, beat: Int64)
        /// Clear up after it.
        case recover(Int)
    }

    private struct Watched: Sendable {
        var sighting: Sighting?
        var since: NIODeadline
        var seenAt: NIODeadline?
        var patience: TimeAmount = .zero
        var isInHand = false
    }

    /// How many others a process watches: those that follow it in the circle of all numbers.
    static let watchedMax = 8

    /// How long one that declares nothing is waited for.
    let defaultInterval: TimeAmount
    private var watched: [Int: Watched] = [:]

    /// A watch of nobody yet.
    init(defaultInterval: TimeAmount) {
        self.defaultInterval = defaultInterval
    }

    /// Takes note of which processes there are.
    ///
    /// - Parameters:
    ///   - processes: all that the queue's record lists.
    ///   - own: this process.
    ///   - now: the time.
    mutating func note(listed processes: [Int], own: Int, now: NIODeadline) {
        let others = Set(processes).subtracting([own]).sorted()
        let first = others.firstIndex { $0 > own } ?? 0
        let chosen = Set((others[first...] + others[..<first]).prefix(Self.watchedMax))
        watched = watched.filter { chosen.contains($0.key) || $0.value.isInHand }
        for process in chosen where watched[process] == nil {
            watched[process] = Watched(since: now)
        }
    }

    /// The processes whose records are to be read.
    var processes: [Int] {
        watched.filter { !$0.value.isInHand }.keys.sorted()
    }

    /// Takes note of what a process's record showed.
    ///
    /// - Parameters:
    ///   - sighting: what it showed.
    ///   - process: the process.
    ///   - now: when the answer came.
    ///   - chance: a random number from 0 to 1.
    /// - Returns: what to do, if anything; until it is done, the process is in hand.
    mutating func saw(_ sighting: Sighting, of process: Int, now: NIODeadline, chance: Double) -> Action? {
        guard var one = watched[process], !one.isInHand else { return nil }
        guard one.sighting == sighting else {
            one.sighting = sighting
            one.since = now
            one.seenAt = now
            one.patience = patience(sighting, chance)
            watched[process] = one
            return nil
        }
        let isBlind = one.seenAt.map { (now - $0).nanoseconds > one.patience.nanoseconds / 2 } ?? false
        if isBlind { one.since = now }
        one.seenAt = now
        one.isInHand = now - one.since >= one.patience
        watched[process] = one
        guard one.isInHand else { return nil }
        if case .beat(let beat, _) = sighting { return .markDead(process, beat: beat) }
        return .recover(process)
    }

    /// Takes note that what was to be done about a process was done, or failed: it is watched from anew.
    mutating func finished(_ process: Int, now: NIODeadline) {
        guard watched[process]?.isInHand == true else { return }
        watched[process] = Watched(since: now)
    }

    /// When the next of those watched will have been silent for too long, unless they are seen to beat.
    var nextDue: NIODeadline? {
        watched.values.lazy.filter { !$0.isInHand && $0.sighting != nil }.map { $0.since + $0.patience }.min()
    }

    private func patience(_ sighting: Sighting, _ chance: Double) -> TimeAmount {
        let whole: Int64
        if case .beat(_, let interval) = sighting {
            whole = interval.nanoseconds
        } else {
            whole = defaultInterval.nanoseconds
        }
        return .nanoseconds(whole &+ Int64(Double(whole) * 0.1 * min(max(chance, 0), 1)))
    }
}
