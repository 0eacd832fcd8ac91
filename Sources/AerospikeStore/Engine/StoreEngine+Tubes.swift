import Aerospike
import BeanspikeCore
import NIOCore

// What concerns a whole tube.
extension StoreEngine {
    private func answer(_ session: Session, _ ticket: Ticket, _ body: () async throws -> Reply) async {
        do {
            finish(session, ticket, try await body())
        } catch {
            finish(session, ticket, .failed(JobStoreError(writing: error)))
        }
    }

    // MARK: - Pausing

    func pause(_ name: TubeName, seconds: UInt32, _ session: Session, _ ticket: Ticket) async {
        await answer(session, ticket) {
            guard try await exists(name) else { return .notFound }
            let tube = tube(name)
            touch(tube)
            let until = seconds == 0 ? 0 : clusterMilliseconds + Int64(seconds) * 1_000
            try await reopening(tube) {
                let directory = try await openDirectory(tube)
                try await directory.pause(untilMilliseconds: until, seconds: Int(seconds))
                note(pause: try await directory.state().pause, of: tube)
            }
            peers?.tellPause(name)
            return .paused
        }
    }

    /// Takes note of a tube's pause, which another process may have made or ended.
    func note(pause: TubePause?, of tube: Tube) {
        tube.pause = pause
        let old = tube.pausedUntil
        tube.pausedUntil = nil
        if let pause, pause.untilMilliseconds > clusterMilliseconds {
            let end = registry.clock.deadline(atMilliseconds: pause.untilMilliseconds)
            tube.pausedUntil = end
            timers.insert(.pauseEnd(tube), at: end)
        } else if old != nil {
            serve(tube)
        }
    }

    // MARK: - The next job of a state

    func peekNext(_ state: JobState, _ tube: Tube, _ session: Session, _ ticket: Ticket) async {
        do {
            if state == .ready || state == .delayed { await sweepIfDue(tube) }
            let (reply, body) = try await show { try await reopening(tube) { try await next(state, of: tube) } }
            finish(session, ticket, reply, body: body)
        } catch {
            finish(session, ticket, .failed(JobStoreError(reading: error, "the tube \(tube.name)")))
        }
    }

    /// The first job of a state in its order.
    private func next(_ state: JobState, of tube: Tube) async throws -> FoundJob? {
        try await least(state, of: tube, count: 1).first
    }

    /// The first jobs of a state in their order, so many at most.
    private func least(_ state: JobState, of tube: Tube, count: Int) async throws -> [FoundJob] {
        guard let directory = try await findDirectory(tube) else { return [] }
        let (kind, first, end): (DirectoryKind, Value, Value)
        switch state {
        case .ready: (kind, first, end) = (.ready, [0], [1])
        case .delayed: (kind, first, end) = (.wake, [2], [3])
        case .buried: (kind, first, end) = (.buried, [3], [4])
        case .reserved: return []
        }
        var limit = 8
        while true {
            let entries = try await directory.best(kind, limit: limit)
            var found: [FoundJob] = []
            for entry in entries {
                guard let slice = try await records.read(entry.segment, .values(from: first, upTo: end)) else {
                    continue
                }
                let segment = segment(entry.segment, of: tube, position: entry.position)
                found += slice.entries.map { FoundJob(segment: segment, slot: $0.slot, entry: $0.entry) }
            }
            found.sort { $0.order < $1.order }
            // What is not looked at has no lesser key than the last that was.
            let isAll = entries.count < limit
            if !isAll, let bound = entries.last?.key {
                found.removeAll { $0.key(kind) > bound }
            }
            if isAll || found.count >= count { return Array(found.prefix(count)) }
            limit *= 4
        }
    }

    func kick(_ count: UInt64, _ tube: Tube, _ session: Session, _ ticket: Ticket) async {
        await answer(session, ticket) {
            await sweepIfDue(tube)
            var kicked: UInt64 = 0
            for state in [JobState.buried, .delayed] {
                while kicked < count {
                    let want = Int(min(count - kicked, 64))
                    let jobs = try await reopening(tube) { try await least(state, of: tube, count: want) }
                    if jobs.isEmpty { break }
                    for some in Dictionary(grouping: jobs, by: \.segment.number).values {
                        var changes: [Int: (seen: JobEntry, entry: JobEntry?)] = [:]
                        for job in some { changes[job.slot] = (job.entry, job.entry.kicked()) }
                        switch await change(changes, of: some[0].segment) {
                        case true?: kicked += UInt64(some.count)
                        // Others changed one of them meanwhile: the next turn sees what is left.
                        case false?: continue
                        case nil: throw JobStoreError(.writeFailed, "not all jobs could be kicked; try again")
                        }
                    }
                    try await raiseListings(state == .buried ? .buried : .wake, of: tube)
                }
                if kicked > 0 { break }
            }
            return .kicked(kicked)
        }
    }

    /// Puts right what the directory says of segments that have less of a kind than it says.
    private func raiseListings(_ kind: DirectoryKind, of tube: Tube) async throws {
        guard let directory = try await findDirectory(tube) else { return }
        for entry in try await directory.best(kind, limit: 8) {
            let range: (Value, Value) = kind == .buried ? ([3], [4]) : ([2], [3])
            guard let slice = try await records.read(entry.segment, .values(from: range.0, upTo: range.1)) else {
                continue
            }
            let keys = slice.entries.map { FoundJob.key($0.entry, $0.slot, entry.segment, kind) }
            guard let least = keys.min() else {
                if try await records.raiseMark(kind, of: entry.segment, to: nil) {
                    segments[entry.segment]?.marks = SegmentMarks()
                    try await directory.raise(entry, to: nil)
                }
                continue
            }
            if least > entry.key, try await records.raiseMark(kind, of: entry.segment, to: least) {
                segments[entry.segment]?.marks = SegmentMarks()
                try await directory.raise(entry, to: least)
            }
        }
    }

    /// Makes ready what is due, so that nobody sees it delayed.
    func sweepIfDue(_ tube: Tube) async {
        // One under way may have passed what is due now.
        while tube.isSweeping { await untilSwept(tube) }
        await sweep(tube)
    }

    private func untilSwept(_ tube: Tube) async {
        await withCheckedContinuation { continuation in
            // It may have ended since it was looked at, see ``begin(_:)``: only here it is sure that somebody ends the wait.
            guard tube.isSweeping else { return continuation.resume() }
            tube.whenSwept.append(continuation)
        }
    }

    // MARK: - Deleting all

    func truncate(_ name: TubeName, _ session: Session, _ ticket: Ticket) async {
        await answer(session, ticket) {
            let tube = tube(name)
            touch(tube)
            guard let directory = try await findDirectory(tube) else { return .truncated(0) }
            var count: UInt64 = 0
            for try await page in try await directory.liveSegments() {
                for live in page {
                    count += try await empty(segment(live.segment, of: tube, position: live.position))
                }
            }
            return .truncated(count)
        }
    }

    /// Deletes all jobs of a segment, those that somebody holds too.
    private func empty(_ segment: Segment) async throws -> UInt64 {
        guard let cleared = try await records.clear(segment.number) else { return 0 }
        for (slot, entry) in cleared {
            let job = JobPlace(segment: segment.number, slot: slot).id
            if let held = held[job], !held.isSettling { letGo(held) }
            segment.held.remove(slot)
            if case .separate(let reference) = entry.details.body {
                begin { engine in try? await engine.bodies.delete(reference) }
            }
        }
        forgetAhead(SlotSet(cleared.map(\.key)), of: segment)
        segment.noteEmpty()
        segment.isEmptied = !segment.isTail
        touch(segment)
        return UInt64(cleared.count)
    }
}

extension FoundJob {
    /// What orders jobs of one state.
    fileprivate var order: (Int64, JobID) {
        switch entry.state {
        case .ready(let priority): (Int64(priority), id)
        case .delayed(let due): (due, id)
        case .buried(let at): (at, id)
        case .reserved: (0, id)
        }
    }

    fileprivate func key(_ kind: DirectoryKind) -> DirectoryKey {
        Self.key(entry, slot, segment.number, kind)
    }

    fileprivate static func key(
        _ entry: JobEntry,
        _ slot: Int,
        _ segment: SegmentNumber,
        _ kind: DirectoryKind
    ) -> DirectoryKey {
        switch entry.state {
        case .ready(let priority): .ready(priority: priority, job: JobPlace(segment: segment, slot: slot).id)
        case .delayed(let due): .time(due)
        case .buried(let at): .time(at)
        case .reserved: .time(0)
        }
    }
}
