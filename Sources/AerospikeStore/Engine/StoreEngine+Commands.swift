import BeanspikeCore
import NIOCore

extension StoreEngine {
    /// Begins as many of a session's commands as can be.
    func advance(_ session: Session) {
        while let next = session.queue.first {
            if session.reserving != nil { return }
            if let local = local(next.command, session) {
                session.queue.removeFirst()
                session.answer(session.takeTicket(), local)
                continue
            }
            guard var company = company(of: next, session) else { return }
            if session.underWay > 0 {
                guard let joined = session.company.joined(by: company) else { return }
                company = joined
            }
            session.queue.removeFirst()
            session.company = company
            session.underWay += 1
            start(next, session, session.takeTicket())
        }
        if !session.isOpen { finishClosing(session) }
    }

    /// A command is done: its reply goes out in its turn.
    func finish(_ session: Session, _ ticket: Ticket, _ reply: Reply, body: ByteBuffer? = nil) {
        session.answer(ticket, reply, body: body)
        session.underWay -= 1
        sessionsToAdvance.append(session)
    }

    // MARK: - Which commands go together

    /// With which others a command may be under way; nil where it cannot be begun yet.
    private func company(of next: PendingCommand, _ session: Session) -> Session.Company? {
        switch next.command {
        case .put:
            return next.body.readableBytes <= StoreLimits.inlineBodyBytesMax
                ? .put(ObjectIdentifier(session.used)) : Session.Company.none
        case .reserve(let wait): return wait == .none ? .reserve : .wait
        case .delete(let job), .bury(let job, _, _): return company(.dispose, settling: job, session)
        case .release(let job, _, _, _), .touch(let job): return company(.settle, settling: job, session)
        default: return Session.Company.none
        }
    }

    private func company(_ company: Session.Company, settling job: JobID, _ session: Session) -> Session.Company? {
        guard let held = held[job], held.session === session else { return Session.Company.none }
        return held.isSettling || !held.isHandedOut ? nil : company
    }

    /// The answer to what concerns this session alone; nil for what takes a call.
    private func local(_ command: Command, _ session: Session) -> Reply? {
        switch command {
        case .use(let name):
            guard name != session.used.name else { return .using(name) }
            let old = session.used
            session.used = tube(name)
            session.used.using += 1
            stopUsing(old)
            return .using(name)
        case .watch(let name): return watch(name, session)
        case .ignore(let name): return ignore(name, session)
        case .tubeUsed: return .using(session.used.name)
        case .tubesWatched: return .tubes(session.watched.map(\.name))
        case .release(let job, _, _, _), .bury(let job, _, _), .touch(let job):
            guard let held = held[job], held.session === session else { return session.underWay == 0 ? .notFound : nil }
            return nil
        default: return nil
        }
    }

    private func watch(_ name: TubeName, _ session: Session) -> Reply {
        guard !session.watched.contains(where: { $0.name == name }) else { return .watching(session.watched.count) }
        guard session.watched.count < Limits.watchedTubesMax else {
            let message = "a session watches at most \(Limits.watchedTubesMax) tubes; ignore some first"
            return .failed(JobStoreError(.limitReached, message))
        }
        let tube = tube(name)
        session.watched.append(tube)
        tube.watching += 1
        return .watching(session.watched.count)
    }

    private func ignore(_ name: TubeName, _ session: Session) -> Reply {
        guard let index = session.watched.firstIndex(where: { $0.name == name }) else {
            return .watching(session.watched.count)
        }
        guard session.watched.count > 1 else { return .notIgnored }
        stopWatching(session.watched.remove(at: index))
        return .watching(session.watched.count)
    }

    // MARK: - What takes calls

    private func start(_ next: PendingCommand, _ session: Session, _ ticket: Ticket) {
        if isClosing {
            return finish(session, ticket, .failed(JobStoreError(.closed, "the store is closed")))
        }
        switch next.command {
        case .put(let priority, let delay, let ttr, _, let attributes):
            put(
                next.body,
                JobDetails(
                    priority: priority,
                    ttrSeconds: ttr,
                    delaySeconds: delay,
                    putMilliseconds: clusterMilliseconds,
                    attributes: attributes,
                    body: .inline(next.body)
                ),
                session,
                ticket
            )
        case .reserve(let wait): reserve(wait, session, ticket)
        case .delete(let job):
            if held[job]?.session === session {
                settle(job, to: nil, session, ticket, .deleted)
            } else {
                begin { engine in
                    engine.lookers += 1
                    await engine.recallAhead()
                    await engine.deleteUnheld(job, session, ticket)
                    engine.lookers -= 1
                }
            }
        case .release(let job, let priority, let delay, let isRetry):
            guard let held = held[job] else { return finish(session, ticket, .notFound) }
            let entry = held.entry.released(
                priority: priority,
                delaySeconds: delay,
                isRetry: isRetry,
                nowMilliseconds: clusterMilliseconds
            )
            settle(job, to: entry, session, ticket, .released)
        case .bury(let job, let priority, let reason):
            guard let held = held[job] else { return finish(session, ticket, .notFound) }
            let entry = held.entry.buried(priority: priority, reason: reason, nowMicroseconds: nextBurial())
            settle(job, to: entry, session, ticket, .buried)
        case .update(let job, _, let form):
            begin { await $0.update(job, next.body, form, session, ticket) }
        case .touch(let job):
            if registry.isDoubtful() {
                begin { await $0.touchWhenSure(job, session, ticket) }
            } else {
                finish(session, ticket, touch(job))
            }
        default:
            // Now, since a `use` behind it takes effect at once.
            let used = session.used
            begin { await $0.run(next.command, used, session, ticket) }
        }
    }

    /// Commands that are not on the way of every job.
    private func run(_ command: Command, _ used: Tube, _ session: Session, _ ticket: Ticket) async {
        lookers += 1
        defer { lookers -= 1 }
        await recallAhead()
        switch command {
        case .reserveJob(let job): await reserveJob(job, session, ticket)
        case .kickJob(let job): await kickJob(job, session, ticket)
        case .kick(let count): await kick(count, used, session, ticket)
        case .peek(let job): await peek(job, session, ticket)
        case .peekNext(let state): await peekNext(state, used, session, ticket)
        case .pause(let name, let seconds): await pause(name, seconds: seconds, session, ticket)
        case .truncate(let name): await truncate(name, session, ticket)
        case .jobStatistics(let job): await jobStatistics(job, session, ticket)
        case .tubeStatistics(let name): await tubeStatistics(name, session, ticket)
        case .storeStatistics: await storeStatistics(session, ticket)
        case .tubes: await listTubes(session, ticket)
        default: finish(session, ticket, .failed(JobStoreError(.readFailed, "a command that is not known")))
        }
    }
}
