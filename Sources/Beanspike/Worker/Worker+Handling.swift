import Logging
import Tracing

extension Worker {
    /// How a handler ended.
    private enum End: Sendable {
        case returned
        case threw(any Error)
        /// The job is another's.
        case lost(BeanspikeError)
    }

    /// Works on one job, and settles it.
    func work(on job: Job) async {
        let attempt = job.retries + 1
        let began = time.now()
        metrics.began(job.tube.name)
        var logger = logger
        logger[metadataKey: "tube"] = "\(job.tube.name)"
        logger[metadataKey: "job"] = "\(job.id)"
        let (outcome, reason) = await settled(job, attempt, logger)
        let event = WorkerEvent(
            tube: job.tube.name,
            job: job.id,
            outcome: outcome,
            attempt: attempt,
            duration: time.now() - began,
            reason: reason
        )
        metrics.ended(event)
        onEvent?(event)
    }

    private func settled(_ job: Job, _ attempt: Int, _ logger: Logger) async -> (WorkerEvent.Outcome, String?) {
        if let deliveriesMax = configuration.deliveriesMax, job.reserves > max(1, deliveriesMax) {
            let reason = "handed out \(job.reserves - 1) times, and never came to an end"
            return await settle(job, as: .buried, reason, logger) { try await job.bury(reason: reason) }
        }
        let payload: Payload
        do {
            payload = try coding.decode(job.body)
        } catch {
            let reason = "undecodable: \(error)"
            return await settle(job, as: .undecodable, reason, logger) { try await job.bury(reason: reason) }
        }
        let context = JobContext(job: job, attempt: attempt, logger: logger)
        switch await handle(payload, context) {
        case .returned:
            return await settle(job, as: .done, nil, logger) { _ = try await job.delete() }
        case .lost(let error):
            logger.warning("the job was lost while its handler ran", metadata: ["error": "\(error)"])
            return (.lost, error.message)
        case .threw(let disposition as JobDisposition):
            return await settle(job, as: disposition, logger)
        case .threw(let error):
            // Cancelled by whoever runs the worker: it is no fault of the job.
            if Task.isCancelled { return await settle(job, as: .putBack(after: .zero), logger) }
            return await settle(job, failed: error, attempt, logger)
        }
    }

    private func settle(
        _ job: Job,
        as disposition: JobDisposition,
        _ logger: Logger
    ) async -> (WorkerEvent.Outcome, String?) {
        switch disposition {
        case .retry(let delay):
            await settle(job, as: .retried, nil, logger) { try await job.release(delay: delay, isRetry: true) }
        case .putBack(let delay):
            await settle(job, as: .putBack, nil, logger) { try await job.release(delay: delay) }
        case .bury(let reason):
            await settle(job, as: .buried, reason, logger) { try await job.bury(reason: reason) }
        }
    }

    private func settle(
        _ job: Job,
        failed error: any Error,
        _ attempt: Int,
        _ logger: Logger
    ) async -> (WorkerEvent.Outcome, String?) {
        let reason = "\(error)"
        var generator = SystemRandomNumberGenerator()
        let decision = configuration.retries.decision(attempt: attempt, using: &generator)
        logger.warning(
            "a handler failed",
            metadata: ["attempt": "\(attempt)", "error": "\(reason)", "decision": "\(decision)"]
        )
        switch decision {
        case .retry(let delay):
            return await settle(job, as: .retried, reason, logger) {
                try await job.release(delay: delay, isRetry: true)
            }
        case .bury:
            return await settle(job, as: .buried, reason, logger) { try await job.bury(reason: reason) }
        }
    }

    /// So often it is tried to tell the store what became of a job.
    private static var settleAttemptsMax: Int { 5 }

    /// Tells the store what became of a job, until it knows.
    private func settle(
        _ job: Job,
        as outcome: WorkerEvent.Outcome,
        _ reason: String?,
        _ logger: Logger,
        _ body: () async throws -> Void
    ) async -> (WorkerEvent.Outcome, String?) {
        for attempts in 1...Self.settleAttemptsMax {
            do {
                try await body()
                return (outcome, reason)
            } catch {
                let code = (error as? BeanspikeError)?.code
                // Another has it, or it is gone: so it is too where an earlier try took effect whose answer was lost.
                if code == .timedOut || code == .notHolder || code == .jobNotFound {
                    return attempts == 1 ? (.lost, "\(error)") : (outcome, reason)
                }
                logger.error("what became of the job could not be told", metadata: ["error": "\(error)"])
                guard code != .closed, attempts < Self.settleAttemptsMax else { break }
                // Cancelled, it is tried once more and no longer waited for.
                try? await time.sleep(.milliseconds(100) * (1 << attempts))
            }
        }
        // It comes again when its time to run is over, or when the connection is closed.
        return (.lost, reason)
    }

    // MARK: - The handler

    /// Runs the handler, and touches its job meanwhile.
    private func handle(_ payload: Payload, _ context: JobContext) async -> End {
        await withTaskGroup(of: End?.self) { group in
            group.addTask {
                do {
                    try await runTraced(payload, context)
                    return .returned
                } catch {
                    return .threw(error)
                }
            }
            let plan = TouchPlan(timeToRun: context.job.timeToRun, fraction: configuration.touchFraction)
            if plan.interval != nil { group.addTask { await keep(context.job, plan) } }
            var end: End?
            while let next = await group.next() {
                // The first is what counts: what a handler does that is cancelled does not.
                if let next, end == nil {
                    end = next
                    group.cancelAll()
                }
            }
            return end ?? .returned
        }
    }

    private func runTraced(_ payload: Payload, _ context: JobContext) async throws {
        var trace = ServiceContext.current ?? .topLevel
        InstrumentationSystem.instrument.extract(context.job.traceContext, into: &trace, using: TraceCarrier())
        try await withSpan("beanspike.work", context: trace, ofKind: .consumer) { span in
            span.attributes["messaging.system"] = "beanspike"
            span.attributes["messaging.destination.name"] = context.job.tube.name
            span.attributes["messaging.message.id"] = "\(context.job.id)"
            span.attributes["beanspike.attempt"] = context.attempt
            try await handler(payload, context)
        }
    }

    /// Touches a job until it is lost, or until the handler is done and this is cancelled.
    ///
    /// - Returns: nil where nothing was lost.
    private func keep(_ job: Job, _ plan: TouchPlan) async -> End? {
        var pause = plan.interval ?? .zero
        while true {
            do { try await time.sleep(pause) } catch { return nil }
            do {
                try await job.touch()
                pause = plan.interval ?? .zero
            } catch {
                switch (error as? BeanspikeError)?.code {
                case .timedOut, .notHolder, .jobNotFound: return (error as? BeanspikeError).map { .lost($0) }
                case .touchNotNeeded, .closed: return nil
                default: pause = plan.retryInterval
                }
            }
        }
    }
}
