import BeanspikeCore
import NIOCore

/// What this process knows of one tube, and what it is to do there.
///
/// Confined to the engine.
///
/// `@unchecked Sendable`: the engine alone uses it, on its event loop.
final class Tube: @unchecked Sendable {
    let name: TubeName
    /// The tube's records in the cluster; nil until it is known whether there are any.
    var directory: TubeDirectory?

    // MARK: Sessions of this process

    var using = 0
    var watching = 0
    /// Those that wait for a job of it, the longest first.
    var waiters: [ReserveRequest] = []

    // MARK: Segments

    /// Where jobs are put.
    var tail: Segment?
    /// Segments that have ready jobs, or may have, in the order of their best.
    private(set) var candidates: [Segment] = []
    /// Whether the tail takes no more, or is being told so.
    var isTailFull = false
    /// The tail before, as long as something is under way there.
    var tailBefore: Segment?
    /// Segments that are ready to be the next tails.
    var spares = SpareSegments()
    var isPreparing = false
    /// Who needs the segment that is being made ready.
    var whenPrepared: [CheckedContinuation<Void, Never>] = []
    /// Whether the tail is being found, or moved on.
    var isTurning = false
    /// Whether this process puts into segments of its own.
    var apartness = Apartness()
    var appends = CircularBuffer<PendingAppend>()

    // MARK: Reserved ahead

    /// Jobs that are kept for those who will ask, the best first.
    var ahead: [AheadJob] = []
    /// Whether it is on the timers that they go back.
    var isAheadTimed = false
    /// Until when none is reserved ahead.
    var aheadRestsUntil = NIODeadline.uptimeNanoseconds(0)

    // MARK: Looking

    /// When the look was begun whose answer is known.
    var lookedAt: NIODeadline?
    var isLooking = false
    /// Who waits for a look that begins from now on.
    var lookers: [ReserveRequest] = []
    /// Who waits for the look under way.
    var currentLookers: [ReserveRequest] = []
    /// The leaves of its directory that the last look was answered by.
    var leaves: Set<Int> = []
    /// Another process said that there is something.
    var isHinted = false

    // MARK: Time

    /// Until when nothing is handed out; nil where it is not paused.
    var pausedUntil: NIODeadline?
    /// When the first delayed job may be due, by the cluster's clock in milliseconds.
    var wakeMilliseconds: Int64?
    var isSweeping = false
    /// Who waits for the sweep under way.
    var whenSwept: [CheckedContinuation<Void, Never>] = []
    /// Whether it is looked at now and then, because somebody waits.
    var isPolling = false
    /// The last pause, as its record has it.
    var pause: TubePause?

    init(_ name: TubeName) {
        self.name = name
    }

    /// Whether it is on the list of those that have something to do.
    var isDirty = false
    /// When a command last had to do with it.
    var usedAt = NIODeadline.now()
    /// Whether it is looked at after a while whether anybody wants it.
    var isToBeForgotten = false

    /// Whether sessions of this process use or watch it.
    var isWanted: Bool { using > 0 || watching > 0 }

    func isPaused(_ now: NIODeadline) -> Bool {
        guard let pausedUntil else { return false }
        return now < pausedUntil
    }

    /// The candidate whose jobs come first.
    ///
    /// - Parameter unclaimed: whether to leave out those whose jobs are all asked for already.
    /// - Returns: the candidate; nil where there is none.
    func bestCandidate(unclaimed: Bool = false) -> Segment? {
        unclaimed ? candidates.first(where: \.hasUnclaimed) : candidates.first
    }

    /// The best job that other segments are known to have for whoever asks, or that is kept from them.
    func best(beside segment: Segment) -> ReadyKey? {
        let other = candidates.first { $0 !== segment && $0.hasUnclaimed }?.best
        guard let kept = ahead.first(where: { $0.segment !== segment })?.key else { return other }
        return other.map { min($0, kept) } ?? kept
    }

    /// Notes that a segment has a ready job with this key, and how many in all; nil where that is not known.
    func noteReady(_ segment: Segment, _ key: ReadyKey, count: Int?) {
        setBest(min(segment.best ?? key, key), of: segment)
        segment.readyCount = count
    }

    /// Notes what a segment's best ready job is; nil where it has none.
    func setBest(_ key: ReadyKey?, of segment: Segment) {
        guard key != segment.best else { return }
        if let old = segment.best {
            let index = place(of: old)
            if index < candidates.count, candidates[index] === segment {
                if let key, isInOrder(key, at: index) {
                    segment.best = key
                    return
                }
                candidates.remove(at: index)
            }
        }
        segment.best = key
        if let key { candidates.insert(segment, at: place(of: key)) }
    }

    /// Whether a candidate with this key would be where it is.
    private func isInOrder(_ key: ReadyKey, at index: Int) -> Bool {
        let before = index > 0 ? candidates[index - 1].best : nil
        let after = index + 1 < candidates.count ? candidates[index + 1].best : nil
        return before.map { $0 < key } ?? true && after.map { key < $0 } ?? true
    }

    /// Drops what is known of segments.
    func dropCandidates() { candidates = [] }

    /// Where a key is, or would be: no two segments have the same.
    private func place(of key: ReadyKey) -> Int {
        var low = 0
        var high = candidates.count
        while low < high {
            let middle = (low + high) / 2
            if let other = candidates[middle].best, other < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
