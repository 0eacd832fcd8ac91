import Aerospike
import BeanspikeCore
import NIOCore

/// A job that was found by its id.
struct FoundJob {
    var segment: Segment
    var slot: Int
    var entry: JobEntry

    var id: JobID { JobPlace(segment: segment.number, slot: slot).id }
}

// Jobs that are asked for by their ids, whoever holds them. These read first, and change only what is as it was read.
extension StoreEngine {
    /// How often a change is tried whose job others keep changing.
    private static let turnsMax = 16

    /// A job by its id; nil where there is none.
    func find(_ job: JobID) async throws -> FoundJob? {
        guard let place = JobPlace(job) else { return nil }
        if let held = held[job] { return FoundJob(segment: held.segment, slot: place.slot, entry: held.entry) }
        guard let slice = try await records.read(place.segment, .keys(in: [.integer(Int64(place.slot))])),
            let entry = slice.entries.first?.entry
        else { return nil }
        let tube = tube(slice.tube)
        touch(tube)
        // A restart may have brought back a record that was deleted; what the directory does not list is dead.
        guard let directory = try await findDirectory(tube),
            try await directory.isLive(place.segment, at: slice.position)
        else { return nil }
        return FoundJob(
            segment: segment(place.segment, of: tube, position: slice.position),
            slot: place.slot,
            entry: entry
        )
    }

    /// Changes a job that nobody holds, and tells whether there was one.
    private func changeUnheld(
        _ job: JobID,
        for holder: Session? = nil,
        _ make: (JobEntry) -> JobEntry??
    ) async throws -> FoundJob? {
        for turn in 0..<Self.turnsMax {
            guard let found = try await find(job), held[job] == nil else { return nil }
            if case .reserved(process, _) = found.entry.state, found.segment.held.contains(found.slot) {
                // It is being given up just now: its holder was told already that it has it no more.
                try await Task.sleep(for: .milliseconds(5 << min(turn, 5)))
                continue
            }
            guard let entry = make(found.entry) else { return nil }
            switch await change(found.slot, of: found.segment, from: found.entry, to: entry, for: holder) {
            case true?: return found
            case false?: continue
            case nil: throw JobStoreError(.writeFailed, "job \(job) could not be changed; try again", inDoubt: true)
            }
        }
        throw JobStoreError(.writeFailed, "job \(job) is changed by too many at once; try again")
    }

    /// Answers with what a body came to, or with the error that it threw.
    private func answer(
        _ session: Session,
        _ ticket: Ticket,
        reading job: JobID? = nil,
        _ body: () async throws -> (Reply, ByteBuffer?)
    ) async {
        do {
            let (reply, bytes) = try await body()
            finish(session, ticket, reply, body: bytes)
        } catch {
            let failure = job.map { JobStoreError(reading: error, "job \($0)") } ?? JobStoreError(writing: error)
            finish(session, ticket, .failed(failure))
        }
    }

    func deleteUnheld(_ job: JobID, _ session: Session, _ ticket: Ticket) async {
        await answer(session, ticket) {
            let found = try await changeUnheld(job) { entry in
                if case .reserved = entry.state { nil } else { .some(nil) }
            }
            return (found == nil ? .notFound : .deleted, nil)
        }
    }

    func kickJob(_ job: JobID, _ session: Session, _ ticket: Ticket) async {
        await answer(session, ticket) {
            let found = try await changeUnheld(job) { entry in
                switch entry.state {
                case .buried, .delayed: entry.kicked()
                default: nil
                }
            }
            return (found == nil ? .notFound : .kickedJob, nil)
        }
    }

    func reserveJob(_ job: JobID, _ session: Session, _ ticket: Ticket) async {
        await answer(session, ticket) {
            let now = clusterMilliseconds
            let process = process
            let found = try await changeUnheld(job, for: session) { entry in
                if case .reserved = entry.state { nil } else { entry.reserved(by: process, nowMilliseconds: now) }
            }
            guard let found else { return (.notFound, nil) }
            let place = JobPlace(segment: found.segment.number, slot: found.slot)
            let view = view(of: place, found.entry, reserves: found.entry.details.reserves &+ 1)
            // It may be another's by now, or before its body is here.
            guard let held = held[job], held.session === session else { return (.notFound, nil) }
            switch found.entry.details.body {
            case .inline(let bytes): return (.reserved(view), bytes)
            case .separate(let reference):
                let bytes = try await read(reference, for: held)
                return bytes == nil ? (.notFound, nil) : (.reserved(view), bytes)
            }
        }
    }

    func peek(_ job: JobID, _ session: Session, _ ticket: Ticket) async {
        await answer(session, ticket, reading: job) {
            try await show { try await find(job) }
        }
    }

    /// The answer to a peek at what is found.
    ///
    /// - Parameter find: finds the job; nil where there is none. It is asked again if the job went, with its body, meanwhile.
    /// - Returns: the reply, and the job's body.
    /// - Throws: what `find` throws; ``JobStoreError`` where the job's body is lost.
    func show(_ find: () async throws -> FoundJob?) async throws -> (Reply, ByteBuffer?) {
        var lost: (found: FoundJob, error: any Error)?
        for _ in 0..<Self.turnsMax {
            guard let found = try await find() else { return (.notFound, nil) }
            if let lost, lost.found.id == found.id, lost.found.entry.details.body == found.entry.details.body {
                throw lost.error
            }
            let place = JobPlace(segment: found.segment.number, slot: found.slot)
            let view = view(of: place, found.entry, reserves: found.entry.reserves)
            do {
                return (.found(view), try await body(of: found.entry))
            } catch {
                lost = (found, error)
            }
        }
        throw lost?.error ?? JobStoreError(.readFailed, "the jobs change too fast to be shown; try again")
    }

    private func body(of entry: JobEntry) async throws -> ByteBuffer {
        switch entry.details.body {
        case .inline(let bytes): bytes
        case .separate(let reference): try await bodies.read(reference)
        }
    }

    func jobStatistics(_ job: JobID, _ session: Session, _ ticket: Ticket) async {
        await answer(session, ticket, reading: job) {
            guard let found = try await find(job) else { return (.notFound, nil) }
            return (.jobStatistics(statistics(of: found)), nil)
        }
    }

    private func statistics(of found: FoundJob) -> JobStatistics {
        let details = found.entry.details
        let now = clusterMilliseconds
        var lifecycle = JobLifecycle(
            priority: details.priority,
            delaySeconds: 0,
            ttrSeconds: details.ttrSeconds,
            now: StoreInstant(microseconds: 0)
        )
        lifecycle.delaySeconds = details.delaySeconds
        lifecycle.state = found.entry.state.kind
        lifecycle.reserves = found.entry.reserves
        lifecycle.timeouts = details.timeouts
        lifecycle.releases = details.releases
        lifecycle.buries = details.buries
        lifecycle.kicks = details.kicks
        var left: Int64 = 0
        switch found.entry.state {
        case .delayed(let due): left = due - now
        case .reserved(_, let since):
            if let held = held[found.id] {
                left = held.deadline.map { ($0 - .now()).nanoseconds / 1_000_000 } ?? 0
            } else if details.ttrSeconds > 0 {
                left = since + Int64(details.ttrSeconds) * 1_000 - now
            }
        default: break
        }
        return JobStatistics(
            id: found.id,
            tube: found.segment.tube.name,
            lifecycle: lifecycle,
            ageSeconds: UInt64(max(0, now - details.putMilliseconds)) / 1_000,
            timeLeftSeconds: UInt64(max(0, left)) / 1_000,
            journalFile: 0,
            bodyBytes: UInt64(details.body.count),
            attributes: details.attributes
        )
    }
}
