import Aerospike
import BeanspikeCore
import NIOCore

// Works that cannot be sent as they are, or failed: a task carries them out, one after the other, and has the segment to
// itself meanwhile.
extension StoreEngine {
    /// So often a work is refused at the most before it fails.
    private static let refusalsMax = 40
    /// How often it is tried to write the footprint down.
    private static let entriesMax = 10
    /// How often a segment that its directory lists is not found before it is over: about a second.
    private static let absencesMax = 8

    /// A try of a work that failed.
    private struct FirstTry: Sendable {
        let sequence: Int64
        let failure: AerospikeError
        var later = SegmentRecords.LaterWorks()
    }

    func begin(carrying sent: [Flight], on segment: Segment) {
        // What could not be sent behind them comes behind them here too.
        let flights = sent + (segment.unprepared.take().map { [Flight($0)] } ?? [])
        segment.isCarried = true
        segment.carriesPuts = flights.contains { !$0.hand.putters.isEmpty }
        if flights.contains(where: { $0.hand.work.generation != nil && $0.wasRefused }) {
            segment.record.noteDisturbed()
        } else {
            segment.record.forget()
        }
        begin { engine in
            await engine.carryOut(flights, on: segment)
            segment.isCarried = false
            segment.carriesPuts = false
            engine.end(segment)
        }
    }

    /// Carries out works in their order: those that were sent and failed, with those sent behind them, or one that was not.
    private func carryOut(_ flights: [Flight], on segment: Segment) async {
        // What others were before with goes to the next tail, in its order.
        var returned: [PendingAppend] = []
        for (index, flight) in flights.enumerated() {
            segment.carriesPops = flights[(index + 1)...].contains { !$0.hand.pops.isEmpty }
            if case .success(let outcome) = flight.result {
                deliver(outcome, flight.hand, segment)
                continue
            }
            var hand = flight.hand
            var first: FirstTry?
            if case .failure(let error) = flight.result {
                first = FirstTry(sequence: flight.sequence, failure: error)
                for later in flights[(index + 1)...] where later.sequence > 0 { first?.later.add(later) }
            }
            if flight.wasRefused, index > 0 || hand.work.generation != nil || hand.work.predecessor != nil {
                // Perhaps for no other reason than what it was sent behind, or what was believed to be ready.
                first = nil
            }
            if index > 0, let failure = first?.failure, !failure.inDoubt {
                // Its number may be behind that of the one before by now.
                first = nil
            }
            if index > 0, !returned.isEmpty {
                // Puts before it came back, so it was not done, nor will be: its own come behind them.
                returned += hand.takeAppends()
                first = nil
            }
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

    static let takenForDead = JobStoreError(
        .writeFailed,
        "This process was taken for dead and starts again: what it held is others' to give out. Try again.",
        inDoubt: true
    )

    /// The process began a new life while a work was under way: what it reserved belongs to others.
    func outlived(_ hand: WorkInHand, _ performed: SegmentRecords.Performed, _ segment: Segment) {
        var hand = hand
        if case .applied = performed, !hand.putters.isEmpty {
            // They are in the queue, whoever put them.
            _ = appended(hand, segment)
            _ = hand.takeAppends()
        }
        failed(hand, segment, Self.takenForDead)
    }

    /// Pops may take from a segment only when the process's footprint names it.
    func enterFootprint(_ segment: Segment) async throws {
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

    /// The guard did not hold.
    ///
    /// Finds out why, and whether to try again.
    ///
    /// - Returns: whether the rest of the work is to be tried again, or is done with.
    private func refused(_ hand: inout WorkInHand, _ segment: Segment) async throws -> Attempt {
        if hand.putters.isEmpty, hand.updates.isEmpty, !hand.work.closes {
            // Nothing is ready there.
            segment.noteEmpty()
            raiseListing(segment)
            give([], to: hand, of: segment)
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
        guard !hand.putters.isEmpty || hand.work.closes else { return .again }
        guard state.isClosed || state.nextSlot != hand.work.firstSlot else { return .again }
        // Somebody else put here. The order of ids is that of arrival, so what waits keeps its order.
        if state.isClosed {
            hand.work.closes = false
            if segment.isTail { segment.tube.isTailFull = true }
        } else if segment.isTail, segment.tube.apartness.overtaken() {
            touch(segment.tube)
        }
        hand.work.firstSlot = state.nextSlot
        (segment.nextSlot, segment.bytes) = (state.nextSlot, state.bytes)
        touch(segment)
        return .overtaken(hand.takeAppends())
    }
}
