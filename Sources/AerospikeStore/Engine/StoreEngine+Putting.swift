import Aerospike
import BeanspikeCore
import Logging
import NIOCore

// A tube has one segment that takes jobs, its tail, whatever process puts them: so ids rise by arrival. A process puts where
// it believes the next slot to be; where another was there before, it looks and puts again. Where that goes on it goes apart
// for a while, and puts into segments of its own, see ``Apartness``.
extension StoreEngine {
    func put(_ body: ByteBuffer, _ details: JobDetails, _ session: Session, _ ticket: Ticket) {
        let tube = session.used
        guard body.readableBytes > StoreLimits.inlineBodyBytesMax else {
            return append(details, to: tube, session, ticket)
        }
        guard body.readableBytes <= StoreLimits.bodyBytesMax else {
            let message = "a body has at most \(StoreLimits.bodyBytesMax) bytes; this one has \(body.readableBytes)"
            return finish(session, ticket, .failed(JobStoreError(.limitReached, message)))
        }
        begin { engine in
            do {
                var details = details
                details.body = .separate(try await engine.bodies.write(body))
                engine.append(details, to: tube, session, ticket)
            } catch {
                engine.finish(session, ticket, .failed(JobStoreError(writing: error)))
            }
        }
    }

    private func append(_ details: JobDetails, to tube: Tube, _ session: Session, _ ticket: Ticket) {
        let state: JobEntry.State =
            details.delaySeconds > 0
            ? .delayed(untilMilliseconds: clusterMilliseconds + Int64(details.delaySeconds) * 1_000)
            : .ready(priority: details.priority)
        let entry = JobEntry(state: state, details: details)
        tube.appends.append(PendingAppend(entry: entry, putter: Putter(session: session, ticket: ticket)))
        touch(tube)
    }

    /// Sees to it that what is to be put has a segment to go to.
    func pump(_ tube: Tube) {
        if tube.appends.isEmpty {
            // The next put finds a tail that takes it.
            guard tube.isTailFull, !tube.isTurning else { return forgetIfUnwanted(tube) }
            return turnTail(tube)
        }
        guard !tube.isTurning else { return }
        guard let tail = tube.tail, !tube.isTailFull, tail.nextSlot != nil, !tube.apartness.isDue else {
            return turnTail(tube)
        }
        touch(tail)
    }

    // MARK: - The tail

    /// Finds the tube's tail, or makes the next one.
    private func turnTail(_ tube: Tube) {
        tube.isTurning = true
        begin { engine in
            do {
                try await engine.reopening(tube) { try await engine.findTail(of: tube) }
            } catch {
                let failure = JobStoreError(writing: error)
                while let append = tube.appends.popFirst() {
                    engine.finish(append.putter.session, append.putter.ticket, .failed(failure))
                }
            }
            tube.isTurning = false
            engine.touch(tube)
        }
    }

    private func findTail(of tube: Tube) async throws {
        let directory = try await openDirectory(tube)
        if tube.apartness.wantsOwn(.now()), let last = tube.tail?.number {
            return goApart(tube, try await nextSpare(of: tube, directory, after: last))
        }
        // The puts of one process are in order: it goes on behind its own.
        let own = tube.apartness.until == nil ? 0 : tube.tail?.number ?? 0
        if own == 0, let full = tube.isTailFull ? tube.tail?.number : nil {
            tube.spares.tailIsFull(.now())
            // Nobody else's is looked for before the own is tried: one round trip for a tube that one process fills.
            if let spare = tube.spares.take(after: full) {
                let tail = try await directory.moveTail(from: full, to: spare.number)
                if tail == spare.number {
                    enterNew(spare, of: tube)
                    return prepareSpares(tube)
                }
                if tail < spare.number { tube.spares.add([spare]) }
            }
        }
        var number = try await directory.state().tail
        if let full = tube.isTailFull ? tube.tail?.number : nil, number == full || number == nil {
            number = try await makeTail(of: tube, directory, from: full, after: own)
            prepareSpares(tube)
        }
        while true {
            guard let known = number else {
                number = try await makeTail(of: tube, directory, from: nil, after: own)
                continue
            }
            guard let state = try await records.read(known), !state.isClosed, let position = state.position else {
                number = try await makeTail(of: tube, directory, from: known, after: own)
                continue
            }
            let segment = segment(known, of: tube, position: position)
            if known > own { return enter(segment, state) }
            number = try await makeTail(of: tube, directory, from: known, after: own)
            // Whoever puts there is to come along.
            segment.isToClose = true
            touch(segment)
        }
    }

    /// Puts into a segment that is not the tube's tail, and that no other process knows of as one.
    private func goApart(_ tube: Tube, _ spare: SpareSegments.Spare) {
        tube.spares.tailIsFull(.now())
        enterNew(spare, of: tube)
        if let end = tube.apartness.begin(.now()) { timers.insert(.apart(tube), at: end) }
        prepareSpares(tube)
    }

    /// Ends the segment of its own that a process puts into, when it was apart for long enough.
    func endApart(_ tube: Tube, _ now: NIODeadline) {
        guard tube.apartness.isOver(now), let tail = tube.tail else { return }
        touch(tail)
    }

    /// Makes a segment that was just made by this process the tail that puts go to.
    ///
    /// If another process put there before, the first put is refused, and the record is read.
    private func enterNew(_ spare: SpareSegments.Spare, of tube: Tube) {
        let segment = segment(spare.number, of: tube, position: spare.position)
        segment.nextSlot = 0
        segment.bytes = 0
        segment.readyCount = 0
        segment.marks[.ready] = SegmentMark(key: ReadyKey.least(of: spare.number).directoryKey)
        become(segment)
    }

    private func enter(_ segment: Segment, _ state: SegmentState) {
        segment.nextSlot = state.nextSlot
        segment.bytes = state.bytes
        segment.readyCount = 0
        for (slot, entry) in state.entries {
            if case .ready(let priority) = entry.state {
                let id = JobPlace(segment: segment.number, slot: slot).id
                let count = segment.readyCount.map { $0 + 1 }
                segment.tube.noteReady(segment, ReadyKey(priority: priority, id: id), count: count)
            }
        }
        become(segment)
    }

    /// The segment is its tube's tail from now on.
    private func become(_ segment: Segment) {
        let tube = segment.tube
        let old = tube.tail
        tube.tail = segment
        tube.isTailFull = false
        if !tube.apartness.wantsOwn(.now()) { tube.apartness.end() }
        guard let old, old !== segment else { return }
        if old.hasPutsUnderWay { tube.tailBefore = old }
        // While it was the tail, nobody counted what was left in it.
        if old.best == nil { old.isEmptied = true }
        touch(old)
    }

    /// Makes a new segment the tail, unless another process did: one with a greater number than the tail before, and than `last`.
    ///
    /// - Returns: the tail now.
    private func makeTail(
        of tube: Tube,
        _ directory: TubeDirectory,
        from old: SegmentNumber?,
        after last: SegmentNumber
    ) async throws -> SegmentNumber {
        while true {
            let next = try await nextSpare(of: tube, directory, after: max(last, old ?? 0))
            let tail = try await directory.moveTail(from: old, to: next.number)
            if tail < next.number { tube.spares.add([next]) }
            if tail != old { return tail }
        }
    }

    /// A segment that nobody has put into, with a number greater than another's.
    private func nextSpare(
        of tube: Tube,
        _ directory: TubeDirectory,
        after last: SegmentNumber
    ) async throws -> SpareSegments.Spare {
        if let spare = tube.spares.take(after: last) { return spare }
        if tube.isPreparing {
            // One on its way is taken: another beside it would never be used.
            await withCheckedContinuation { continuation in
                guard tube.isPreparing else { return continuation.resume() }
                tube.whenPrepared.append(continuation)
            }
            if let spare = tube.spares.take(after: last) { return spare }
        }
        return try await maker.make(1, in: directory)[0]
    }

    /// Makes segments before they are needed.
    func prepareSpares(_ tube: Tube) {
        let count = tube.spares.missing
        guard count > 0, !tube.isPreparing, let directory = tube.directory else { return }
        tube.isPreparing = true
        begin { engine in
            // What fails here is tried again when it is needed.
            if let made = try? await engine.maker.make(count, in: directory) { tube.spares.add(made) }
            tube.isPreparing = false
            let waiters = tube.whenPrepared
            tube.whenPrepared = []
            for waiter in waiters { waiter.resume() }
        }
    }

    private var maker: SegmentMaker { SegmentMaker(records: records, registry: registry, logger: logger) }

    /// The tube's records, which are made if there are none.
    func openDirectory(_ tube: Tube) async throws -> TubeDirectory {
        if let directory = tube.directory { return directory }
        let opened = try await TubeDirectory.open(tube.name, creates: true, calls: calls, layout: layout)
        guard let opened else { throw JobStoreError(.readFailed, "the tube \(tube.name) is gone; try again") }
        tube.directory = opened
        return opened
    }

    /// Does something with a tube's directory, and again if the cluster has lost the tube's record, or seemed to have.
    func reopening<T>(_ tube: Tube, _ body: () async throws -> T) async throws -> T {
        for _ in 0..<Self.reopeningsMax {
            do {
                return try await body()
            } catch is TubeRecordIsGone {
                try await reopen(tube)
            }
        }
        return try await body()
    }

    private static let reopeningsMax = 3

    /// Finds a tube's records again.
    private func reopen(_ tube: Tube) async throws {
        let old = tube.directory
        tube.directory = nil
        guard let old, try await findDirectory(tube)?.incarnation != old.incarnation else { return }
        logger.error("the cluster has lost the record of a tube", metadata: ["tube": "\(tube.name)"])
        // What another directory lists is not this one's.
        if let tail = tube.tail {
            tube.tail = nil
            touch(tail)
        }
        tube.isTailFull = false
        tube.apartness.end()
        tube.spares = SpareSegments()
        tube.leaves = []
        tube.lookedAt = nil
        for segment in segments.values where segment.tube === tube {
            segment.listed = nil
            segment.marks = SegmentMarks()
        }
    }

    /// The tube's records; nil if there are none.
    func findDirectory(_ tube: Tube) async throws -> TubeDirectory? {
        if let directory = tube.directory { return directory }
        tube.directory = try await TubeDirectory.open(tube.name, creates: false, calls: calls, layout: layout)
        return tube.directory
    }

    // MARK: - Tubes that nobody wants

    /// How long a tube is remembered that no session of this process has to do with.
    private static let rememberedFor = TimeAmount.seconds(30)

    /// Sees to it that a tube is forgotten, unless somebody comes back to it.
    func forgetIfUnwanted(_ tube: Tube) {
        guard !tube.isWanted, !tube.isToBeForgotten, tubes[tube.name] === tube else { return }
        tube.isToBeForgotten = true
        timers.insert(.forget(tube), at: .now() + Self.rememberedFor)
    }

    func forget(_ tube: Tube, _ now: NIODeadline) {
        tube.isToBeForgotten = false
        guard !tube.isWanted, tubes[tube.name] === tube else { return }
        // A command may be under way that found it and has nothing there yet.
        guard !isInUse(tube), now - tube.usedAt >= Self.rememberedFor else { return forgetIfUnwanted(tube) }
        guard let directory = tube.directory, let tail = tube.tail else { return drop(tube) }
        // Whatever else is to be done there waits meanwhile, and finds that it is closed.
        tail.isCarried = true
        begin { engine in
            try? await engine.endIfEmpty(tail, directory)
            tail.isCarried = false
            engine.end(tail)
            // It may have come into use meanwhile.
            if tube.isWanted || engine.isInUse(tube) || tube.usedAt > now {
                engine.forgetIfUnwanted(tube)
            } else {
                engine.drop(tube)
            }
        }
    }

    /// Whether something is under way or to be done in a tube, or this process holds jobs of it.
    private func isInUse(_ tube: Tube) -> Bool {
        !tube.appends.isEmpty || !tube.ahead.isEmpty || tube.isTurning || tube.isPreparing || tube.isLooking
            || tube.isSweeping
            || segments.values.contains { $0.tube === tube && ($0.isInUse || !$0.held.isEmpty) }
    }

    /// Drops what is known of a tube.
    private func drop(_ tube: Tube) {
        guard tubes[tube.name] === tube else { return }
        tubes[tube.name] = nil
        for (number, segment) in segments where segment.tube === tube { segments[number] = nil }
        // They refer to the tube as well.
        tube.tail = nil
        tube.tailBefore = nil
        tube.dropCandidates()
    }

    /// Takes a tube that has no jobs out of the list of tubes.
    ///
    /// A put brings it back.
    private func endIfEmpty(_ tail: Segment, _ directory: TubeDirectory) async throws {
        guard let state = try await records.read(tail.number), state.entries.isEmpty else { return }
        if !state.isClosed {
            var work = SegmentWork()
            work.firstSlot = state.nextSlot
            work.closes = true
            work.countsJobs = true
            let done = try await records.perform(
                work,
                on: tail.number,
                process: process,
                sequence: nextSequence(),
                held: []
            )
            guard case .applied(let outcome) = done, outcome.jobCount == 0 else { return }
        }
        tail.tube.isTailFull = true
        try await retire(tail.number, at: tail.position, directory)
        _ = try await directory.forget()
    }
}
