import BeanspikeCore
import NIOCore

// A job's body is replaced as its other changes are made: by whoever holds it, with the whole entry. A long body is written
// before its entry refers to it, and the one that it takes the place of is deleted afterwards.
extension StoreEngine {
    /// Gives a job that the session holds another body.
    func update(_ job: JobID, _ body: ByteBuffer, _ form: BodyForm, _ session: Session, _ ticket: Ticket) async {
        guard isHeld(job, by: session) else { return finish(session, ticket, .notFound) }
        var stored = JobBody.inline(body)
        if body.readableBytes > StoreLimits.inlineBodyBytesMax {
            guard body.readableBytes <= StoreLimits.bodyBytesMax else {
                let message = "a body has at most \(StoreLimits.bodyBytesMax) bytes; this one has \(body.readableBytes)"
                return finish(session, ticket, .failed(JobStoreError(.limitReached, message)))
            }
            do {
                stored = .separate(try await bodies.write(body))
            } catch {
                return finish(session, ticket, .failed(JobStoreError(writing: error)))
            }
        }
        // Its time to run may be over since.
        guard let held = held[job], isHeld(job, by: session) else {
            drop(stored)
            return finish(session, ticket, .notFound)
        }
        var before = held.entry
        before.details.body = stored
        if form != before.details.attributes?.form ?? .plain {
            before.details.attributes = (before.details.attributes ?? JobAttributes()).with(form: form)
        }
        held.isSettling = true
        // It is kept for as long as the job is held.
        before.details.body.copy()
        // It is held anew once this is done, as one that was reserved just then.
        held.segment.updates[held.place.slot] = PendingUpdate(
            entry: before.reserved(by: process, nowMilliseconds: clusterMilliseconds),
            before: held.entry.details,
            expected: before,
            replacesBody: true,
            holder: session,
            completion: .reply(session, ticket, .updated)
        )
        touch(held.segment)
    }

    private func isHeld(_ job: JobID, by session: Session) -> Bool {
        guard let held = held[job] else { return false }
        return held.session === session && !held.isSettling
    }

    /// Deletes the body that nobody refers to after an update: the old one, or the new one where the job is gone.
    func dropBody(of update: PendingUpdate, isPresent: Bool) {
        if isPresent {
            drop(update.before.body)
        } else if let entry = update.entry {
            drop(entry.details.body)
        }
    }

    private func drop(_ body: JobBody) {
        guard case .separate(let reference) = body else { return }
        begin { engine in try? await engine.bodies.delete(reference) }
    }
}
