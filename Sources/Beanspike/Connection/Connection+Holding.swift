import BeanspikeCore

// What is said of jobs that are held, or were. A command goes to the lane that holds the job; where none does, to any, and
// the store says that the job is not ours. Why that is so is looked up afterwards: it is the exception.
extension Connection {
    /// Runs a command on a job's own lane, or on any where the job is not held here.
    ///
    /// - Parameters:
    ///   - command: what to do.
    ///   - reservation: where the job is held.
    ///   - tube: the tube of the lane where it is not.
    ///   - endsHolding: whether the job is not held any more when the command is done.
    ///   - bytes: what the command's range points into.
    /// - Returns: the reply, which is no failure.
    /// - Throws: ``BeanspikeError``
    private func settle(
        _ command: Command,
        _ reservation: Reservation?,
        in tube: TubeName,
        endsHolding: Bool = true,
        bytes: [UInt8] = []
    ) async throws -> Reply {
        guard let reservation, reservation.begin() else {
            let lane = lanes.take([tube])
            // What must not be cancelled half-way is not: a lane that is given up gives up its jobs.
            let answers = try await link.run(Call([command], bytes: bytes), on: lane)
            lanes.giveBack(lane)
            return try checked(answers)
        }
        let answers: [Answer]
        do {
            answers = try await link.run(Call([command], bytes: bytes), on: reservation.lane)
        } catch {
            // The link is closed, and its lanes with it.
            _ = reservation.end(isEnded: false)
            throw error
        }
        let isLost = if case .notFound = answers.first?.reply { true } else { false }
        let isFailed = if case .failed = answers.first?.reply { true } else { false }
        if reservation.end(isEnded: isLost || (endsHolding && !isFailed)) { lanes.release(reservation) }
        return try checked(answers)
    }

    private func checked(_ answers: [Answer]) throws -> Reply {
        guard let reply = answers.first?.reply else { throw BeanspikeError.closed }
        if case .failed(let error) = reply { throw BeanspikeError(error) }
        return reply
    }

    /// Why a command that only a job's holder may give was refused.
    private func refusal(_ job: JobID, wasHeld: Bool, in tube: TubeName) async throws -> BeanspikeError {
        let reply = try await run(.jobStatistics(job), in: tube)
        guard case .jobStatistics(let statistics) = reply else {
            return BeanspikeError(.jobNotFound, "Job \(job) is gone: it was deleted.")
        }
        let state = statistics.lifecycle.state
        if wasHeld {
            let now = state == .reserved ? "another holds it" : "it is \(state.word)"
            return BeanspikeError(
                .timedOut,
                "Job \(job) is not held here any more, \(now): its time to run was over. Abandon the work, or touch sooner."
            )
        }
        return BeanspikeError(
            .notHolder,
            state == .reserved
                ? "Job \(job) is held by another. Only its holder may do this."
                : "Job \(job) is not reserved, it is \(state.word). Reserve it first."
        )
    }

    // MARK: - What holders do

    func touch(_ reservation: Reservation, in tube: TubeName) async throws {
        try await touch(reservation.id, reservation, in: tube)
    }

    func touch(_ job: JobID, _ reservation: Reservation?, in tube: TubeName) async throws {
        if let reservation, !reservation.isEnded, reservation.ttrSeconds == 0 { throw Self.touchNotNeeded(job) }
        let wasHeld = reservation.map { !$0.isEnded } ?? false
        let reply = try await settle(.touch(job), reservation, in: tube, endsHolding: false)
        if case .touched = reply {
            reservation?.restart()
            return note("tube.touch.count", tube)
        }
        if !wasHeld, case .jobStatistics(let statistics) = try await run(.jobStatistics(job), in: tube),
            statistics.lifecycle.ttrSeconds == 0
        {
            throw Self.touchNotNeeded(job)
        }
        throw try await refusal(job, wasHeld: wasHeld, in: tube)
    }

    private static func touchNotNeeded(_ job: JobID) -> BeanspikeError {
        BeanspikeError(
            .touchNotNeeded,
            "Job \(job) has no time to run: it is held until released, and need not be touched."
        )
    }

    func delete(_ job: JobID, _ reservation: Reservation?, in tube: TubeName) async throws -> Bool {
        let wasHeld = reservation.map { !$0.isEnded } ?? false
        if case .deleted = try await settle(.delete(job), reservation, in: tube) {
            note("tube.delete.count", tube)
            return true
        }
        let refusal = try await refusal(job, wasHeld: wasHeld, in: tube)
        if refusal.code == .jobNotFound { return false }
        throw refusal
    }

    func release(
        _ job: JobID,
        _ reservation: Reservation?,
        _ delay: Duration,
        _ isRetry: Bool,
        _ priority: UInt32?,
        in tube: TubeName
    ) async throws {
        let wasHeld = reservation.map { !$0.isEnded } ?? false
        let command = Command.release(
            job,
            priority: priority ?? reservation?.priority ?? Tube.priorityDefault,
            delaySeconds: try delay.wholeSeconds("delay"),
            isRetry: isRetry
        )
        guard case .released = try await settle(command, reservation, in: tube) else {
            throw try await refusal(job, wasHeld: wasHeld, in: tube)
        }
        note("tube.release.count", tube)
    }

    func bury(_ job: JobID, _ reservation: Reservation?, _ reason: String, in tube: TubeName) async throws {
        let wasHeld = reservation.map { !$0.isEnded } ?? false
        let command = Command.bury(job, priority: reservation?.priority ?? Tube.priorityDefault, reason: reason)
        guard case .buried = try await settle(command, reservation, in: tube) else {
            throw try await refusal(job, wasHeld: wasHeld, in: tube)
        }
        note("tube.buried.count", tube)
    }

    func update(
        _ job: JobID,
        _ reservation: Reservation?,
        _ body: [UInt8],
        _ compress: Bool,
        in tube: TubeName
    ) async throws {
        let wasHeld = reservation.map { !$0.isEnded } ?? false
        let (bytes, form) = stored(body, compress: compress)
        let command = Command.update(job, body: ByteRange(offset: 0, count: bytes.count), form: form)
        let reply = try await settle(command, reservation, in: tube, endsHolding: false, bytes: bytes)
        guard case .updated = reply else { throw try await refusal(job, wasHeld: wasHeld, in: tube) }
        reservation?.restart()
        note("tube.update.count", tube)
    }
}

extension Duration {
    /// Whole seconds, rounded up.
    ///
    /// - Parameter name: what is told of it in the error.
    /// - Returns: the seconds.
    /// - Throws: ``BeanspikeError`` with `invalidArgument` where it is negative or longer than 2^32 - 1 seconds.
    func wholeSeconds(_ name: String) throws(BeanspikeError) -> UInt32 {
        let (seconds, attoseconds) = components
        guard self >= .zero, seconds < Int64(UInt32.max) else {
            throw BeanspikeError(.invalidArgument, "The \(name) is \(self). Give 0 to \(UInt32.max - 1) seconds.")
        }
        return UInt32(seconds) + (attoseconds > 0 ? 1 : 0)
    }
}
