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
    /// Who waits for the work's puts, in their order.
    var putters: [Putter] = []
    var updates = SlotTable<PendingUpdate>()
    var pops: [ReserveRequest] = []
    /// Among the jobs that it reserves, those that nobody has asked for yet.
    var ahead = SlotSet()

    /// Takes the puts out of the work.
    mutating func takeAppends() -> [PendingAppend] {
        defer {
            putters = []
            work.appends = []
        }
        return zip(work.appends, putters).map { PendingAppend(entry: $0, putter: $1) }
    }
}

// What waits for a segment, put together into one work.
extension StoreEngine {
    /// The most jobs that one work reserves without knowing which.
    private static let popsMax = 64

    /// From so many on, what waits for a segment goes in one work: each costs as much as several of its jobs.
    private static let fullWork = 32

    /// Takes what waits for a segment, or its share where more works can be under way; nil where nothing waits.
    ///
    /// Callers whose work is done together ask together for what comes next. In two works they take turns: the server and
    /// this process are both busy, and neither has to be woken.
    func gather(_ segment: Segment) -> WorkInHand? {
        var hand = WorkInHand(life: life, process: process)
        let waiting = segment.updates.count + segment.pops.count + (segment.isTail ? segment.tube.appends.count : 0)
        let share = waiting < Self.fullWork ? Segment.flightsMax - segment.flights.count : 1
        if !segment.guarded.isEmpty {
            gatherGuarded(segment, &hand)
        } else {
            gatherUpdates(segment, &hand, share)
            gatherPops(segment, &hand, share)
            gatherAppends(segment, &hand, share)
            gatherClosing(segment, &hand)
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
        // The tail is not ended while it takes jobs, however few are left.
        let isTaking = segment.isTail && !segment.tube.isTailFull
        hand.work.countsJobs = hand.work.closes || !hand.work.removals.isEmpty && !isTaking
        return hand.work.isEmpty ? nil : hand
    }

    /// Takes one change of jobs that this process does not hold: it goes alone.
    private func gatherGuarded(_ segment: Segment, _ hand: inout WorkInHand) {
        let change = segment.guarded.removeFirst()
        hand.updates = change.updates
        hand.guarded = change.continuation
        for (slot, update) in change.updates { hand.work.expected[slot] = update.expected }
        // Jobs may cease to be ready that nobody picked.
        segment.record.ready = nil
    }

    private func gatherUpdates(_ segment: Segment, _ hand: inout WorkInHand, _ share: Int) {
        hand.updates = segment.updates.takeFirst((segment.updates.count + share - 1) / share)
    }

    private func gatherPops(_ segment: Segment, _ hand: inout WorkInHand, _ share: Int) {
        let expected = countAhead(hand, segment)
        guard !segment.pops.isEmpty || expected > 0 else { return }
        // What is ready can be known as soon as the works under way are done that take the best, whichever that is.
        let isLearning = segment.flights.contains { $0.hand.work.listsReady }
        let isTaking = segment.flights.contains { $0.hand.work.pops > 0 }
        if !segment.returning.isEmpty { return }
        // The last that are ready are on their way already.
        let isAwaited = segment.record.ready?.count == 0 && segment.flights.contains { !$0.hand.ahead.isEmpty }
        if isAwaited, expected == 0 { return }
        if isLearning || isTaking && segment.record.ready != nil { return }
        if registry.isDoubtful() {
            // Others may take this process for dead just now.
            return rest(segment)
        }
        let now = NIODeadline.now()
        let most = segment.record.ready == nil ? Self.popsMax : StoreLimits.segmentSlots
        // Those who are only expected come behind all who wait.
        let max = min(most, expected > 0 ? segment.pops.count : (segment.pops.count + share - 1) / share)
        while hand.pops.count < max, let request = segment.pops.popFirst() {
            if request.isOver {
                request.isAsking = false
            } else if segment.tube.isPaused(now) {
                request.isAsking = false
                dispatch(request)
            } else if isKeptBetter(segment, than: hand.pops.count), takeAhead(request, ifBefore: nil, now) {
                request.isAsking = false
            } else {
                hand.pops.append(request)
            }
        }
        let ahead = segment.pops.isEmpty ? expected : 0
        guard !hand.pops.isEmpty || ahead > 0 else { return }
        hand.work.popMilliseconds = clusterMilliseconds
        hand.work.popPriorityMax = priorityMax(segment, for: hand.pops)
        pick(segment, &hand, ahead)
        segment.popsUnderWay += hand.pops.count
        guard hand.work.picks.isEmpty, !hand.pops.isEmpty else { return }
        hand.work.pops = hand.pops.count
        hand.work.countsReady = segment.readyCount == nil
        hand.work.listsReady = segment.record.isCalm && segment.record.ready == nil
    }

    /// Picks the jobs to reserve, where it is known which are ready.
    private func pick(_ segment: Segment, _ hand: inout WorkInHand, _ ahead: Int) {
        guard let generation = segment.record.generation else { return }
        let picks = segment.record.ready?.takeBest(hand.pops.count + ahead, priorityMax: hand.work.popPriorityMax)
        guard let picks, !picks.isEmpty else { return }
        hand.work.picks = picks
        hand.work.generation = generation
        for job in picks.dropFirst(hand.pops.count) {
            hand.ahead.insert(job.slot)
            claimedAhead.insert(JobPlace(segment: segment.number, slot: job.slot).id)
        }
    }

    /// The greatest priority value that a job may have before another segment's is to be preferred to it.
    private func priorityMax(_ segment: Segment, for requests: [ReserveRequest]) -> UInt32 {
        let now = NIODeadline.now()
        var bound: ReadyKey?
        var last: Tube?
        func note(_ tube: Tube) {
            // Those who wait for a segment mostly watch the same one.
            guard tube !== last, !tube.isPaused(now) else { return }
            last = tube
            if let key = tube.best(beside: segment) { bound = min(bound ?? key, key) }
        }
        if requests.isEmpty { note(segment.tube) }
        for request in requests { request.watched.forEach(note) }
        guard let bound else { return .max }
        // Within one priority it is the id that decides, and all ids of a segment are on one side of the other's.
        if JobPlace.firstID(of: segment.number) < bound.id { return bound.priority }
        return bound.priority == 0 ? 0 : bound.priority - 1
    }

    /// Closes a segment where others put: where its end is, is found out when the work is refused.
    private func gatherClosing(_ segment: Segment, _ hand: inout WorkInHand) {
        guard segment.isToClose else { return }
        segment.isToClose = false
        guard !segment.isTail else { return }
        hand.work.firstSlot = segment.nextSlot ?? 0
        hand.work.closes = true
    }

    private func gatherAppends(_ segment: Segment, _ hand: inout WorkInHand, _ share: Int) {
        let tube = segment.tube
        guard segment.isTail, !tube.isTailFull, let nextSlot = segment.nextSlot else { return }
        let isApartOver = tube.apartness.until != nil && tube.apartness.isOver(.now())
        guard !tube.appends.isEmpty || isApartOver else { return }
        // What goes to the tail before it comes first, and may come back.
        if let before = tube.tailBefore, before.hasPutsUnderWay { return }
        let slots = min(tube.appends.count, StoreLimits.segmentSlots - nextSlot)
        let max = (slots + share - 1) / share
        hand.work.firstSlot = nextSlot
        hand.putters.reserveCapacity(max)
        hand.work.appends.reserveCapacity(max)
        while hand.putters.count < max, segment.bytes < StoreLimits.segmentBytesMax,
            let append = tube.appends.popFirst()
        {
            segment.bytes += append.entry.approximateBytes
            hand.work.appends.append(append.entry)
            hand.putters.append(append.putter)
        }
        // As it will be: a work that is sent behind this one is refused where this one is.
        segment.nextSlot = nextSlot + hand.putters.count
        guard
            nextSlot + hand.putters.count >= StoreLimits.segmentSlots || segment.bytes >= StoreLimits.segmentBytesMax
                || isApartOver
        else { return }
        hand.work.closes = true
        // The next is made the tail meanwhile.
        tube.isTailFull = true
        touch(tube)
    }
}
