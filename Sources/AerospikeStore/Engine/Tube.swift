import BeanspikeCore
import NIOCore

/// What this process knows of one tube, and what it is to do there. Confined to the engine.
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
    /// Segments that have ready jobs, or may have.
    var candidates: [Segment] = []
    /// Whether the tail takes no more.
    var isTailFull = false
    /// A segment that is ready to be the next tail.
    var spare: (number: SegmentNumber, position: Int)?
    var isPreparing = false
    /// Whether the tail is being found, or moved on.
    var isTurning = false
    var appends = CircularBuffer<PendingAppend>()

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
    /// Whether it is looked at now and then, because somebody waits.
    var isPolling = false
    /// The last pause, as its record has it.
    var pause: TubePause?

    init(_ name: TubeName) {
        self.name = name
    }

    /// Whether sessions of this process use or watch it.
    var isWanted: Bool { using > 0 || watching > 0 }

    func isPaused(_ now: NIODeadline) -> Bool {
        guard let pausedUntil else { return false }
        return now < pausedUntil
    }

    /// The candidate whose jobs come first.
    ///
    /// - Parameter unclaimed: whether to leave out those whose jobs are all asked for already.
    func bestCandidate(unclaimed: Bool = false) -> Segment? {
        var best: Segment?
        for candidate in candidates where !unclaimed || candidate.hasUnclaimed {
            guard let key = candidate.best else { continue }
            if let known = best?.best, known <= key { continue }
            best = candidate
        }
        return best
    }

    /// Notes that a segment has a ready job more, or (where nothing else is told) that it may have some.
    func noteReady(_ segment: Segment, _ key: ReadyKey, count: Int?) {
        segment.best = min(segment.best ?? key, key)
        segment.readyCount = count
        if !candidates.contains(where: { $0 === segment }) { candidates.append(segment) }
    }
}
