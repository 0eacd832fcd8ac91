import Aerospike
import BeanspikeCore
import Logging
import NIOCore

/// The queue as this process sees it: sessions, what they wait for, and what is known of tubes and segments.
///
/// All of it happens on one event loop, that of the connections to the cluster, so that neither a lock nor another thread is
/// between a command and its request. What meets while a segment is busy leaves for it as one `operate`.
actor StoreEngine {
    nonisolated let eventLoop: any EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

    let client: AerospikeClient
    let layout: StoreLayout
    let records: SegmentRecords
    let calls: GuardedCalls
    let bodies: BodyStore
    let registry: ProcessRegistry
    let logger: Logger

    /// Direct messages between processes; nil where there are none.
    let peers: PeerNetwork?
    /// Whether there are other processes.
    var hasPeers = false

    var sessions: [SessionID: Session] = [:]
    var tubes: [TubeName: Tube] = [:]
    var segments: [SegmentNumber: Segment] = [:]
    var held: [JobID: HeldJob] = [:]
    /// Those whose ready jobs are known, the longest first.
    var mirrored = CircularBuffer<Segment>()
    /// Jobs that are reserved ahead, are about to be, or are on their way back.
    var claimedAhead: Set<JobID> = []
    /// Commands under way that look at jobs: none is reserved ahead meanwhile.
    var lookers = 0
    /// After how many returns of a session jobs are reserved ahead for it.
    let returnsMin: Int
    var outboxes: [Outbox] = []

    // MARK: What is to be done at the end of the turn

    private var dirtySegments = CircularBuffer<Segment>()
    private var dirtyTubes = CircularBuffer<Tube>()
    var sessionsToAdvance = CircularBuffer<Session>()

    /// Whether the turn is to end as soon as what has arrived was taken in.
    private var isTurnToEnd = false

    var timers = TimerHeap<Timer>()
    private var scheduled: (at: NIODeadline, task: Scheduled<Void>)?

    private var lastSequence: Int64 = 0
    private var lastBurial: Int64 = 0
    var lastTurn: UInt64 = 0
    /// How often this process began to live anew; see ``died()``.
    var life = 0
    var isClosing = false
    /// Whether closing has waited long enough.
    var isOutOfTime = false
    /// Whether nothing more is to be sent, as if the process were dead.
    var isAbandoned = false
    /// Works and other calls under way; closing waits for them.
    var underWay = 0
    /// Those of them that came to their end in this turn.
    var endedCount = 0
    var whenIdle: [CheckedContinuation<Void, Never>] = []
    let sessionIDs: SessionIDs

    /// What comes due.
    enum Timer {
        case reservation(HeldJob)
        case wait(ReserveRequest)
        case deadlineSoon(ReserveRequest)
        case wake(Tube)
        case pauseEnd(Tube)
        /// The process has put into segments of its own for long enough.
        case apart(Tube)
        case poll(Tube)
        /// Jobs of a tube that nobody asked for.
        case ahead(Tube)
        /// A tube that nobody of this process wanted for a while.
        case forget(Tube)
        /// A segment whose works failed, or had to wait.
        case resume(Segment)
    }

    init(
        client: AerospikeClient,
        layout: StoreLayout,
        registry: ProcessRegistry,
        peers: PeerNetwork?,
        eventLoop: any EventLoop,
        sessionIDs: SessionIDs,
        returnsMin: Int,
        logger: Logger
    ) {
        self.client = client
        self.layout = layout
        self.registry = registry
        self.peers = peers
        self.eventLoop = eventLoop
        self.sessionIDs = sessionIDs
        self.returnsMin = returnsMin
        self.logger = logger
        records = SegmentRecords(client: client, layout: layout)
        calls = GuardedCalls(client)
        bodies = BodyStore(client: client, layout: layout)
    }

    // MARK: - What everything needs

    var process: ProcessNumber { registry.number }

    /// Greater than all before: of all works of this process.
    ///
    /// The number after it is that of the work's seal.
    func nextSequence() -> Int64 {
        lastSequence += 2
        return lastSequence
    }

    /// The cluster's time in milliseconds.
    var clusterMilliseconds: Int64 { registry.clock.nowMilliseconds() }

    /// A time of burial, later than all before.
    func nextBurial() -> Int64 {
        lastBurial = max(lastBurial + 1, clusterMilliseconds * 1_000)
        return lastBurial
    }

    func tube(_ name: TubeName) -> Tube {
        if let tube = tubes[name] {
            tube.usedAt = .now()
            return tube
        }
        let tube = Tube(name)
        tubes[name] = tube
        return tube
    }

    func segment(_ number: SegmentNumber, of tube: Tube, position: Int) -> Segment {
        if let segment = segments[number] {
            if segment.tube === tube, segment.position == position { return segment }
            if segment.tube.name == tube.name {
                // The tube was dropped and found again, while something was under way here. Or it moved: a cluster that
                // lost the tube's record has another directory.
                segment.move(to: tube, position: position)
                return segment
            }
            // A cluster that lost what it had acknowledged gave the number twice. Whoever has the other goes on with it.
        }
        let segment = Segment(number, at: records.key(number), tube: tube, position: position)
        segments[number] = segment
        registry.note(segment: number)
        return segment
    }

    /// A segment's one value, which may have been dropped, or made anew, since it was found.
    func current(_ segment: Segment) -> Segment {
        if let known = segments[segment.number] { return known }
        segments[segment.number] = segment
        return segment
    }

    /// Sees to it that something is done about a segment at the end of the turn.
    func touch(_ segment: Segment) {
        guard !segment.isDirty else { return }
        segment.isDirty = true
        dirtySegments.append(segment)
    }

    /// Sees to it that something is done about a tube at the end of the turn.
    func touch(_ tube: Tube) {
        guard !tube.isDirty else { return }
        tube.isDirty = true
        dirtyTubes.append(tube)
    }

    /// Runs a task of the engine's; closing waits for it.
    func begin(_ body: @escaping @Sendable (isolated StoreEngine) async -> Void) {
        underWay += 1
        // What is not the engine's own runs on the same loop too: calls of the client would go by another thread otherwise. For
        // that preference a call of the engine's own, and a wait, begins only when the loop comes around: whatever was looked
        // at before may be another way by then.
        Task(executorPreference: client.executor) { await self.run(body) }
    }

    private func run(_ body: @Sendable (isolated StoreEngine) async -> Void) async {
        await body(self)
        endedCount += 1
        endTurn()
    }

    /// Takes note of what came to its end, when what follows from it is under way.
    private func noteEnded() {
        underWay -= endedCount
        endedCount = 0
        if underWay == 0, !whenIdle.isEmpty {
            let waiters = whenIdle
            whenIdle = []
            for waiter in waiters { waiter.resume() }
        }
    }

    /// Ends the turn when whoever runs now lets go, together with what else arrived.
    func endTurnSoon() {
        guard !isTurnToEnd else { return }
        isTurnToEnd = true
        eventLoop.execute { self.assumeIsolated { $0.endTurn() } }
    }

    /// Sends what has gathered, and delivers the replies.
    func endTurn() {
        isTurnToEnd = false
        while !isAbandoned {
            // Who came first is first, and all that came is in before anything leaves.
            if let session = sessionsToAdvance.popFirst() {
                advance(session)
            } else if let tube = dirtyTubes.popFirst() {
                tube.isDirty = false
                pump(tube)
            } else if let segment = dirtySegments.popFirst() {
                segment.isDirty = false
                pump(segment)
            } else {
                break
            }
        }
        for outbox in outboxes { outbox.notify() }
        if endedCount > 0 { noteEnded() }
        if !isAbandoned { schedule() }
    }

    // MARK: - Time

    func schedule() {
        dropDeadTimers()
        guard let first = timers.first, scheduled.map({ first < $0.at }) ?? true else { return }
        scheduled?.task.cancel()
        let task = eventLoop.scheduleTask(deadline: first) { self.assumeIsolated { $0.timeCame() } }
        scheduled = (first, task)
    }

    /// Whether something is to be done at some time.
    var hasTimer: Bool { scheduled != nil }

    func stopTimer() {
        scheduled?.task.cancel()
        scheduled = nil
    }

    private func timeCame() {
        scheduled = nil
        let now = NIODeadline.now()
        while let timer = timers.pop(at: now) { fire(timer, now) }
        endTurn()
    }

    private func fire(_ timer: Timer, _ now: NIODeadline) {
        switch timer {
        case .reservation(let held): expireReservation(held, now)
        case .wait(let request): endWait(request, .timedOut)
        case .deadlineSoon(let request): tellDeadlineSoon(request, now)
        case .wake(let tube): wake(tube, now)
        case .pauseEnd(let tube):
            if !tube.isPaused(now) { serve(tube) }
        case .poll(let tube): poll(tube, now)
        case .apart(let tube): endApart(tube, now)
        case .ahead(let tube): endKeeping(tube, now)
        case .forget(let tube): forget(tube, now)
        case .resume(let segment): touch(segment)
        }
    }

    /// Timers are not taken back one by one: here those go that nothing would come of.
    private func dropDeadTimers() {
        let live = held.count + 2 * sessions.count + 4 * tubes.count + segments.count
        guard timers.count > 1_024 + 2 * live else { return }
        timers.compact { timer in
            switch timer {
            case .reservation(let job): held[job.place.id] === job
            case .wait(let request), .deadlineSoon(let request): !request.isOver
            case .wake(let tube), .pauseEnd(let tube), .apart(let tube), .poll(let tube), .ahead(let tube),
                .forget(let tube):
                tubes[tube.name] === tube
            case .resume(let segment): segments[segment.number] === segment
            }
        }
    }

    // MARK: - Ports

    func add(_ outbox: Outbox) { outboxes.append(outbox) }

    func receive(_ batch: inout PortBatch) {
        for event in batch.events {
            switch event {
            case .open(let id, let outbox): open(id, outbox)
            case .submit(let id, let count):
                let session = sessions[id]
                for _ in 0..<count {
                    let next = batch.next()
                    session?.queue.append(next)
                }
                if let session { sessionsToAdvance.append(session) }
            case .endWait(let id):
                guard let session = sessions[id] else { continue }
                // The reserve may have come just before, and may be behind others.
                advance(session)
                if let request = session.reserving {
                    endSoon(request)
                } else {
                    session.endsNextWait = session.outbox.isWaiting(id)
                }
            case .close(let id):
                if let session = sessions[id] { close(session) }
            }
        }
        endTurn()
    }

    private func open(_ id: SessionID, _ outbox: Outbox) {
        let first = tube(.default)
        let session = Session(id: id, outbox: outbox, tube: first)
        sessions[id] = session
        first.using += 1
        first.watching += 1
    }

    func close(_ session: Session) {
        // What was asked for is carried out; only then the session goes.
        session.isOpen = false
        if let request = session.reserving { drop(request) }
        sessionsToAdvance.append(session)
    }

    /// Ends a closed session when nothing of it is under way any more.
    func finishClosing(_ session: Session) {
        guard sessions[session.id] === session, session.queue.isEmpty, session.underWay == 0 else { return }
        sessions[session.id] = nil
        for job in session.held { abandon(job) }
        session.held = []
        stopUsing(session.used)
        for tube in session.watched { stopWatching(tube) }
        sessionIDs.giveBack(session.id)
    }

    func stopUsing(_ tube: Tube) {
        tube.using -= 1
        tube.usedAt = .now()
        forgetIfUnwanted(tube)
    }

    func stopWatching(_ tube: Tube) {
        tube.watching -= 1
        forgetIfUnwanted(tube)
    }
}

/// A job that this process holds for one of its sessions.
///
/// `@unchecked Sendable`: the engine alone uses it, on its event loop.
final class HeldJob: @unchecked Sendable {
    let place: JobPlace
    /// As it was when it was reserved.
    let entry: JobEntry
    let segment: Segment
    /// The session that holds it.
    let session: Session
    /// When its time to run is over; nil where there is no end to it, or it has not begun.
    var deadline: NIODeadline?
    /// Whether a change of it is under way.
    var isSettling = false
    /// Whether the session has it, with its body.
    var isHandedOut = false

    init(place: JobPlace, entry: JobEntry, segment: Segment, session: Session) {
        self.place = place
        self.entry = entry
        self.segment = segment
        self.session = session
    }
}
