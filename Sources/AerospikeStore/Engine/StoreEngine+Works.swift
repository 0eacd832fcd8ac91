import Aerospike
import BeanspikeCore
import Logging
import NIOCore

// One work at a time is under way for a segment; what comes meanwhile is the next one. The work is made ready (what it makes
// is listed, the process's footprint covers it), sent, and its outcome told to those who wait for it.
extension StoreEngine {
    /// How long a segment is left alone after a work of it failed, or while the process is in doubt.
    private static let restTime = TimeAmount.milliseconds(50)
    /// So often a work is refused at the most before it fails.
    private static let refusalsMax = 40
    /// How often it is tried to write the footprint down.
    private static let entriesMax = 10
    /// How often a segment that its directory lists is not found before it is over: about a second.
    private static let absencesMax = 8

    /// Sends what has gathered for a segment, unless something is under way there.
    func pump(_ segment: Segment) {
        guard !segment.isBusy, segment.restsUntil <= .now() else { return }
        guard var hand = gather(segment) else {
            retireOrForget(segment)
            return
        }
        segment.isBusy = true
        if isPrepared(&hand, segment) {
            send(hand, to: segment)
        } else {
            begin { [hand] engine in await engine.carryOut(hand, on: segment) }
        }
    }

    /// Whether a work can be sent as it is: the process's footprint covers it, and what it makes is listed.
    private func isPrepared(_ hand: inout WorkInHand, _ segment: Segment) -> Bool {
        if hand.reserves, !registry.isEntered(segment.number) { return false }
        for (kind, key) in hand.work.keysMade(in: segment.number) {
            guard segment.marks[kind].covers(key) else { return false }
            hand.work.listings[kind] = .init(key: key, epoch: segment.marks[kind].epoch)
        }
        return true
    }

    /// Makes the first try of a work, without a task; what cannot be done so is carried out by one.
    private func send(_ hand: WorkInHand, to segment: Segment) {
        underWay += 1
        let sequence = nextSequence()
        records.send(
            hand.work,
            to: segment.key,
            segment.number,
            by: worker(hand.process),
            sequence: sequence
        ) { result in
            self.assumeIsolated { $0.answered(result, hand, segment, sequence) }
        }
    }

    private func answered(
        _ result: Result<SegmentWork.Outcome, AerospikeError>,
        _ hand: WorkInHand,
        _ segment: Segment,
        _ sequence: Int64
    ) {
        switch result {
        case .success(let outcome):
            if life == hand.life {
                applied(outcome, hand, segment)
            } else {
                outlived(hand, .applied(outcome), segment)
            }
            end(segment)
        case .failure(let error):
            let first = FirstTry(sequence: sequence, failure: error)
            begin { engine in await engine.carryOut(hand, on: segment, after: first) }
        }
        endedCount += 1
        // Where nothing else is under way no other answer can have arrived with this one.
        if underWay == endedCount { endTurn() } else { endTurnSoon() }
    }

    /// A work is done with: the next may go.
    private func end(_ segment: Segment) {
        segment.isBusy = false
        segment.popsUnderWay = 0
        touch(segment)
        if segment.isTail { touch(segment.tube) }
    }

    /// Sends nothing to a segment for a moment.
    func rest(_ segment: Segment) {
        segment.restsUntil = .now() + Self.restTime
        timers.insert(.resume(segment), at: segment.restsUntil)
    }

    // MARK: - Carrying out

    /// A try of a work that failed.
    private struct FirstTry: Sendable {
        let sequence: Int64
        let failure: AerospikeError
    }

    private func carryOut(_ given: WorkInHand, on segment: Segment, after first: FirstTry? = nil) async {
        var hand = given
        var first = first
        var absences = 0
        var refusals = 0
        do {
            if first == nil, hand.reserves {
                try await enterFootprint(segment)
                try check(hand)
            }
            while true {
                switch try await attempt(&hand, on: segment, after: first.take()) {
                case .done: return end(segment)
                case .again:
                    refusals += 1
                    try await pause(afterRefusals: refusals)
                    try check(hand)
                case .gone:
                    absences += 1
                    if try await isDead(segment, absences) {
                        isOver(segment, hand)
                        return end(segment)
                    }
                    try check(hand)
                }
            }
        } catch {
            failed(hand, segment, error)
        }
        end(segment)
    }

    /// Lets others go on before a work that was refused is tried again; one that is refused for ever fails.
    private func pause(afterRefusals count: Int) async throws {
        guard count > 2 else { return }
        guard count < Self.refusalsMax else {
            let message = "The segment was changed by others each time; nothing happened. Try again."
            throw JobStoreError(.writeFailed, message)
        }
        try await Task.sleep(for: .milliseconds(Int.random(in: 1...2) << min(count - 3, 6)))
    }

    private enum Attempt {
        case done
        case again
        /// The segment seems to be over.
        case gone
    }

    private func attempt(
        _ hand: inout WorkInHand,
        on segment: Segment,
        after first: FirstTry?
    ) async throws -> Attempt {
        if first == nil {
            let isListed = try await list(&hand.work, segment)
            try check(hand)
            guard isListed else { return .gone }
        }
        let performed = try await records.perform(
            hand.work,
            on: segment.number,
            process: hand.process,
            sequence: first?.sequence ?? nextSequence(),
            held: segment.held,
            after: first?.failure
        )
        if life != hand.life {
            outlived(hand, performed, segment)
            return .done
        }
        switch performed {
        case .applied(let outcome):
            applied(outcome, hand, segment)
            return .done
        case .gone: return .gone
        case .refused: return try await refused(&hand, segment)
        }
    }

    /// Whether a segment that seems to be over is: what is held there would be given up for a mistake of a node.
    ///
    /// It is if its directory says so, or if it is not found many times in a row, as when the cluster lost it.
    private func isDead(_ segment: Segment, _ absences: Int) async throws -> Bool {
        if absences > Self.absencesMax { return true }
        if let directory = try await findDirectory(segment.tube),
            try await directory.isRetired(segment.number, at: segment.position)
        {
            return true
        }
        try await Task.sleep(for: .milliseconds(Int.random(in: 5...10) << min(absences - 1, 5)))
        return false
    }

    private func check(_ hand: WorkInHand) throws(JobStoreError) {
        guard life == hand.life else { throw Self.takenForDead }
    }

    private static let takenForDead = JobStoreError(
        .writeFailed,
        "This process was taken for dead and starts again: what it held is others' to give out. Try again.",
        inDoubt: true
    )

    /// The process began a new life while a work was under way: what it reserved belongs to others.
    private func outlived(_ hand: WorkInHand, _ performed: SegmentRecords.Performed, _ segment: Segment) {
        var hand = hand
        if case .applied = performed, !hand.appends.isEmpty {
            // They are in the queue, whoever put them.
            _ = appended(hand, segment)
            hand.appends = []
        }
        segment.nextSlot = nil
        failed(hand, segment, Self.takenForDead)
    }

    /// Pops may take from a segment only when the process's footprint names it.
    private func enterFootprint(_ segment: Segment) async throws {
        guard !registry.isEntered(segment.number) else { return }
        // Those that come next go along.
        let others = segment.tube.candidates.prefix(16).map(\.number).filter { !registry.isEntered($0) }
        for failures in 1... {
            do throws(JobStoreError) {
                return try await registry.enter(segments: Array(Set(others + [segment.number])))
            } catch {
                // It may be repeated.
                guard error.code == .writeFailed, failures < Self.entriesMax else { throw error }
                try await Task.sleep(for: .milliseconds(Int.random(in: 10...20) << min(failures, 4)))
            }
        }
    }

    /// Sees to it that the directory lists what the work makes of jobs.
    ///
    /// - Returns: false if the segment is no longer live.
    private func list(_ work: inout SegmentWork, _ segment: Segment) async throws -> Bool {
        work.listings = [:]
        for (kind, key) in work.keysMade(in: segment.number) {
            if segment.marks[kind].covers(key) {
                work.listings[kind] = .init(key: key, epoch: segment.marks[kind].epoch)
                continue
            }
            guard let directory = try await findDirectory(segment.tube),
                let marks = try await records.persistently({ (_) throws(AerospikeError) in
                    try await records.marks(segment.number)
                })
            else { return false }
            segment.marks = marks
            if marks[kind].covers(key) {
                work.listings[kind] = .init(key: key, epoch: marks[kind].epoch)
                continue
            }
            let isLive = try await directory.list(kind, at: segment.position, segment: segment.number, key)
            guard isLive else { return false }
            work.listings[kind] = .init(key: key, epoch: marks[kind].epoch, setsMark: true)
        }
        return true
    }

    private func applied(_ outcome: SegmentWork.Outcome, _ hand: WorkInHand, _ segment: Segment) {
        for (kind, listing) in hand.work.listings where listing.setsMark { segment.marks[kind].key = listing.key }
        var readied = 0
        for (slot, update) in hand.updates {
            let isPresent = outcome.present.contains(slot)
            segment.held.remove(slot)
            let place = JobPlace(segment: segment.number, slot: slot)
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
        if !hand.appends.isEmpty || hand.work.closes { readied += appended(hand, segment) }
        segment.popsUnderWay = 0
        if let count = outcome.jobCount {
            segment.isEmptied = count == 0
        } else if !hand.appends.isEmpty {
            segment.isEmptied = false
        }
        if hand.work.pops > 0 {
            segment.tube.setBest(outcome.nextReady, of: segment)
            let known = outcome.readyCount ?? segment.readyCount.map { $0 - outcome.popped.count }
            // Others may have reserved some, or made more ready.
            segment.readyCount = outcome.nextReady == nil ? 0 : known.map { max(1, $0) }
            segment.knownSince = .now()
            if segment.best == nil { segment.noteEmpty() }
            give(outcome.popped, to: hand.pops, of: segment)
            if segment.best == nil || outcome.popped.isEmpty { raiseListing(segment) }
        }
        if readied > 0 {
            serve(segment.tube, jobs: readied)
            tellPeers(segment.tube)
        }
    }

    /// Notes what became of a job; true where it is ready now.
    private func noteMade(_ entry: JobEntry, _ slot: Int, _ segment: Segment) -> Bool {
        switch entry.state {
        case .ready(let priority):
            let id = JobPlace(segment: segment.number, slot: slot).id
            let count = segment.readyCount.map { $0 + 1 }
            segment.tube.noteReady(segment, ReadyKey(priority: priority, id: id), count: count)
            return true
        case .delayed(let due):
            noteWake(segment.tube, due)
            return false
        default: return false
        }
    }

    private func appended(_ hand: WorkInHand, _ segment: Segment) -> Int {
        var readied = 0
        for (offset, append) in hand.appends.enumerated() {
            let slot = hand.work.firstSlot + offset
            if noteMade(append.entry, slot, segment) { readied += 1 }
            let id = JobPlace(segment: segment.number, slot: slot).id
            finish(append.session, append.ticket, .inserted(id))
        }
        segment.nextSlot = hand.work.firstSlot + hand.appends.count
        segment.bytes = hand.bytes
        if hand.work.closes {
            // Another is the tail from now on.
            segment.tube.isTailFull = true
            touch(segment.tube)
        } else if segment.nextSlot ?? 0 >= StoreLimits.segmentSlots / 2 {
            prepareSpares(segment.tube)
        }
        return readied
    }

    /// The guard did not hold.
    ///
    /// Finds out why, and whether to try again.
    ///
    /// - Returns: whether the rest of the work is to be tried again, or is done with.
    private func refused(_ hand: inout WorkInHand, _ segment: Segment) async throws -> Attempt {
        if hand.appends.isEmpty, hand.updates.isEmpty, !hand.work.closes {
            // Nothing is ready there.
            segment.noteEmpty()
            raiseListing(segment)
            give([], to: hand.pops, of: segment)
            return .done
        }
        let state = try await records.persistently { (_) throws(AerospikeError) in
            try await records.read(segment.number)
        }
        try check(hand)
        guard let state else { return .gone }
        if state.tokens[hand.process] == .max {
            // Others took this process for dead.
            throw Self.takenForDead
        }
        if !hand.work.expected.isEmpty {
            let isChanged = hand.work.expected.contains { slot, entry in state.entries[slot] != entry }
            if isChanged {
                hand.guarded?.resume(returning: false)
                return .done
            }
        }
        segment.marks = SegmentMarks()
        guard !hand.appends.isEmpty || hand.work.closes else { return .again }
        segment.nextSlot = state.nextSlot
        segment.bytes = state.bytes
        guard state.isClosed || state.nextSlot != hand.work.firstSlot else { return .again }
        // Somebody else put here. The order of ids is that of arrival, so what waits keeps its order.
        segment.tube.appends.insert(contentsOf: hand.appends, at: segment.tube.appends.startIndex)
        hand.appends = []
        hand.work.appends = []
        hand.work.closes = false
        if state.isClosed { segment.tube.isTailFull = true }
        touch(segment.tube)
        return hand.work.isEmpty ? .done : .again
    }

    /// The segment is over: none of its jobs is left.
    private func isOver(_ segment: Segment, _ hand: WorkInHand) {
        for (slot, update) in hand.updates {
            let job = JobPlace(segment: segment.number, slot: slot).id
            if let held = held[job], held.isSettling { letGo(held) }
            complete(update, isPresent: false)
        }
        hand.guarded?.resume(returning: false)
        segment.held = []
        segment.noteEmpty()
        if !hand.appends.isEmpty {
            segment.tube.appends.insert(contentsOf: hand.appends, at: segment.tube.appends.startIndex)
        }
        if segment.isTail {
            segment.tube.isTailFull = true
            touch(segment.tube)
        }
        give([], to: hand.pops, of: segment)
    }

    private func failed(_ hand: WorkInHand, _ segment: Segment, _ error: any Error) {
        let failure = JobStoreError(writing: error)
        logger.warning("a change of a segment failed", metadata: ["segment": "\(segment.number)", "error": "\(error)"])
        rest(segment)
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
            }
            fail(update, failure)
        }
        for append in hand.appends { finish(append.session, append.ticket, .failed(failure)) }
        for request in hand.pops {
            request.isAsking = false
            fail(request, failure)
        }
    }
}
