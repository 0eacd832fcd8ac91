import Aerospike
import BeanspikeCore
import Logging
import NIOCore

// A work is made ready (what it makes is listed, the process's footprint covers it) and sent, perhaps behind another that is
// under way: then it is refused unless that one was done. Its outcome is told to those who wait for it, in the order of works.
// What cannot be sent as it is, or fails, is carried out by a task, which has the segment to itself.
extension StoreEngine {
    /// How long a segment is left alone after a work of it failed, or while the process is in doubt.
    private static let restTime = TimeAmount.milliseconds(50)
    /// So often a work is refused at the most before it fails.
    private static let refusalsMax = 40
    /// How often it is tried to write the footprint down.
    private static let entriesMax = 10
    /// How often a segment that its directory lists is not found before it is over: about a second.
    private static let absencesMax = 8

    /// Sends what has gathered for a segment, as far as works can be under way there.
    func pump(_ segment: Segment) {
        while segment.takesWork, segment.restsUntil <= .now(), !learnsFirst(segment) {
            guard var hand = segment.unprepared.take() ?? gather(segment) else {
                return retireOrForget(segment)
            }
            if isPrepared(&hand, segment) {
                send(hand, to: segment)
            } else if segment.flights.isEmpty {
                begin(carrying: [Flight(hand)], on: segment)
            } else {
                segment.unprepared = hand
            }
        }
    }

    /// Whether a work can be sent as it is: the process's footprint covers it, and what it makes is listed.
    private func isPrepared(_ hand: inout WorkInHand, _ segment: Segment) -> Bool {
        if hand.work.reserves, !registry.isEntered(segment.number) { return false }
        for (kind, key) in hand.work.keysMade(in: segment.number) {
            guard segment.marks[kind].covers(key) else { return false }
            hand.work.listings[kind] = .init(key: key, epoch: segment.marks[kind].epoch)
        }
        return true
    }

    /// Makes the first try of a work, without a task.
    private func send(_ given: WorkInHand, to segment: Segment) {
        underWay += 1
        var hand = given
        let before = segment.flights.last
        hand.work.predecessor = before?.sequence
        let flight = Flight(hand, sequence: nextSequence(), generation: segment.record.noteSent())
        segment.flights.append(flight)
        flight.connection = records.send(
            hand.work,
            to: segment.key,
            segment.number,
            process: hand.process,
            sequence: flight.sequence,
            connection: before?.connection
        ) { result in
            self.assumeIsolated { $0.answered(result, flight, segment) }
        }
    }

    private func answered(
        _ result: Result<SegmentWork.Outcome, AerospikeError>,
        _ flight: Flight,
        _ segment: Segment
    ) {
        endedCount += 1
        flight.result = result
        while let first = segment.flights.first, case .success(let outcome) = first.result {
            segment.flights.removeFirst()
            noteGeneration(outcome.generation, first, segment)
            deliver(outcome, first.hand, segment)
            end(segment)
        }
        // Those behind one that failed are refused; all are known before they are gone on with, one after the other.
        if !segment.flights.isEmpty, segment.flights.allSatisfy({ $0.result != nil }) {
            let flights = Array(segment.flights)
            segment.flights = []
            begin(carrying: flights, on: segment)
        }
        // Where nothing else is under way no other answer can have arrived with this one.
        if underWay == endedCount { endTurn() } else { endTurnSoon() }
    }

    private func noteGeneration(_ found: UInt32, _ flight: Flight, _ segment: Segment) {
        let behind = segment.flights.count
        let later = segment.record.noteAnswered(found, expected: flight.generation, behind: behind)
        for (flight, generation) in zip(segment.flights, later) { flight.generation = generation }
    }

    private func deliver(_ outcome: SegmentWork.Outcome, _ hand: WorkInHand, _ segment: Segment) {
        if life == hand.life {
            applied(outcome, hand, segment)
        } else {
            outlived(hand, .applied(outcome), segment)
        }
    }

    /// Something is done with: more may go.
    func end(_ segment: Segment) {
        touch(segment)
        if segment.isTail { touch(segment.tube) }
        if segment.tube.tailBefore === segment, !segment.isBusy {
            segment.tube.tailBefore = nil
            if let tail = segment.tube.tail { touch(tail) }
        }
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
        var later = SegmentRecords.LaterWorks()
    }

    private func begin(carrying flights: [Flight], on segment: Segment) {
        segment.isCarried = true
        if flights.contains(where: { $0.hand.work.generation != nil && $0.wasRefused }) {
            segment.record.noteDisturbed()
        } else {
            segment.record.forget()
        }
        begin { engine in
            await engine.carryOut(flights, on: segment)
            segment.isCarried = false
            engine.end(segment)
        }
    }

    /// Carries out works in their order: those that were sent and failed, with those sent behind them, or one that was not.
    private func carryOut(_ flights: [Flight], on segment: Segment) async {
        // What others were before with goes to the next tail, in its order.
        var returned: [PendingAppend] = []
        for (index, flight) in flights.enumerated() {
            if case .success(let outcome) = flight.result {
                deliver(outcome, flight.hand, segment)
                continue
            }
            var hand = flight.hand
            var first: FirstTry?
            if case .failure(let error) = flight.result {
                first = FirstTry(sequence: flight.sequence, failure: error)
                for later in flights[(index + 1)...] { first?.later.add(later) }
            }
            if flight.wasRefused, index > 0 || hand.work.generation != nil || hand.work.predecessor != nil {
                // Perhaps for no other reason than what it was sent behind, or what was believed to be ready.
                first = nil
            }
            if index > 0, flight.wasRefused { returned += hand.takeAppends() }
            hand.work.standsAlone(pops: hand.pops.count)
            returned += await carryOut(hand, on: segment, after: first)
        }
        segment.tube.appends.insert(contentsOf: returned, at: segment.tube.appends.startIndex)
    }

    /// - Returns: what others took the place of.
    private func carryOut(
        _ given: WorkInHand,
        on segment: Segment,
        after first: FirstTry?
    ) async -> [PendingAppend] {
        var hand = given
        var first = first
        var absences = 0
        var refusals = 0
        var returned: [PendingAppend] = []
        if hand.work.isEmpty { return [] }
        do {
            if first == nil, hand.work.reserves {
                try await enterFootprint(segment)
                try check(hand)
            }
            while true {
                switch try await attempt(&hand, on: segment, after: first.take()) {
                case .done: return returned
                case .again:
                    refusals += 1
                    try await pause(afterRefusals: refusals)
                    try check(hand)
                case .overtaken(let appends):
                    returned += appends
                    if hand.work.isEmpty { return returned }
                case .gone:
                    absences += 1
                    if try await isDead(segment, absences) {
                        returned += hand.takeAppends()
                        isOver(segment, hand)
                        return returned
                    }
                    try check(hand)
                }
            }
        } catch {
            failed(hand, segment, error)
        }
        return returned
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
        /// Others put there before: these were taken out of the work, and the rest is to be tried again.
        case overtaken([PendingAppend])
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
            after: first?.failure,
            later: first?.later ?? SegmentRecords.LaterWorks()
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
        case .prevented: return .again
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
        if let count = outcome.jobCount {
            segment.isEmptied = count == 0
        } else if !hand.appends.isEmpty {
            segment.isEmptied = false
        }
        if !hand.pops.isEmpty {
            noteLeft(outcome, hand, segment)
            give(outcome.popped, to: hand.pops, of: segment)
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
            next = ready.best.map {
                ReadyKey(priority: $0.priority, id: JobPlace(segment: segment.number, slot: $0.slot).id)
            }
            count = ready.count
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

    private func appended(_ hand: WorkInHand, _ segment: Segment) -> Int {
        var readied = 0
        for (offset, append) in hand.appends.enumerated() {
            let slot = hand.work.firstSlot + offset
            if noteMade(append.entry, slot, segment) { readied += 1 }
            let id = JobPlace(segment: segment.number, slot: slot).id
            finish(append.session, append.ticket, .inserted(id))
        }
        if segment.isTail, segment.nextSlot ?? 0 >= StoreLimits.segmentSlots / 2 { prepareSpares(segment.tube) }
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
        guard state.isClosed || state.nextSlot != hand.work.firstSlot else { return .again }
        // Somebody else put here. The order of ids is that of arrival, so what waits keeps its order.
        if state.isClosed {
            hand.work.closes = false
            if segment.isTail { segment.tube.isTailFull = true }
        }
        hand.work.firstSlot = state.nextSlot
        (segment.nextSlot, segment.bytes) = (state.nextSlot, state.bytes)
        touch(segment)
        return .overtaken(hand.takeAppends())
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
        // Whether it was put is found out before more is.
        if !hand.appends.isEmpty { segment.nextSlot = nil }
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
        segment.noteSettled(hand.pops.count)
        for request in hand.pops {
            request.isAsking = false
            fail(request, failure)
        }
    }
}
