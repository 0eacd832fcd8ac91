import BeanspikeCore
import NIOCore

/// A job that was reserved before anybody asked for it.
struct AheadJob: Sendable {
    let place: JobPlace
    /// As it was before.
    let entry: JobEntry
    let segment: Segment
    let since: NIODeadline

    var key: ReadyKey { ReadyKey(priority: entry.details.priority, id: place.id) }
}

// A worker that deletes a job asks for the next one at once. So the work that deletes reserves as many known jobs as there are
// such workers: each job costs them one round trip instead of two. What nobody asks for goes back after a moment. Until it is
// handed out such a job counts as ready here: whatever looks at jobs has it given back first.
extension StoreEngine {
    /// A session that so often in a row reserved right after it had settled a job is expected to do it again.
    static let returnsMinDefault = 8
    /// How soon that is.
    private static let returnTime = TimeAmount.milliseconds(2)
    /// How long a job is kept for those who are expected.
    private static let keptTime = TimeAmount.milliseconds(10)
    /// How long none is reserved ahead after one was not asked for, or was called back.
    private static let restTime = TimeAmount.milliseconds(100)
    /// Among so many of the tubes that a session watches it is looked for one.
    private static let watchedMax = 8
    /// How often it is looked whether what was called back is ready again.
    private static let callsMax = 50

    /// Notes that a session asks for a job.
    func noteReserve(_ session: Session, _ now: NIODeadline) {
        guard let settledAt = session.settledAt else { return }
        session.returns = now - settledAt <= Self.returnTime ? session.returns + 1 : 0
        session.settledAt = nil
    }

    /// How many jobs to reserve ahead with a work that settles others.
    func countAhead(_ hand: WorkInHand, _ segment: Segment) -> Int {
        let tube = segment.tube
        guard !hand.updates.isEmpty, segment.record.ready != nil, segment.record.generation != nil, mayKeep(tube) else {
            return 0
        }
        var count = 0
        for update in hand.updates.values {
            guard case .reply(let session, _, _) = update.completion, update.holder == nil,
                session.returns >= returnsMin, session.queue.isEmpty,
                session.watched.prefix(Self.watchedMax).contains(where: { $0 === tube })
            else { continue }
            count += 1
        }
        return count
    }

    /// How many jobs are kept.
    var keptAhead: Int { tubes.values.reduce(0) { $0 + $1.ahead.count } }

    /// Whether jobs of a tube may be kept for those who are expected.
    private func mayKeep(_ tube: Tube) -> Bool {
        let now = NIODeadline.now()
        return lookers == 0 && now >= tube.aheadRestsUntil && !tube.isPaused(now) && !isClosing
            && !registry.isDoubtful() && peers?.peersWaiting(on: tube.name) != true
    }

    /// Keeps a job for those who are expected; or gives it back, as it was.
    ///
    /// - Parameters:
    ///   - place: where it is.
    ///   - entry: as it was before it was reserved.
    ///   - segment: its segment.
    ///   - mayKeep: whether it was reserved for them.
    func keep(_ place: JobPlace, _ entry: JobEntry, of segment: Segment, mayKeep: Bool) {
        claimedAhead.insert(place.id)
        let tube = segment.tube
        guard mayKeep, self.mayKeep(tube) else { return giveBack(place, entry, to: segment) }
        let job = AheadJob(place: place, entry: entry, segment: segment, since: .now())
        tube.ahead.insert(job, at: tube.ahead.firstIndex { job.key < $0.key } ?? tube.ahead.count)
        guard !tube.isAheadTimed else { return }
        tube.isAheadTimed = true
        timers.insert(.ahead(tube), at: job.since + Self.keptTime)
    }

    private func giveBack(_ place: JobPlace, _ entry: JobEntry, to segment: Segment) {
        segment.returning.insert(place.slot)
        // Who asks meanwhile waits for it there.
        segment.tube.noteReady(segment, ReadyKey(priority: entry.details.priority, id: place.id), count: nil)
        segment.knownSince = .now()
        segment.updates[place.slot] = PendingUpdate(entry: entry, before: entry.details, completion: .nothing)
        touch(segment)
    }

    /// Answers a request with a job that is kept, unless a better one is known.
    func takeAhead(_ request: ReserveRequest, ifBefore other: ReadyKey?, _ now: NIODeadline) -> Bool {
        var best: Tube?
        for tube in request.watched where !tube.isPaused(now) {
            guard let key = tube.ahead.first?.key, other.map({ key < $0 }) ?? true else { continue }
            if let known = best?.ahead.first?.key, known < key { continue }
            best = tube
        }
        guard let best, !registry.isDoubtful() else { return false }
        let job = best.ahead.removeFirst()
        claimedAhead.remove(job.place.id)
        hand(hold(job.place, job.entry, in: job.segment, for: request.session), to: request)
        return true
    }

    /// Whether a job that is kept comes before the one that a segment has behind so many better ones, as far as is known.
    func isKeptBetter(_ segment: Segment, than rank: Int) -> Bool {
        guard let kept = segment.tube.ahead.first?.key, let ready = segment.record.ready else { return false }
        guard let job = ready.job(rank) else { return true }
        return kept < ReadyKey(priority: job.priority, slot: job.slot, in: segment.number)
    }

    /// The best job that works under way reserve ahead.
    func bestAhead(of segment: Segment) -> ReadyKey? {
        var best: ReadyKey?
        for flight in segment.flights where !flight.hand.ahead.isEmpty {
            for job in flight.hand.work.picks where flight.hand.ahead.contains(job.slot) {
                let key = ReadyKey(priority: job.entry.details.priority, slot: job.slot, in: segment.number)
                best = min(best ?? key, key)
            }
        }
        return best
    }

    /// Gives back what was kept for too long.
    func endKeeping(_ tube: Tube, _ now: NIODeadline) {
        tube.isAheadTimed = false
        guard let oldest = tube.ahead.map(\.since).min() else { return }
        // All of them: whoever asks meanwhile is not to get a worse one.
        if oldest + Self.keptTime <= now { return giveBackAhead(tube) }
        tube.isAheadTimed = true
        timers.insert(.ahead(tube), at: oldest + Self.keptTime)
    }

    /// Gives the jobs back that are kept, and keeps none for a while.
    func giveBackAhead(_ tube: Tube) {
        guard !tube.ahead.isEmpty else { return }
        tube.aheadRestsUntil = .now() + Self.restTime
        for job in tube.ahead { giveBack(job.place, job.entry, to: job.segment) }
        tube.ahead = []
    }

    /// A job is ready again, or it is not known to be.
    func noteReturned(_ slot: Int, _ segment: Segment) {
        segment.returning.remove(slot)
        if !claimedAhead.isEmpty { claimedAhead.remove(JobPlace(segment: segment.number, slot: slot).id) }
    }

    /// Gives all jobs back that are kept, before somebody looks; returns when they are ready again, or cannot be.
    func recallAhead() async {
        for _ in 0..<Self.callsMax where !claimedAhead.isEmpty {
            recallAheadSoon()
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Gives all jobs back that are kept.
    func recallAheadSoon() {
        guard !claimedAhead.isEmpty else { return }
        let until = NIODeadline.now() + Self.restTime
        for tube in tubes.values {
            tube.aheadRestsUntil = until
            giveBackAhead(tube)
        }
        endTurnSoon()
    }

    /// Jobs that are kept are gone: their tube was emptied.
    func forgetAhead(_ slots: SlotSet, of segment: Segment) {
        for slot in slots { noteReturned(slot, segment) }
        segment.tube.ahead.removeAll { $0.segment === segment && slots.contains($0.place.slot) }
    }

    /// The jobs that a work was to reserve ahead are not claimed by it any more.
    func dropAhead(_ hand: WorkInHand, _ segment: Segment) {
        for slot in hand.ahead where !segment.returning.contains(slot) {
            let job = JobPlace(segment: segment.number, slot: slot).id
            if !segment.tube.ahead.contains(where: { $0.place.id == job }) { claimedAhead.remove(job) }
        }
    }
}
