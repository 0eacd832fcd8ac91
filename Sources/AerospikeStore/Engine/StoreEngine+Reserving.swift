import BeanspikeCore
import NIOCore

// A reserve asks the segment that is believed to have the best job of its tubes. What is believed can be wrong in one
// direction only: a segment that has nothing better than was thought. So a reserve that found nothing goes on with the next,
// and is told that nothing is ready only when each of its tubes was looked at since it was made.
extension StoreEngine {
    func reserve(_ wait: ReserveWait, _ session: Session, _ ticket: Ticket) {
        let watched = session.watched
        let request = ReserveRequest(session: session, ticket: ticket, wait: wait, watched: watched, since: .now())
        noteReserve(session, request.since)
        begin(request)
    }

    private func begin(_ request: ReserveRequest) {
        if request.wait != .none {
            request.session.reserving = request
            request.isEnding = request.session.endsNextWait
            request.session.endsNextWait = false
        }
        dispatch(request)
    }

    /// Asks the best segment for a job; or looks for one; or answers that there is none.
    func dispatch(_ request: ReserveRequest) {
        guard !request.isOver, !request.isAsking, request.looks == 0 else { return }
        let now = NIODeadline.now()
        var best: (segment: Segment, key: ReadyKey)?
        var stalest: Tube?
        /// The best where somebody else was sent already: there may be more than is known.
        var claimed: Segment?
        /// Tubes that were not looked at since the request was made, and those that never were.
        var unseen: [Tube] = []
        var unknown: [Tube] = []
        for tube in request.watched {
            guard !tube.isPaused(now) else { continue }
            if tube.lookedAt == nil { unknown.append(tube) }
            if let lookedAt = tube.lookedAt, lookedAt < stalest?.lookedAt ?? now { stalest = tube }
            if let candidate = tube.bestCandidate(unclaimed: true) {
                if let key = candidate.best, best.map({ key < $0.key }) ?? true { best = (candidate, key) }
            } else if claimed == nil {
                claimed = tube.bestCandidate()
            }
            if tube.lookedAt.map({ $0 < request.since }) ?? true { unseen.append(tube) }
        }
        if unknown.isEmpty, let stalest { refreshIfStale(stalest, now) }
        if unknown.isEmpty, takeAhead(request, ifBefore: best?.key, now) { return }
        if let segment = best?.segment ?? claimed, unknown.isEmpty {
            request.isAsking = true
            segment.pops.append(request)
            touch(segment)
            return
        }
        let looked = best == nil ? unseen : unknown
        guard looked.isEmpty else {
            request.looks = looked.count
            for tube in looked { look(tube, for: request) }
            return
        }
        nothingReady(request, now)
    }

    /// Every tube was looked at, and nothing is ready.
    private func nothingReady(_ request: ReserveRequest, _ now: NIODeadline) {
        let session = request.session
        let soon = deadlineSoon(session)
        if let soon, soon <= now { return answer(request, .deadlineSoon) }
        if request.isEnding || !session.isOpen { return answer(request, .timedOut) }
        if request.turn == nil {
            switch request.wait {
            case .none: return answer(request, .timedOut)
            case .microseconds(let limit):
                guard limit > 0 else { return answer(request, .timedOut) }
                let end = request.since + .microseconds(limit)
                timers.insert(.wait(request), at: end)
            case .forever: break
            }
            startWaiting(request)
        }
        if let soon { timers.insert(.deadlineSoon(request), at: soon) }
    }

    // MARK: - Waiting

    private func startWaiting(_ request: ReserveRequest) {
        lastTurn += 1
        request.turn = lastTurn
        for tube in request.watched {
            tube.waiters.append(request)
            if tube.waiters.count == 1 {
                announceWaiting(tube, true)
                startPolling(tube)
            }
        }
    }

    /// Takes a request out of all tubes: it is answered, or nobody wants the answer.
    func forget(_ request: ReserveRequest) {
        guard !request.isOver else { return }
        request.isOver = true
        if request.session.reserving === request { request.session.reserving = nil }
        guard request.turn != nil else { return }
        for tube in request.watched {
            tube.waiters.removeAll { $0 === request }
            if tube.waiters.isEmpty { announceWaiting(tube, false) }
        }
    }

    /// Ends a reserve whose session is gone.
    ///
    /// A job that is on its way to it goes back.
    func drop(_ request: ReserveRequest) {
        guard !request.isOver else { return }
        forget(request)
        request.session.underWay -= 1
    }

    /// Answers a reserve as soon as it is known whether there is a job.
    func endSoon(_ request: ReserveRequest) {
        request.isEnding = true
        if !request.isAsking, request.looks == 0 { endWait(request, .timedOut) }
    }

    private func answer(_ request: ReserveRequest, _ reply: Reply, body: ByteBuffer? = nil) {
        forget(request)
        finish(request, reply, body: body)
    }

    private func finish(_ request: ReserveRequest, _ reply: Reply, body: ByteBuffer? = nil) {
        let session = request.session
        if request.wait != .none {
            session.outbox.countWaits(-1, of: session.id)
            // It was meant for this one.
            session.endsNextWait = false
        }
        finish(session, request.ticket, reply, body: body)
    }

    /// Ends a wait with something else than a job.
    func endWait(_ request: ReserveRequest, _ reply: Reply) {
        guard !request.isOver, request.turn != nil else { return }
        answer(request, reply)
    }

    func fail(_ request: ReserveRequest, _ error: JobStoreError) {
        guard !request.isOver else { return }
        answer(request, .failed(error))
    }

    /// Has those who wait for a tube's jobs ask for them, the longest first, as far as there may be some.
    func serve(_ tube: Tube, jobs: Int = .max) {
        guard !tube.waiters.isEmpty, !tube.isPaused(.now()) else { return }
        var left = jobs
        for request in tube.waiters where left > 0 && !request.isAsking && request.looks == 0 {
            guard tube.bestCandidate() != nil else { return }
            dispatch(request)
            left -= 1
        }
    }

    func tellDeadlineSoon(_ request: ReserveRequest, _ now: NIODeadline) {
        guard !request.isOver, request.turn != nil, let soon = deadlineSoon(request.session) else { return }
        if soon <= now {
            endWait(request, .deadlineSoon)
        } else {
            timers.insert(.deadlineSoon(request), at: soon)
        }
    }

    /// When the session is to be told that a reservation of its ends soon.
    private func deadlineSoon(_ session: Session) -> NIODeadline? {
        var soonest: NIODeadline?
        for job in session.held {
            // One that is being deleted is none to be afraid for.
            guard let held = held[job], !held.isSettling, let deadline = held.deadline else { continue }
            soonest = min(soonest ?? deadline, deadline)
        }
        return soonest.map { $0 - TimeAmount(Limits.deadlineMargin) }
    }

    // MARK: - Jobs that come

    /// Gives reserved jobs to those who asked, in their order; whoever gets none asks on.
    func give(_ popped: [(slot: Int, entry: JobEntry)], to given: WorkInHand, of segment: Segment) {
        segment.noteSettled(given.pops.count)
        var reservesAhead = !given.ahead.isEmpty
        dropAhead(given, segment)
        // Who asked first is first, though a later work may have found the job.
        var requests = (segment.leftOver + given.pops)[...]
        segment.leftOver = []
        let isDoubtful = !popped.isEmpty && registry.isDoubtful()
        for (slot, entry) in popped {
            let place = JobPlace(segment: segment.number, slot: slot)
            segment.held.insert(slot)
            var taker: ReserveRequest?
            // Where others may have freed it already, nobody gets it.
            while taker == nil, !isDoubtful, let next = requests.popFirst() {
                next.isAsking = false
                if next.wasServedAhead { reservesAhead = true }
                if !next.isOver { taker = next }
            }
            if taker == nil, !isDoubtful, segment.returning.isEmpty {
                taker = nextWaiter(segment, for: ReadyKey(priority: entry.details.priority, id: place.id))
            }
            guard let taker else {
                // Nobody wants it now: it is kept for those who will, or goes back as it was.
                keep(place, entry, of: segment, mayKeep: reservesAhead && !isDoubtful)
                continue
            }
            hand(hold(place, entry, in: segment, for: taker.session), to: taker)
        }
        if segment.asksForJobs {
            segment.leftOver = Array(requests)
        } else {
            goOn(Array(requests))
        }
    }

    /// Who waits for a work of the segment that is not done or not gathered yet, the first: before those who are only expected.
    ///
    /// - Returns: nil where nobody does, or the first gets a better job in its turn.
    private func nextWaiter(_ segment: Segment, for key: ReadyKey) -> ReserveRequest? {
        let now = NIODeadline.now()
        guard !segment.tube.isPaused(now) else { return nil }
        for flight in segment.flights {
            if let next = Self.firstWaiter(flight.hand.pops) {
                return isBefore(key, flight.hand.work.picks.first, segment) ? next.servedAhead() : nil
            }
        }
        if let next = segment.unprepared.flatMap({ Self.firstWaiter($0.pops) }) {
            return isBefore(key, segment.unprepared?.work.picks.first, segment) ? next.servedAhead() : nil
        }
        guard !segment.carriesPops else { return nil }
        while let next = segment.pops.first {
            guard !next.isOver else {
                segment.pops.removeFirst()
                next.isAsking = false
                continue
            }
            guard segment.best.map({ key < $0 }) ?? true, !hasBetter(next, than: key, but: segment, now) else {
                return nil
            }
            segment.pops.removeFirst()
            next.isAsking = false
            return next
        }
        return nil
    }

    private static func firstWaiter(_ requests: [ReserveRequest]) -> ReserveRequest? { requests.first { !$0.isOver } }

    /// Whether a job comes before the one that a work picked, or before all that are known where it picked none.
    private func isBefore(_ key: ReadyKey, _ pick: ReadyMirror.Job?, _ segment: Segment) -> Bool {
        let own = pick.map { ReadyKey(priority: $0.entry.details.priority, slot: $0.slot, in: segment.number) }
        return (own ?? segment.best).map { key < $0 } ?? true
    }

    /// Whether another segment of the tubes that a session watches is known to have a better job, or one is kept.
    private func hasBetter(
        _ request: ReserveRequest,
        than key: ReadyKey,
        but segment: Segment,
        _ now: NIODeadline
    ) -> Bool {
        request.watched.contains { tube in
            guard !tube.isPaused(now) else { return false }
            if let kept = tube.ahead.first?.key, kept < key { return true }
            return tube.best(beside: segment).map { $0 < key } ?? false
        }
    }

    /// Has requests ask elsewhere, or wait.
    func goOn(_ requests: [ReserveRequest]) {
        for request in requests {
            request.isAsking = false
            dispatch(request)
        }
    }

    /// Makes the session the job's holder.
    ///
    /// Its time to run begins when it is handed out: now, or when its body has been read.
    @discardableResult
    func hold(_ place: JobPlace, _ entry: JobEntry, in segment: Segment, for session: Session) -> HeldJob {
        let reserved = entry.reserved(by: process, nowMilliseconds: clusterMilliseconds)
        let job = HeldJob(place: place, entry: reserved, segment: segment, session: session)
        held[place.id] = job
        session.held.insert(place.id)
        if case .inline = entry.details.body { handedOut(job) }
        return job
    }

    /// Answers a reserve with a job, whose body may have to be read.
    func hand(_ job: HeldJob, to request: ReserveRequest) {
        switch job.entry.details.body {
        case .inline(let body): answer(request, .reserved(view(of: job)), body: body)
        case .separate(let reference):
            // It is taken: it waits no more, unless the job is taken away again.
            forget(request)
            begin { engine in
                let reply: (Reply, ByteBuffer?)
                do {
                    guard let body = try await engine.read(reference, for: job) else { return engine.askAgain(request) }
                    reply = (.reserved(engine.view(of: job)), body)
                } catch {
                    reply = (.failed(JobStoreError(reading: error, "the body of job \(job.place.id)")), nil)
                }
                engine.finish(request, reply.0, body: reply.1)
            }
        }
    }

    /// Reads the body of a job that is to be handed out.
    ///
    /// That may take long, and the job may be another's by then: where this process was taken for dead, or the tube emptied.
    ///
    /// - Returns: the body; nil if the session does not hold the job any more.
    /// - Throws: why it could not be read; the job is given up then.
    func read(_ reference: BodyReference, for job: HeldJob) async throws -> ByteBuffer? {
        let body: ByteBuffer
        do {
            body = try await bodies.read(reference)
        } catch {
            guard isHeld(job) else { return nil }
            giveUpUnread(job, error)
            throw error
        }
        await untilSure(of: job)
        guard isHeld(job) else { return nil }
        handedOut(job)
        return body
    }

    /// Lets a request ask once more, whose job was taken away before it had it.
    private func askAgain(_ request: ReserveRequest) {
        guard request.session.isOpen else { return finish(request, .timedOut) }
        begin(request.again(at: .now()))
    }

    private func view(of job: HeldJob) -> JobView {
        view(of: job.place, job.entry, reserves: job.entry.details.reserves &+ 1)
    }

    func view(of place: JobPlace, _ entry: JobEntry, reserves: UInt32) -> JobView {
        JobView(
            id: place.id,
            body: .empty,
            priority: entry.details.priority,
            ttrSeconds: entry.details.ttrSeconds,
            reserves: reserves,
            attributes: entry.details.attributes
        )
    }
}
