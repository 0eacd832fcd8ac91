import BeanspikeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A body that was replaced, for as long as it is not known that the new one is on disk.
struct ReplacedBody {
    var id: JobID
    var body: UnsafeMutableRawPointer?
    var bodyCount: UInt32
    /// Whether it was on disk only.
    var isSpilled: Bool
    var form: BodyForm
}

// Another body for a job takes room, which there may not be; then the job keeps the one that it had. So the old one is
// kept until the commit is done.
extension Scheduler {
    /// Gives a job that the session holds another body.
    mutating func update(
        _ job: JobID,
        _ content: UnsafeRawBufferPointer,
        _ form: BodyForm,
        _ id: SessionID,
        _ now: StoreInstant
    ) {
        guard let handle = findHeld(job, by: id) else { return send(.notFound, to: id) }
        let memory = JobSlab.makeBody(content)
        guard memory != nil || content.isEmpty else {
            let error = JobStoreError(.outOfSpace, "no memory for a body of \(content.count) bytes")
            return send(.failed(error), to: id)
        }
        let replaced = setBody(handle, memory, UInt32(truncatingIfNeeded: content.count), isSpilled: false, form)
        if isDurable, slab[handle].pointee.flags.contains(.journaled), log.replacedBodies[handle] == nil {
            log.replacedBodies[handle] = replaced
        } else {
            // Nobody would go back to it.
            free(replaced.body)
        }
        restartTimeToRun(handle, id, now)
        markChanged(handle)
        log.newBodyBytes += content.count
        send(.updated, to: id, gate: changeGate)
    }

    /// Puts a body in the place of the job's own, and returns that.
    private mutating func setBody(
        _ handle: JobHandle,
        _ body: UnsafeMutableRawPointer?,
        _ bodyCount: UInt32,
        isSpilled: Bool,
        _ form: BodyForm
    ) -> ReplacedBody {
        let slot = slab[handle]
        let extra = slot.pointee.flags.contains(.hasAttributes) ? attributes[handle] : nil
        let old = ReplacedBody(
            id: slot.pointee.id,
            body: slot.pointee.body,
            bodyCount: slot.pointee.bodyCount,
            isSpilled: slot.pointee.flags.contains(.spilled),
            form: extra?.form ?? .plain
        )
        countBytes(handle, -1)
        if old.body != nil { bodyMemoryBytes -= Int(old.bodyCount) }
        slot.pointee.body = body
        slot.pointee.bodyCount = bodyCount
        if isSpilled { slot.pointee.flags.insert(.spilled) } else { slot.pointee.flags.remove(.spilled) }
        if form != old.form { setAttributes(handle, (extra ?? JobAttributes()).with(form: form)) }
        if body != nil { bodyMemoryBytes += Int(bodyCount) }
        countBytes(handle, 1)
        return old
    }

    /// The new bodies of a commit are on disk: the old ones are not needed any more.
    func dropReplaced(_ bodies: [JobHandle: ReplacedBody]) {
        for replaced in bodies.values { free(replaced.body) }
    }

    /// The new bodies of a commit could not be kept: the jobs have their old ones again.
    mutating func restoreReplaced(_ bodies: [JobHandle: ReplacedBody]) {
        for (handle, replaced) in bodies {
            guard slab.holds(replaced.id, at: handle) else {
                free(replaced.body)
                continue
            }
            if let newer = log.replacedBodies[handle], newer.id == replaced.id {
                // Replaced once more since: the commit to come goes back to what is on disk, should it fail too.
                free(newer.body)
                log.replacedBodies[handle] = replaced
                continue
            }
            let failed = setBody(
                handle,
                replaced.body,
                replaced.bodyCount,
                isSpilled: replaced.isSpilled,
                replaced.form
            )
            free(failed.body)
        }
    }

    /// The job is about to be forgotten.
    mutating func forgetReplaced(_ handle: JobHandle) {
        guard let replaced = log.replacedBodies.removeValue(forKey: handle) else { return }
        free(replaced.body)
    }
}
