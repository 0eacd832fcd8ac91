import Aerospike
import BeanspikeCore
import Logging
import NIOCore

// What a work came to: what is known of its segment, and what those are told who waited for it.
extension StoreEngine {
    func applied(_ outcome: SegmentWork.Outcome, _ hand: WorkInHand, _ segment: Segment) {
        for (kind, listing) in hand.work.listings where listing.setsMark { segment.marks[kind].key = listing.key }
        var readied = 0
        for (slot, update) in hand.updates {
            let isPresent = outcome.present.contains(slot)
            segment.held.remove(slot)
            let place = JobPlace(segment: segment.number, slot: slot)
            noteReturned(slot, segment)
            if let held = held[place.id], held.isSettling { letGo(held) }
            if isPresent, let holder = update.holder, let seen = update.expected {
                segment.held.insert(slot)
                hold(place, seen, in: segment, for: holder)
            }
            if isPresent, let entry = update.entry { readied += noteMade(entry, slot, segment) ? 1 : 0 }
            if update.entry == nil, isPresent, case .separate(let reference) = update.before.body {
                begin { engine in try? await engine.bodies.delete(reference) }
            }
            if update.replacesBody { dropBody(of: update, isPresent: isPresent) }
            complete(update, isPresent: isPresent)
        }
        hand.guarded?.resume(returning: true)
        if !hand.putters.isEmpty || hand.work.closes { readied += appended(hand, segment) }
        if let count = outcome.jobCount {
            segment.isEmptied = count == 0
        } else if !hand.putters.isEmpty {
            segment.isEmptied = false
        }
        // A work whose reply was lost may have reserved jobs that it was not to reserve any more.
        if !hand.pops.isEmpty || !hand.ahead.isEmpty || !outcome.popped.isEmpty {
            noteLeft(outcome, hand, segment)
            give(outcome.popped, to: hand, of: segment)
            if segment.best == nil || outcome.popped.isEmpty { raiseListing(segment) }
        }
        if readied > 0 {
            serve(segment.tube, jobs: readied)
            tellPeers(segment.tube)
        }
    }

    /// Notes what a work that reserved has left ready.
    private func noteLeft(_ outcome: SegmentWork.Outcome, _ hand: WorkInHand, _ segment: Segment) {
        if let ready = outcome.ready, segment.record.generation != nil {
            segment.record.ready = ReadyMirror(ready)
            noteMirrored(segment)
        } else if hand.work.picks.isEmpty {
            for (slot, _) in outcome.popped { segment.record.ready?.remove(slot) }
        }
        var next = outcome.nextReady
        var count = outcome.readyCount ?? segment.readyCount.map { $0 - outcome.popped.count }
        if let ready = segment.record.ready {
            next = ready.best.map { ReadyKey(priority: $0.priority, slot: $0.slot, in: segment.number) }
            // What is reserved ahead by works under way is for whoever asks here.
            if let ahead = bestAhead(of: segment) { next = min(next ?? ahead, ahead) }
            // What works under way have picked is not among them, but counts as asked for.
            count = segment.flights.reduce(ready.count + (segment.unprepared?.work.picks.count ?? 0)) {
                $0 + $1.hand.work.picks.count
            }
        } else if !hand.work.picks.isEmpty {
            // Somebody else wrote since: what was the best may still be.
            next = segment.best
        }
        segment.tube.setBest(next, of: segment)
        // Others may have reserved some, or made more ready.
        segment.readyCount = next == nil ? 0 : count.map { max(1, $0) }
        segment.knownSince = .now()
        if segment.best == nil { segment.noteEmpty() }
    }

    /// Notes what became of a job; true where it is ready now.
    private func noteMade(_ entry: JobEntry, _ slot: Int, _ segment: Segment) -> Bool {
        switch entry.state {
        case .ready(let priority):
            let id = JobPlace(segment: segment.number, slot: slot).id
            let count = segment.readyCount.map { $0 + 1 }
            segment.tube.noteReady(segment, ReadyKey(priority: priority, id: id), count: count)
            segment.record.ready?.insert((slot, entry))
            return true
        case .delayed(let due):
            noteWake(segment.tube, due)
            return false
        default: return false
        }
    }

    func appended(_ hand: WorkInHand, _ segment: Segment) -> Int {
        var readied = 0
        if !hand.putters.isEmpty { segment.tube.apartness.hasPut() }
        for (offset, putter) in hand.putters.enumerated() {
            let slot = hand.work.firstSlot + offset
            if noteMade(hand.work.appends[offset], slot, segment) { readied += 1 }
            let id = JobPlace(segment: segment.number, slot: slot).id
            finish(putter.session, putter.ticket, .inserted(id))
        }
        if segment.isTail, segment.nextSlot ?? 0 >= StoreLimits.segmentSlots / 2 { prepareSpares(segment.tube) }
        return readied
    }

    /// The segment is over: none of its jobs is left.
    func isOver(_ segment: Segment, _ hand: WorkInHand) {
        for (slot, update) in hand.updates {
            let job = JobPlace(segment: segment.number, slot: slot).id
            if let held = held[job], held.isSettling { letGo(held) }
            noteReturned(slot, segment)
            complete(update, isPresent: false)
        }
        hand.guarded?.resume(returning: false)
        segment.held = []
        segment.noteEmpty()
        if segment.isTail {
            segment.tube.isTailFull = true
            touch(segment.tube)
        }
        give([], to: hand, of: segment)
    }

    func failed(_ hand: WorkInHand, _ segment: Segment, _ error: any Error) {
        dropAhead(hand, segment)
        let failure = JobStoreError(writing: error)
        logger.warning("a change of a segment failed", metadata: ["segment": "\(segment.number)", "error": "\(error)"])
        rest(segment)
        // Whether it was put is found out before more is.
        if !hand.putters.isEmpty { segment.nextSlot = nil }
        hand.guarded?.resume(returning: nil)
        for (slot, update) in hand.updates {
            let job = JobPlace(segment: segment.number, slot: slot).id
            if let held = held[job], held.isSettling {
                held.isSettling = false
            } else if case .nothing = update.completion, hand.guarded == nil, life == hand.life,
                segment.held.contains(slot), segment.updates[slot] == nil
            {
                // What is given up has to come back, however long it takes.
                segment.updates[slot] = update
            } else {
                noteReturned(slot, segment)
            }
            fail(update, failure)
        }
        for putter in hand.putters { finish(putter.session, putter.ticket, .failed(failure)) }
        segment.noteSettled(hand.pops.count)
        for request in hand.pops {
            request.isAsking = false
            fail(request, failure)
        }
    }
}
