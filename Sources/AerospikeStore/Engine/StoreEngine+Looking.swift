import Aerospike
import BeanspikeCore
import Logging
import NIOCore

// What other processes did is learned by looking: when a reserve would otherwise be told that nothing is ready, when another
// process sends a hint, and now and then while somebody waits.
extension StoreEngine {
    /// How many segments a look asks for.
    private static let lookSegments = 8
    /// For how long a better job that another process put may be overlooked, if its message is lost.
    private static let staleAfter = TimeAmount.milliseconds(50)
    /// Reads a second that all the waiting of a process may cost.
    private static let pollReadsPerSecond = 20

    /// Looks at a tube for a request; a look that is under way does not count, since it may have passed what is wanted.
    func look(_ tube: Tube, for request: ReserveRequest?) {
        if let request { tube.lookers.append(request) }
        guard !tube.isLooking else { return }
        tube.isLooking = true
        tube.currentLookers = tube.lookers
        tube.lookers = []
        let since = NIODeadline.now()
        begin { engine in
            var failure: (any Error)?
            do {
                try await engine.reopening(tube) { try await engine.look(tube, since: since) }
                tube.lookedAt = since
            } catch {
                failure = error
            }
            tube.isLooking = false
            let lookers = tube.currentLookers
            tube.currentLookers = []
            for request in lookers {
                request.looks -= 1
                if let failure {
                    engine.fail(request, JobStoreError(reading: failure, "the tube \(tube.name)"))
                } else {
                    engine.dispatch(request)
                }
            }
            if tube.bestCandidate() != nil { engine.serve(tube) }
            if !tube.lookers.isEmpty || tube.isHinted {
                tube.isHinted = false
                engine.look(tube, for: nil)
            }
        }
    }

    private func look(_ tube: Tube, since: NIODeadline) async throws {
        guard let directory = try await findDirectory(tube) else { return }
        var limit = Self.lookSegments
        while true {
            let questions = [DirectoryQuestion(.ready, limit: limit), DirectoryQuestion(.wake, limit: 1)]
            let found = try await directory.look(questions, leaves: tube.leaves)
            tube.leaves = found.leaves
            note(pause: found.state.pause, of: tube)
            if let wake = found.answers[1].entries.first?.key.major { noteWake(tube, wake) }
            var listed: [Segment] = []
            for entry in found.answers[0].entries {
                let segment = segment(entry.segment, of: tube, position: entry.position)
                segment.listed = entry
                if !segment.isBusy {
                    listed.append(segment)
                } else if segment.best == nil {
                    // Its next answer tells its best; until then what is listed is the bound.
                    tube.noteReady(segment, entry.readyKey, count: nil)
                }
            }
            // What is listed is only a bound: the segments are asked.
            try await learnBest(of: listed, tube, since, tail: found.state.tail ?? 0)
            // Whatever is not among them has nothing better than this.
            guard let rest = found.answers[0].rest else { return }
            if let best = tube.bestCandidate()?.best, best.directoryKey <= rest { return }
            for segment in listed where segment.best == nil || limit > Self.lookSegments {
                try await raise(segment, directory)
            }
            // As many as that without a better one: what is known has to do.
            guard limit < StoreLimits.leafSegments else { return }
            limit = min(limit * 4, StoreLimits.leafSegments)
        }
    }

    /// Looks at a tube that is reserved from, so that what others made ready there is not overlooked for long.
    func refreshIfStale(_ tube: Tube, _ now: NIODeadline) {
        let staleAfter = hasPeers ? Self.staleAfter : 5 * Self.staleAfter
        guard !tube.isLooking, let lookedAt = tube.lookedAt, now - lookedAt > staleAfter else { return }
        look(tube, for: nil)
    }

    /// Asks segments for their best ready job.
    private func learnBest(
        of unknown: [Segment],
        _ tube: Tube,
        _ since: NIODeadline,
        tail: SegmentNumber
    ) async throws {
        guard !unknown.isEmpty else { return }
        let operation = SegmentRecords.jobs.get(.ranks(from: 0, count: 1), returning: .keyValue)
        let calls = unknown.map {
            BatchCall.operate(records.key($0.number), [operation, .get(SegmentBin.closed), SegmentRecords.countReady])
        }
        let answers = try await records.persistently(failuresMax: SegmentRecords.readsMax) {
            (_) throws(AerospikeError) in
            let answers = try await client.batch(calls)
            for case .failure(let error) in answers where error.code.isTransient { throw error }
            return answers
        }
        for (segment, answer) in zip(unknown.map(current), answers) {
            guard segment.knownSince < since, !segment.isBusy else { continue }
            switch answer {
            case .success(let record):
                var best: ReadyKey?
                if case .map(let map)? = record.bins.first?.value, let (key, value) = map.first,
                    let slot = JobPlace.slot(key), let entry = JobEntry(value), case .ready(let priority) = entry.state
                {
                    let id = JobPlace(segment: segment.number, slot: slot).id
                    best = ReadyKey(priority: priority, id: id)
                }
                segment.knownSince = since
                if let best {
                    tube.setBest(best, of: segment)
                    tube.noteReady(segment, best, count: record.bins.last?.value.integer.map { Int($0) })
                    continue
                }
                segment.noteEmpty()
                if record.bins.dropFirst().first?.value.integer == 1 {
                    raiseListing(segment)
                } else if segment.number < tail {
                    // Made to be a tail, and left by its maker: a tail's number only grows.
                    try await closeOrphan(segment)
                }
            case .failure(let error) where error.code == .notFound:
                // It is over, or not yet made.
                continue
            case .failure(let error):
                throw error
            }
        }
    }

    /// Closes a segment that will never be a tail, so that it can be retired.
    private func closeOrphan(_ found: Segment) async throws {
        let segment = current(found)
        guard !segment.isBusy, let state = try await records.read(segment.number), !state.isClosed,
            !segment.isBusy, !segment.isTail
        else { return }
        segment.isCarried = true
        segment.record.forget()
        defer {
            segment.isCarried = false
            end(segment)
        }
        var work = SegmentWork()
        work.firstSlot = state.nextSlot
        work.closes = true
        work.countsJobs = true
        let done = try await records.perform(
            work,
            on: segment.number,
            process: process,
            sequence: nextSequence(),
            held: segment.held
        )
        if case .applied(let outcome) = done { segment.isEmptied = outcome.jobCount == 0 }
        touch(segment)
    }

    // MARK: - Entries that promise too much

    /// Has the directory list a segment no lower than what is there, if the segment takes no more jobs.
    func raiseListing(_ segment: Segment) {
        guard !segment.isTail, !segment.isRaising, let entry = segment.listed,
            let directory = segment.tube.directory
        else { return }
        let key = segment.best?.directoryKey
        // Within one priority a lower id is no harm.
        if let key, key.major <= entry.key.major { return }
        begin { engine in
            // What fails here costs another look later.
            try? await engine.raise(segment, directory)
            engine.touch(segment)
        }
    }

    private func raise(_ segment: Segment, _ directory: TubeDirectory) async throws {
        guard !segment.isTail, !segment.isRaising, let entry = segment.listed else { return }
        let key = segment.best?.directoryKey
        if let key, key.major <= entry.key.major { return }
        segment.isRaising = true
        defer { segment.isRaising = false }
        guard try await records.raiseMark(.ready, of: segment.number, to: key) else { return }
        segment.marks = SegmentMarks()
        try await directory.raise(entry, to: key)
        if segment.listed == entry { segment.listed = nil }
    }

    /// Has a segment without jobs taken out of the directory, and forgets one that nothing is to be done with.
    func retireOrForget(_ segment: Segment) {
        guard !segment.isBusy, !segment.isTail, !segment.isRaising, segment.held.isEmpty else { return }
        registry.leave(segment: segment.number)
        guard segment.isEmptied, let directory = segment.tube.directory else {
            if segment.isIdle, segment.best == nil, segment.listed == nil { segments[segment.number] = nil }
            return
        }
        segment.isEmptied = false
        segment.isRaising = true
        begin { engine in
            try? await engine.retire(segment.number, at: segment.position, directory)
            segment.isRaising = false
            segment.noteEmpty()
            if segment.isIdle { engine.segments[segment.number] = nil }
        }
    }

    /// Ends a segment that takes no more jobs and has none.
    func retire(_ number: SegmentNumber, at position: Int, _ directory: TubeDirectory) async throws {
        guard let state = try await records.read(number), state.entries.isEmpty, state.isClosed else { return }
        let totals = RetiredTotals(puts: state.nextSlot, deletes: state.deleted, timeouts: state.timeouts)
        // Only what the directory does not list any more may go: a restart that brings the record back does no harm then. A node
        // that does not find the leaf may be wrong, and what the segment counts would be lost.
        if try await !directory.retire(number, at: position, totals: totals) {
            guard try await directory.isRetired(number, at: position) else { return }
        }
        try await records.delete(number)
    }

    // MARK: - While somebody waits

    func startPolling(_ tube: Tube) {
        guard !tube.isPolling else { return }
        tube.isPolling = true
        timers.insert(.poll(tube), at: .now() + pollInterval())
    }

    func poll(_ tube: Tube, _ now: NIODeadline) {
        guard !tube.waiters.isEmpty else {
            tube.isPolling = false
            return
        }
        timers.insert(.poll(tube), at: now + pollInterval())
        // Paused ones too: another process may have ended the pause.
        look(tube, for: nil)
    }

    /// So long that all waited tubes together stay within what polling may cost.
    private func pollInterval() -> TimeAmount {
        // A look reads the tube's record, a leaf and the tail.
        let tubes = tubes.values.count { !$0.waiters.isEmpty }
        return .milliseconds(Int64(max(150, max(1, tubes) * 3 * 1_000 / Self.pollReadsPerSecond)))
    }

    /// Another process says that there is something in a tube.
    func hinted(_ name: TubeName) {
        guard let tube = tubes[name], !tube.waiters.isEmpty else { return }
        if tube.isLooking {
            tube.isHinted = true
        } else {
            look(tube, for: nil)
        }
    }
}

extension DirectoryEntry {
    /// The key of an entry of ready jobs.
    fileprivate var readyKey: ReadyKey {
        ReadyKey(priority: UInt32(clamping: key.major), id: UInt64(clamping: key.minor))
    }
}
