import BeanspikeCore

extension Scheduler {
    /// Runs a session's commands in order; what stands behind a reserve that waits is held.
    mutating func submit(
        _ commands: [Command],
        bytes: UnsafeRawBufferPointer,
        session id: SessionID,
        now: StoreInstant
    ) {
        runUntilWait(commands, bytes, id, now)
        resume(now: now)
    }

    /// Answers commands that come when the store is closed.
    mutating func refuse(_ count: Int, of id: SessionID) {
        for _ in 0..<count { send(.failed(JobStoreError(.closed, "The store is closed.")), to: id) }
    }

    /// Goes on with sessions whose wait is over.
    mutating func resume(now: StoreInstant) {
        while !resumable.isEmpty {
            let id = resumable.removeFirst()
            guard let session = sessions.find(id), !session.pointee.isWaiting, let held = session.pointee.held else {
                continue
            }
            session.pointee.held = nil
            held.bytes.withUnsafeBytes { runUntilWait(held.commands, $0, id, now) }
        }
    }

    private mutating func runUntilWait(
        _ commands: [Command],
        _ bytes: UnsafeRawBufferPointer,
        _ id: SessionID,
        _ now: StoreInstant
    ) {
        let session = sessions[id]
        if session.pointee.isWaiting || session.pointee.held != nil {
            session.pointee.held = session.pointee.held ?? HeldCommands()
            session.pointee.held?.append(commands[...], bytes: bytes)
            return
        }
        for at in commands.indices {
            run(commands[at], bytes, id, now)
            if session.pointee.isWaiting, at + 1 < commands.count {
                var held = HeldCommands()
                held.append(commands[(at + 1)...], bytes: bytes)
                session.pointee.held = held
                return
            }
        }
    }

    private mutating func run(
        _ command: Command,
        _ bytes: UnsafeRawBufferPointer,
        _ id: SessionID,
        _ now: StoreInstant
    ) {
        switch command {
        case .put(let priority, let delay, let ttr, let body, let extra):
            let content = UnsafeRawBufferPointer(rebasing: bytes[body.offset..<(body.offset + body.count)])
            put(
                JobLifecycle(priority: priority, delaySeconds: delay, ttrSeconds: ttr, now: now),
                content,
                extra,
                id,
                now
            )
        case .reserve(let wait): reserve(wait, id, now)
        case .reserveJob(let job): reserveJob(job, id, now)
        case .delete(let job): delete(job, id)
        case .release(let job, let priority, let delay, let isRetry): release(job, priority, delay, isRetry, id, now)
        case .bury(let job, let priority, let reason): bury(job, priority, reason, id, now)
        case .touch(let job): touch(job, id, now)
        case .update(let job, let body, let form):
            let content = UnsafeRawBufferPointer(rebasing: bytes[body.offset..<(body.offset + body.count)])
            update(job, content, form, id, now)
        case .kick(let bound): kick(bound, id, now)
        case .kickJob(let job): kickJob(job, id, now)
        case .peek(let job): peek(find(job), id)
        case .peekNext(let state): peek(next(state, in: sessions[id].pointee.used), id)
        case .use(let name): use(name, id)
        case .watch(let name): watch(name, id)
        case .ignore(let name): ignore(name, id)
        case .pause(let name, let seconds): pause(name, seconds, id, now)
        case .truncate(let name): truncate(name, id)
        case .jobStatistics(let job): sendStatistics(of: job, id, now)
        case .tubeStatistics(let name): sendStatistics(of: name, id, now)
        case .storeStatistics: send(.storeStatistics(statistics), to: id)
        case .tubes: send(.tubes(tubes.names), to: id)
        case .tubeUsed: send(.using(tubes[sessions[id].pointee.used].pointee.name), to: id)
        case .tubesWatched:
            send(.tubes(sessions[id].pointee.watched.map { tubes[$0].pointee.name }), to: id)
        }
    }

    @inline(__always)
    func find(_ job: JobID) -> JobHandle? { index.find(job, in: slab) }

    /// The job's handle if the session holds it.
    @inline(__always)
    func findHeld(_ job: JobID, by id: SessionID) -> JobHandle? {
        guard let handle = find(job) else { return nil }
        let slot = slab[handle]
        return slot.pointee.lifecycle.state == .reserved && slot.pointee.holder == id ? handle : nil
    }

    // MARK: - Jobs

    private mutating func put(
        _ lifecycle: JobLifecycle,
        _ body: UnsafeRawBufferPointer,
        _ extra: JobAttributes?,
        _ id: SessionID,
        _ now: StoreInstant
    ) {
        if let extra, extra.metadata.count > Limits.metadataBytesMax {
            let message = "a job carries at most \(Limits.metadataBytesMax) bytes of metadata; put the rest in its body"
            return send(.failed(JobStoreError(.limitReached, message)), to: id)
        }
        let used = sessions[id].pointee.used
        let memory = JobSlab.makeBody(body)
        guard memory != nil || body.isEmpty, nextID < Limits.jobIDBound else {
            send(.failed(JobStoreError(.outOfSpace, "no memory for a body of \(body.count) bytes")), to: id)
            return
        }
        let job = nextID
        nextID += 1
        let handle = add(
            JobSlot(
                id: job,
                lifecycle: lifecycle,
                tube: used,
                bodyCount: UInt32(truncatingIfNeeded: body.count),
                body: memory,
                created: now
            ),
            attributes: extra
        )
        counts.total += 1
        tubes[used].pointee.counts.total += 1
        markChanged(handle)
        log.newBodyBytes += body.count
        send(.inserted(job), to: id, gate: changeGate)
        enterState(handle, now: now)
    }

    private mutating func delete(_ job: JobID, _ id: SessionID) {
        guard let handle = find(job) else { return send(.notFound, to: id) }
        let slot = slab[handle]
        if slot.pointee.lifecycle.state == .reserved, slot.pointee.holder != id { return send(.notFound, to: id) }
        remove(handle)
        send(.deleted, to: id, gate: changeGate)
    }

    /// Deletes a job in whatever state it is.
    private mutating func remove(_ handle: JobHandle) {
        leaveState(handle)
        counts.deleted += 1
        tubes[slab[handle].pointee.tube].pointee.counts.deleted += 1
        markDeleted(handle)
        forget(handle)
    }

    private mutating func release(
        _ job: JobID,
        _ priority: UInt32,
        _ delay: UInt32,
        _ isRetry: Bool,
        _ id: SessionID,
        _ now: StoreInstant
    ) {
        guard let handle = findHeld(job, by: id) else { return send(.notFound, to: id) }
        leaveState(handle)
        _ = slab[handle].pointee.lifecycle.release(priority: priority, delaySeconds: delay, now: now)
        if isRetry || slab[handle].pointee.flags.contains(.hasAttributes) {
            let old = attributes[handle] ?? JobAttributes()
            setAttributes(handle, old.with(retries: old.retries + (isRetry ? 1 : 0), retryFlag: isRetry))
        }
        markChanged(handle)
        send(.released, to: id, gate: changeGate)
        enterState(handle, now: now)
    }

    private mutating func bury(
        _ job: JobID,
        _ priority: UInt32,
        _ reason: String,
        _ id: SessionID,
        _ now: StoreInstant
    ) {
        guard let handle = findHeld(job, by: id) else { return send(.notFound, to: id) }
        leaveState(handle)
        _ = slab[handle].pointee.lifecycle.bury(priority: priority)
        if !reason.isEmpty || slab[handle].pointee.flags.contains(.hasAttributes) {
            setAttributes(handle, (attributes[handle] ?? JobAttributes()).with(buryReason: reason))
        }
        enterState(handle, now: now)
        markChanged(handle)
        send(.buried, to: id, gate: changeGate)
    }

    mutating func setAttributes(_ handle: JobHandle, _ value: JobAttributes) {
        attributes[handle] = value
        slab[handle].pointee.flags.insert(.hasAttributes)
    }

    private mutating func touch(_ job: JobID, _ id: SessionID, _ now: StoreInstant) {
        guard let handle = findHeld(job, by: id) else { return send(.notFound, to: id) }
        restartTimeToRun(handle, id, now)
        send(.touched, to: id)
    }

    mutating func restartTimeToRun(_ handle: JobHandle, _ id: SessionID, _ now: StoreInstant) {
        let slot = slab[handle]
        if slot.pointee.heapPosition != .none { reservations.remove(handle, in: slab) }
        _ = slot.pointee.lifecycle.touch(now: now)
        if slot.pointee.lifecycle.deadline != .never {
            reservations.insert(handle, key: slot.pointee.lifecycle.deadline.microseconds, in: slab)
        }
        // To the front, where a job that is kept alive near its deadline is soon found.
        sessions[id].pointee.reserved.remove(handle, in: slab)
        sessions[id].pointee.reserved.insert(handle, after: .none, in: slab)
    }

    private mutating func kick(_ bound: UInt64, _ id: SessionID, _ now: StoreInstant) {
        let tube = sessions[id].pointee.used
        let state: JobState = tubes[tube].pointee.buried.isEmpty ? .delayed : .buried
        var kicked: UInt64 = 0
        while kicked < bound, let handle = next(state, in: tube) {
            kickOne(handle, now)
            kicked += 1
        }
        send(.kicked(kicked), to: id, gate: kicked > 0 ? changeGate : 0)
    }

    private mutating func kickJob(_ job: JobID, _ id: SessionID, _ now: StoreInstant) {
        guard let handle = find(job) else { return send(.notFound, to: id) }
        let state = slab[handle].pointee.lifecycle.state
        guard state == .buried || state == .delayed else { return send(.notFound, to: id) }
        kickOne(handle, now)
        send(.kickedJob, to: id, gate: changeGate)
    }

    private mutating func kickOne(_ handle: JobHandle, _ now: StoreInstant) {
        leaveState(handle)
        _ = slab[handle].pointee.lifecycle.kick()
        markChanged(handle)
        enterState(handle, now: now)
    }

    /// The tube's next job in a state that has an order of its own.
    func next(_ state: JobState, in tube: TubeIndex) -> JobHandle? {
        let tube = tubes[tube]
        switch state {
        case .ready: return tube.pointee.ready.first(in: slab)
        case .delayed: return tube.pointee.delayed.first
        case .buried: return tube.pointee.buried.isEmpty ? nil : tube.pointee.buried.first
        case .reserved: return nil
        }
    }

    private mutating func peek(_ handle: JobHandle?, _ id: SessionID) {
        guard let handle else { return send(.notFound, to: id) }
        send(job: handle, reserved: false, to: id)
    }

    // MARK: - Tubes

    private mutating func truncate(_ name: TubeName, _ id: SessionID) {
        guard let index = tubes.find(name) else { return send(.truncated(0), to: id) }
        let tube = tubes[index]
        var handles = tube.pointee.ready.handles(in: slab) + tube.pointee.delayed.handles
        handles += tube.pointee.buried.handles(in: slab)
        for session in tube.pointee.counts.reserved > 0 ? sessions.openIDs : [] {
            handles += sessions[session].pointee.reserved.handles(in: slab).filter { slab[$0].pointee.tube == index }
        }
        // The tube must not vanish with its last job while this goes on.
        tube.pointee.sessionsUsing += 1
        for handle in handles { remove(handle) }
        tube.pointee.sessionsUsing -= 1
        removeTubeIfUnneeded(index)
        send(.truncated(UInt64(handles.count)), to: id, gate: handles.isEmpty ? 0 : changeGate)
    }

    private mutating func pause(_ name: TubeName, _ seconds: UInt32, _ id: SessionID, _ now: StoreInstant) {
        guard let index = tubes.find(name) else { return send(.notFound, to: id) }
        let tube = tubes[index]
        tube.pointee.pauses += 1
        tube.pointee.pauseSeconds = seconds
        tube.pointee.pausedUntil = now.advanced(bySeconds: seconds)
        if seconds == 0 { serveWaiters(index, now: now) }
        setTubeTimer(index)
        send(.paused, to: id)
    }
}
