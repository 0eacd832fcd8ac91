import BeanspikeCore
import NIOCore

// Jobs are counted where they are; sessions are the business of each process, and are asked of all of them.
extension StoreEngine {
    /// What the segments of a tube count, and those that are over.
    private func counts(of tube: Tube) async throws -> SegmentCounts {
        guard let directory = try await findDirectory(tube) else { return SegmentCounts() }
        var sum = SegmentCounts()
        for try await page in try await directory.liveSegments() {
            sum += try await records.counts(page.map(\.segment))
        }
        let over = try await directory.totals()
        sum.jobs.total += UInt64(max(0, over.puts))
        sum.jobs.deleted += UInt64(max(0, over.deletes))
        sum.timeouts += UInt64(max(0, over.timeouts))
        return sum
    }

    func tubeStatistics(_ name: TubeName, _ session: Session, _ ticket: Ticket) async {
        do {
            let tube = tube(name)
            touch(tube)
            if tube.directory != nil || tube.isWanted { await sweepIfDue(tube) }
            async let sessions = sessions(of: name)
            let counts = try await counts(of: tube)
            let (using, watching, waiting) = await sessions
            guard counts.jobs.present > 0 || using > 0 || watching > 0 || name == .default else {
                return finish(session, ticket, .notFound)
            }
            if let directory = tube.directory { note(pause: try await directory.state().pause, of: tube) }
            let left = (tube.pause?.untilMilliseconds ?? 0) - clusterMilliseconds
            let statistics = TubeStatistics(
                name: name,
                jobs: counts.jobs,
                sessionsUsing: using,
                sessionsWatching: watching,
                sessionsWaiting: waiting,
                pauses: UInt64(tube.pause?.count ?? 0),
                pauseSeconds: left > 0 ? UInt64(tube.pause?.seconds ?? 0) : 0,
                pauseLeftSeconds: UInt64(max(0, left)) / 1_000
            )
            finish(session, ticket, .tubeStatistics(statistics))
        } catch {
            finish(session, ticket, .failed(JobStoreError(reading: error, "the statistics of \(name)")))
        }
    }

    func storeStatistics(_ session: Session, _ ticket: Ticket) async {
        do {
            var statistics = StoreStatistics()
            async let waiting = sessionsWaiting()
            async let wanted = wantedTubes()
            var names = Set(try await TubeRegistry(calls: calls, layout: layout).names())
            for name in names {
                let tube = tube(name)
                touch(tube)
                await sweepIfDue(tube)
                let counts = try await counts(of: tube)
                statistics.add(counts)
                if counts.jobs.present == 0 { names.remove(name) }
            }
            names.formUnion(await wanted)
            statistics.tubes = UInt64(names.count)
            statistics.sessionsWaiting = await waiting
            finish(session, ticket, .storeStatistics(statistics))
        } catch {
            finish(session, ticket, .failed(JobStoreError(reading: error, "the statistics")))
        }
    }

    func listTubes(_ session: Session, _ ticket: Ticket) async {
        do {
            async let wanted = wantedTubes()
            var names: Set<TubeName> = []
            for name in try await TubeRegistry(calls: calls, layout: layout).names() where try await hasJobs(name) {
                names.insert(name)
            }
            names.formUnion(await wanted)
            finish(session, ticket, .tubes(names.sorted()))
        } catch {
            finish(session, ticket, .failed(JobStoreError(reading: error, "the list of tubes")))
        }
    }

    private func hasJobs(_ name: TubeName) async throws -> Bool {
        let tube = tube(name)
        touch(tube)
        guard let directory = try await findDirectory(tube) else { return false }
        for try await page in try await directory.liveSegments()
        where try await records.counts(page.map(\.segment)).jobs.present > 0 {
            return true
        }
        return false
    }

    /// Whether a tube has jobs, or sessions that use or watch it.
    func exists(_ name: TubeName) async throws -> Bool {
        if name == .default || tubes[name]?.isWanted == true { return true }
        if try await hasJobs(name) { return true }
        let (using, watching, _) = await sessions(of: name)
        return using > 0 || watching > 0
    }

    // MARK: - Sessions of all processes

    /// How many sessions use, watch and wait on a tube.
    private func sessions(of name: TubeName) async -> (UInt64, UInt64, UInt64) {
        var sum = localSessions(of: name)
        for answer in await ask(.sessions(name)) {
            guard case .sessions(let using, let watching, let waiting) = answer else { continue }
            sum.0 += using
            sum.1 += watching
            sum.2 += waiting
        }
        return sum
    }

    private func sessionsWaiting() async -> UInt64 {
        var sum = localSessionsWaiting
        for case .waiting(let count) in await ask(.waiting) { sum += count }
        return sum
    }

    private func wantedTubes() async -> Set<TubeName> {
        var names = Set(localTubes)
        for case .tubes(let others) in await ask(.tubes) { names.formUnion(others) }
        return names
    }

    private func localSessions(of name: TubeName) -> (UInt64, UInt64, UInt64) {
        guard let tube = tubes[name] else { return (0, 0, 0) }
        return (UInt64(tube.using), UInt64(tube.watching), UInt64(tube.waiters.count))
    }

    private var localSessionsWaiting: UInt64 { UInt64(sessions.values.count { $0.isWaiting }) }

    private var localTubes: [TubeName] {
        // The default tube is always there.
        tubes.values.filter(\.isWanted).map(\.name) + (tubes[.default]?.isWanted == true ? [] : [.default])
    }

    /// Answers another process.
    func answer(_ question: PeerQuestion) -> PeerAnswer {
        switch question {
        case .sessions(let name):
            let (using, watching, waiting) = localSessions(of: name)
            return .sessions(using: using, watching: watching, waiting: waiting)
        case .tubes: return .tubes(localTubes)
        case .waiting: return .waiting(localSessionsWaiting)
        }
    }

    func ask(_ question: PeerQuestion) async -> [PeerAnswer] {
        guard let peers, hasPeers else { return [] }
        return await Array(peers.ask(question).values)
    }
}

extension StoreStatistics {
    fileprivate mutating func add(_ counts: SegmentCounts) {
        jobs.urgent += counts.jobs.urgent
        jobs.ready += counts.jobs.ready
        jobs.reserved += counts.jobs.reserved
        jobs.delayed += counts.jobs.delayed
        jobs.buried += counts.jobs.buried
        jobs.total += counts.jobs.total
        jobs.deleted += counts.jobs.deleted
        jobs.usedBytes += counts.jobs.usedBytes
        jobs.bodyBytes += counts.jobs.bodyBytes
        jobs.skippedBytes += counts.jobs.skippedBytes
        timeouts += counts.timeouts
    }
}
