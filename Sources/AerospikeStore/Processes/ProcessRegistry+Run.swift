import Aerospike
import BeanspikeCore
import Logging
import NIOCore
import Synchronization

extension ProcessRegistry {
    /// Beats and watches over the others, until the task is cancelled.
    ///
    /// - Parameter events: what is told, and who takes the jobs of the dead back.
    package func run(_ events: ProcessEvents) async {
        await withDiscardingTaskGroup { group in
            var addresses: [Int: PeerAddress]?
            while !Task.isCancelled {
                let begin = NIODeadline.now()
                let isWell: Bool
                switch await beat() {
                case .dead:
                    await startAgain(events)
                    addresses = nil
                    continue
                case .unknown: isWell = false
                case .alive: isWell = true
                }
                // While its own calls fail, a process can judge nobody.
                for action in isWell ? await look() : [] {
                    group.addTask { await self.carryOut(action, events) }
                }
                let seen = peerAddresses
                if seen != addresses {
                    addresses = seen
                    events.peers(seen)
                }
                await pause(since: begin, isWell: isWell)
            }
            group.cancelAll()
        }
    }

    // MARK: The heart

    private enum Pulse {
        case alive
        case dead
        /// No answer.
        case unknown
    }

    private func beat() async -> Pulse {
        let life = state.withLock { $0.life }
        guard !life.footprint.isOver else { return .dead }
        async let sight = records.readQueue()
        let sentAt = NIODeadline.now()
        let accepted = try? await records.beat(life.number, nonce: life.nonce)
        var queue: ProcessRecords.QueueSight?
        do {
            queue = try await sight
            if queue == nil { await restoreQueue() }
        } catch {
            // It is asked again at the next beat.
        }
        // A write of the footprint may have been refused meanwhile.
        if accepted == false || life.footprint.isOver {
            life.footprint.end()
            return .dead
        }
        let isListed = state.withLock { state in
            if accepted == true { state.heart.beat(sentAt: sentAt) }
            guard let queue else { return true }
            state.queueAbsences = 0
            state.clock.sample(
                milliseconds: queue.nowMilliseconds,
                sentAt: queue.sentAt,
                receivedAt: queue.receivedAt
            )
            state.tubePages = queue.tubePages
            state.watch.note(listed: queue.processes, own: life.number, now: queue.receivedAt)
            let others = Set(queue.processes).subtracting([life.number])
            state.strangers = state.strangers.intersection(others)
            state.strangers.formUnion(others.subtracting(state.others))
            state.addresses = state.addresses.filter { others.contains($0.key) }
            state.others = others
            return state.heart.note(isListed: queue.processes.contains(life.number))
        }
        guard isListed else {
            life.footprint.end()
            return .dead
        }
        return accepted == true && queue != nil ? .alive : .unknown
    }

    /// Makes the queue's record again if it is missing for a third time in a row: the cluster has lost it, as when two nodes
    /// end at once.
    private func restoreQueue() async {
        let (isLost, own, others, lastSegment) = state.withLock { state in
            state.queueAbsences += 1
            return (state.queueAbsences > 2, state.life.number, state.others, state.lastSegment)
        }
        guard isLost else { return }
        logger.critical("the cluster has lost the record of the queue, which is made again")
        let processes = others.union([own])
        try? await records.restoreQueue(
            secret: secret,
            lastSegment: lastSegment + Self.numbersSkipped,
            lastProcess: (processes.max() ?? 0) + StoreLimits.processesMax,
            processes: processes
        )
    }

    private func startAgain(_ events: ProcessEvents) async {
        logger.error(
            "this process was taken for dead, and starts again under another number",
            metadata: ["process": "\(number)"]
        )
        await events.died()
        while !Task.isCancelled {
            do throws(JobStoreError) {
                try await reopen()
                await events.reborn(number)
                return
            } catch {
                logger.error("the process could not start again", metadata: ["error": "\(error)"])
                if let queue = try? await records.isQueueMissing(), queue { await restoreQueue() }
                try? await Task.sleep(for: deathInterval / 5)
            }
        }
    }

    /// Waits until the next beat or the next look is due.
    private func pause(since begin: NIODeadline, isWell: Bool) async {
        let now = NIODeadline.now()
        let (heart, due) = state.withLock { ($0.heart, $0.watch.nextDue) }
        var next = isWell ? begin + heart.beatInterval : now + heart.retryInterval
        if let due { next = min(next, due) }
        // Never faster than this, whatever is due.
        next = max(next, now + heart.retryInterval)
        try? await Task.sleep(for: .nanoseconds((next - now).nanoseconds))
    }

    // MARK: The others

    private var peerAddresses: [Int: PeerAddress] {
        state.withLock { $0.addresses }
    }

    private func look() async -> [ProcessWatch.Action] {
        let (watched, strangers) = state.withLock { state in
            (state.watch.processes, state.strangers)
        }
        guard let seen = try? await records.look(at: Set(watched).union(strangers).sorted()) else { return [] }
        let now = NIODeadline.now()
        return state.withLock { state in
            for (process, sight) in seen {
                guard sight.sighting != .missing else { continue }
                state.strangers.remove(process)
                if state.others.contains(process) { state.addresses[process] = sight.address }
            }
            return watched.compactMap { process in
                guard let sight = seen[process] else { return nil }
                return state.watch.saw(sight.sighting, of: process, now: now, chance: .random(in: 0...1))
            }
        }
    }

    private func carryOut(_ action: ProcessWatch.Action, _ events: ProcessEvents) async {
        let process: Int
        var isMarked: Bool
        switch action {
        case .markDead(let silent, let beat):
            process = silent
            isMarked = (try? await records.markDead(process, beat: beat)) ?? false
        case .recover(let dead):
            process = dead
            isMarked = true
        }
        // What fails is tried again at once: others wait for another interval before they begin.
        var failures = 0
        while isMarked, !Task.isCancelled {
            do {
                try await recover(process, events)
                break
            } catch {
                logger.warning(
                    "the jobs of a dead process could not be taken back yet",
                    metadata: ["process": "\(process)", "error": "\(error)"]
                )
                failures += 1
                isMarked = failures < Self.recoveriesMax
                try? await Task.sleep(for: .milliseconds(50 << min(failures, 3)))
            }
        }
        state.withLock { $0.watch.finished(process, now: .now()) }
    }

    /// How often in a row it is tried to take a dead process's jobs back.
    private static let recoveriesMax = 5

    private func recover(_ process: Int, _ events: ProcessEvents) async throws {
        let footprint = try await records.closeFootprint(of: process)
        logger.notice(
            "a process is dead; its jobs are taken back",
            metadata: ["process": "\(process)", "segments": "\(footprint.count)"]
        )
        try await events.recover(process, footprint)
        try await records.clear(process)
    }
}
