import BeanspikeCore
import NIOCore
import Synchronization

// The other processes: what they are told, and what becomes of the jobs of one that is dead.
extension StoreEngine {
    // MARK: - Messages

    /// Tells others whether sessions of this process wait for a tube's jobs.
    func announceWaiting(_ tube: Tube, _ isWaiting: Bool) { peers?.setWaits(tube.name, isWaiting) }

    /// Tells those who wait for a tube's jobs that there may be some, unless all went to sessions of this process.
    func tellPeers(_ tube: Tube) {
        guard let peers, peers.peersWaiting(on: tube.name) else { return }
        peers.tellWork(tube.name, priority: tube.bestCandidate()?.best?.priority ?? 0)
    }

    /// A peer began to wait for a tube's jobs.
    func peerWaits(_ name: TubeName) {
        guard let tube = tubes[name] else { return }
        giveBackAhead(tube)
        endTurnSoon()
        if tube.bestCandidate() != nil { tellPeers(tube) }
    }

    /// A tube was paused by another process, or its pause ended.
    func peerPaused(_ name: TubeName) {
        guard let tube = tubes[name] else { return }
        look(tube, for: nil)
    }

    // MARK: - Death

    /// What the registry tells the engine.
    nonisolated var processEvents: ProcessEvents {
        let peers = peers
        let secret = registry.secret
        return ProcessEvents(
            recover: { dead, footprint in try await self.recover(dead, footprint) },
            died: { await self.died() },
            reborn: { process in peers?.join(as: process, secret: secret) },
            peers: { addresses in
                peers?.setPeers(addresses)
                self.eventLoop.execute { self.assumeIsolated { $0.hasPeers = !addresses.isEmpty } }
            }
        )
    }

    private func stopWaiting() {
        isOutOfTime = true
        let waiters = whenIdle
        whenIdle = []
        for waiter in waiters { waiter.resume() }
    }

    /// How many other processes answer.
    func reachedPeers() async -> Int { await ask(.waiting).count }

    /// Ends the store: gives up what is held, waits for what is under way, and takes the process out of the queue.
    ///
    /// - Returns: why jobs could not be given back, if so.
    func close() async -> JobStoreError? {
        isClosing = true
        for session in sessions.values where session.isOpen { close(session) }
        recallAheadSoon()
        endTurn()
        // While the cluster is away nothing comes to an end; the others then take this process for dead.
        let limit = eventLoop.scheduleTask(in: TimeAmount(registry.deathInterval)) {
            self.assumeIsolated { $0.stopWaiting() }
        }
        await untilIdle(orUntil: { isOutOfTime })
        limit.cancel()
        // The event loop may go on without the store.
        defer { stopAll() }
        // A process that still holds jobs stays in the list, so that the others find it dead and give them out.
        guard underWay == 0, held.isEmpty, segments.values.allSatisfy({ $0.updates.isEmpty && $0.held.isEmpty }) else {
            return JobStoreError(
                .writeFailed,
                "not all jobs could be given back; they are when this process is found dead"
            )
        }
        do {
            try await registry.close()
            return nil
        } catch {
            return error
        }
    }

    /// What is under way, in words.
    var summary: String {
        let tubes = tubes.values.map { tube in
            "\(tube.name): \(tube.appends.count) puts, tail \(tube.tail.map { "\($0.number)" } ?? "none")"
                + (tube.isTurning ? ", turning" : "") + (tube.isTailFull ? ", full" : "")
                + (tube.isLooking ? ", looking" : "") + (tube.isSweeping ? ", sweeping" : "")
        }
        let segments = segments.values.filter { $0.isInUse || !$0.held.isEmpty }.map { segment in
            "\(segment.number): \(segment.updates.count) updates, \(segment.guarded.count) guarded, "
                + "\(segment.pops.count) pops, \(segment.held.count) held, next \(segment.nextSlot ?? -1)"
                + (segment.isBusy ? ", busy" : "") + (segment.isRaising ? ", raising" : "")
        }
        return "process \(process), \(held.count) held, \(underWay) under way; tubes \(tubes); segments \(segments)"
    }

    /// Ends all activity at once and gives nothing back; returns when nothing is under way any more.
    func abandonAll() async {
        isClosing = true
        stopAll()
        await untilIdle()
    }

    /// Waits until nothing is under way any more, or something else is so that ends the wait.
    func untilIdle(orUntil isOver: () -> Bool = { false }) async {
        while underWay > 0, !isOver() {
            await withCheckedContinuation { continuation in
                guard underWay > 0, !isOver() else { return continuation.resume() }
                whenIdle.append(continuation)
            }
        }
    }

    /// Sends nothing any more, and tries nothing again.
    private func stopAll() {
        isAbandoned = true
        stopTimer()
        records.isOver.store(true, ordering: .relaxed)
        let closed = JobStoreError(.closed, "the store is closed")
        for segment in segments.values {
            if let hand = segment.unprepared.take() { failed(hand, segment, closed) }
            for update in segment.updates.values { fail(update, closed) }
            for change in segment.guarded { change.continuation.resume(returning: nil) }
            segment.updates = SlotTable()
            segment.guarded = []
        }
    }

    /// Makes the jobs of a dead process ready.
    func recover(_ dead: ProcessNumber, _ footprint: [SegmentNumber]) async throws {
        var left = footprint
        for absences in 0..<ProcessRecords.absencesMax where !left.isEmpty {
            if absences > 0 { await ProcessRecords.pause(afterAbsences: absences) }
            left = try await recoverFound(dead, left)
        }
    }

    /// - Returns: segments that were not found.
    private func recoverFound(_ dead: ProcessNumber, _ footprint: [SegmentNumber]) async throws -> [SegmentNumber] {
        var absent: [SegmentNumber] = []
        // Several at a time: a process may have held jobs of many.
        for some in footprint.chunks(of: 16) {
            try await withThrowingTaskGroup(of: SegmentNumber?.self) { group in
                for number in some { group.addTask { try await self.recover(dead, number) ? nil : number } }
                for try await case let number? in group { absent.append(number) }
            }
        }
        return absent
    }

    /// - Returns: whether the segment was found.
    private func recover(_ dead: ProcessNumber, _ number: SegmentNumber) async throws -> Bool {
        while let state = try await records.fence(number, against: dead) {
            guard let position = state.position else { return true }
            let held = state.entries.filter { $0.value.holder == dead }
            if held.isEmpty { return true }
            let tube = tube(state.tube)
            touch(tube)
            _ = try await openDirectory(tube)
            let segment = segment(number, of: tube, position: position)
            if await change(held.mapValues { ($0, $0.abandoned()) }, of: segment) == nil {
                throw JobStoreError(.writeFailed, "jobs of process \(dead) are still held in segment \(number)")
            }
        }
        return false
    }
}

extension JobEntry {
    /// The process that holds the job.
    fileprivate var holder: ProcessNumber? {
        if case .reserved(let process, _) = state { process } else { nil }
    }
}
