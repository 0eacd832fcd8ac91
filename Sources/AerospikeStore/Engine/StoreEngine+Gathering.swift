import BeanspikeCore
import NIOCore

/// A work with those who wait for it.
struct WorkInHand: Sendable {
    var work = SegmentWork()
    /// The life of the process that it was gathered in: it is nothing of a later one.
    let life: Int
    /// The number that it is done under: that of a life that is over is fenced off.
    let process: ProcessNumber
    var guarded: CheckedContinuation<Bool?, Never>?
    var appends: [PendingAppend] = []
    /// How much the segment has in it with them, in bytes.
    var bytes = 0
    var updates: [Int: PendingUpdate] = [:]
    var pops: [ReserveRequest] = []

    /// Whether it may reserve jobs for the process.
    var reserves: Bool { work.pops > 0 || work.updates.values.contains { $0.state.kind == .reserved } }
}

// What waits for a segment, put together into one work.
extension StoreEngine {
    /// The most jobs that one work reserves.
    private static let popsMax = 64

    /// Takes what waits for a segment; nil where nothing does.
    func gather(_ segment: Segment) -> WorkInHand? {
        var hand = WorkInHand(life: life, process: process)
        if !segment.guarded.isEmpty {
            let change = segment.guarded.removeFirst()
            hand.updates = change.updates
            hand.guarded = change.continuation
            hand.work.expected = change.updates.compactMapValues(\.expected)
        } else {
            hand.updates = segment.updates
            segment.updates = [:]
            gatherPops(segment, &hand)
            gatherAppends(segment, &hand)
        }
        for (slot, update) in hand.updates {
            if let entry = update.entry {
                hand.work.updates[slot] = entry
                if update.replacesBody { hand.work.replaced[slot] = update.before }
            } else {
                hand.work.removals[slot] = update.before
            }
            if update.isTimeout { hand.work.timeouts += 1 }
        }
        hand.work.appends = hand.appends.map(\.entry)
        // The tail is not ended while it takes jobs, however few are left.
        let isTaking = segment.isTail && !segment.tube.isTailFull
        hand.work.countsJobs = hand.work.closes || !hand.work.removals.isEmpty && !isTaking
        return hand.work.isEmpty ? nil : hand
    }

    private func gatherPops(_ segment: Segment, _ hand: inout WorkInHand) {
        let now = NIODeadline.now()
        if !segment.pops.isEmpty, registry.isDoubtful() {
            // Others may take this process for dead just now.
            return rest(segment)
        }
        while hand.pops.count < Self.popsMax, let request = segment.pops.popFirst() {
            if request.isOver {
                request.isAsking = false
            } else if segment.tube.isPaused(now) {
                request.isAsking = false
                dispatch(request)
            } else {
                hand.pops.append(request)
            }
        }
        guard !hand.pops.isEmpty else { return }
        hand.work.pops = hand.pops.count
        hand.work.countsReady = segment.readyCount == nil
        segment.popsUnderWay = hand.pops.count
        hand.work.popMilliseconds = clusterMilliseconds
        hand.work.popPriorityMax = priorityMax(segment, for: hand.pops)
    }

    /// The greatest priority value that a job may have before another segment's is to be preferred to it.
    private func priorityMax(_ segment: Segment, for requests: [ReserveRequest]) -> UInt32 {
        var bound: ReadyKey?
        var names: Set<TubeName> = []
        for request in requests { names.formUnion(request.watched) }
        let now = NIODeadline.now()
        for name in names {
            guard let tube = tubes[name], !tube.isPaused(now) else { continue }
            let other = tube.candidates.first { $0 !== segment && $0.hasUnclaimed }
            if let key = other?.best { bound = min(bound ?? key, key) }
        }
        guard let bound else { return .max }
        // Within one priority it is the id that decides, and all ids of a segment are on one side of the other's.
        if JobPlace.firstID(of: segment.number) < bound.id { return bound.priority }
        return bound.priority == 0 ? 0 : bound.priority - 1
    }

    private func gatherAppends(_ segment: Segment, _ hand: inout WorkInHand) {
        let tube = segment.tube
        guard segment.isTail, !tube.isTailFull, let nextSlot = segment.nextSlot, !tube.appends.isEmpty else { return }
        hand.work.firstSlot = nextSlot
        hand.bytes = segment.bytes
        while nextSlot + hand.appends.count < StoreLimits.segmentSlots, hand.bytes < StoreLimits.segmentBytesMax,
            let append = tube.appends.popFirst()
        {
            hand.bytes += append.entry.approximateBytes
            hand.appends.append(append)
        }
        hand.work.closes =
            nextSlot + hand.appends.count >= StoreLimits.segmentSlots || hand.bytes >= StoreLimits.segmentBytesMax
    }
}
