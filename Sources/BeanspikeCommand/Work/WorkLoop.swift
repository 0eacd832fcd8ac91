import BeanspikeCore
import Glibc

/// Reserves jobs and runs commands, on one thread that waits for sockets and signals alike.
final class WorkLoop {
    private let plan: WorkPlan
    private let slots: [WorkSlot]
    private var jobsStarted = 0
    private var isStopping = false
    /// What ends the loop with a failure once nothing runs any more.
    private var failure: CommandError?

    init(_ plan: WorkPlan) {
        self.plan = plan
        slots = (0..<plan.concurrency).map { _ in WorkSlot() }
    }

    /// Works until it is told to stop or there is no more to do.
    func run() throws {
        // The first connection at once: a server that is not there is an error now, and a reason to wait later.
        slots[0].state = .idle(try connect())
        let signals = try SignalPipe.open([SIGINT, SIGTERM, SIGCHLD])
        while true {
            for slot in slots { advance(slot) }
            if slots.allSatisfy(\.isDone) { break }
            wait(signals)
        }
        if let failure { throw failure }
    }

    private func connect() throws -> BeanstalkConnection {
        let connection = try BeanstalkConnection(to: plan.address)
        try connection.watchOnly([plan.tube])
        return connection
    }

    // MARK: - Waiting

    private func wait(_ signals: Int32) {
        var descriptors = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
        var waiting: [(slot: WorkSlot, connection: BeanstalkConnection)] = []
        for slot in slots {
            guard case .reserving(let connection) = slot.state else { continue }
            descriptors.append(pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0))
            waiting.append((slot, connection))
        }
        let ready = poll(&descriptors, nfds_t(descriptors.count), millisecondsUntilNextDeadline())
        guard ready > 0 else { return }
        for number in SignalPipe.drain(signals) where number != SIGCHLD { stop() }
        for (index, entry) in waiting.enumerated() where descriptors[index + 1].revents != 0 {
            take(entry.slot, entry.connection)
        }
    }

    private func millisecondsUntilNextDeadline() -> Int32 {
        let now = MonotonicTime.now
        var next = UInt64.max
        for slot in slots {
            switch slot.state {
            case .disconnected(let retryAt): next = min(next, retryAt)
            case .running(let job): next = min(next, job.fate == .byEnding ? job.touchAt : job.killAt ?? .max)
            case .idle, .reserving, .done: break
            }
        }
        if next == .max { return -1 }
        return next <= now ? 0 : Int32(clamping: (next - now + 999_999) / 1_000_000)
    }

    private func stop() {
        if isStopping {
            for slot in slots {
                if case .running(let job) = slot.state, job.fate == .byEnding { job.end(.givenBack) }
            }
        } else if !plan.isQuiet, slots.contains(where: \.isRunning) {
            Output.note("finishing the commands that run; again to end them")
        }
        isStopping = true
    }

    // MARK: - One slot

    private func advance(_ slot: WorkSlot) {
        let now = MonotonicTime.now
        switch slot.state {
        case .done:
            break
        case .disconnected(let retryAt):
            if isStopping || !mayReserve {
                slot.state = .done
            } else if now >= retryAt {
                reconnect(slot)
            }
        case .idle:
            reserve(slot)
        case .reserving:
            // What the server may just be handing out is ready again once the connection is closed.
            if isStopping { slot.state = .done }
        case .running(let job):
            advance(slot, job, now)
        }
    }

    private func reconnect(_ slot: WorkSlot) {
        do {
            slot.state = .idle(try connect())
            slot.connectFailures = 0
            reserve(slot)
        } catch {
            disconnected(slot, because: error)
        }
    }

    private func disconnected(_ slot: WorkSlot, because error: any Error) {
        slot.connectFailures += 1
        if slot.connectFailures == 1, !plan.isQuiet { Output.note("\(error) Trying again.") }
        let seconds = WorkTiming.delaySeconds(
            attempt: slot.connectFailures,
            firstSeconds: 1,
            mostSeconds: 15,
            chance: .random(in: 0...1)
        )
        slot.state = .disconnected(retryAt: MonotonicTime.now + UInt64(seconds) * 1_000_000_000)
    }

    /// Whether one more job may be begun, those counted that may come any moment.
    private var mayReserve: Bool { jobsStarted + slots.count(where: \.isReserving) < plan.jobsMax ?? .max }

    private func reserve(_ slot: WorkSlot) {
        guard case .idle(let connection) = slot.state else { return }
        if isStopping || !mayReserve { return slot.state = .done }
        do {
            try connection.send(plan.untilEmpty ? "reserve-with-timeout 0" : "reserve")
            slot.state = .reserving(connection)
        } catch {
            disconnected(slot, because: error)
        }
    }

    /// Takes the reply to a reserve, and starts the command.
    private func take(_ slot: WorkSlot, _ connection: BeanstalkConnection) {
        do {
            guard let reply = try connection.receive(timeoutMilliseconds: 0, wakeDescriptor: nil) else { return }
            if reply.name == "TIMED_OUT", plan.untilEmpty { return slot.state = .done }
            guard reply.name == "RESERVED", let id = reply.number(at: 1), let body = reply.body else {
                throw BeanstalkConnection.error(for: reply, to: "reserve", missing: "")
            }
            if isStopping { return slot.state = .done }
            let statistics = try connection.statistics(ofJob: id)
            try start(slot, connection, id: id, body: body, statistics)
        } catch {
            disconnected(slot, because: error)
        }
    }

    private func start(
        _ slot: WorkSlot,
        _ connection: BeanstalkConnection,
        id: JobID,
        body: [UInt8],
        _ statistics: StatisticsTable
    ) throws {
        let attempt = max(1, statistics.number("reserves") ?? 1)
        let priority = statistics.number("pri") ?? UInt64(Schedule.priorityDefault)
        let process: ChildProcess
        do {
            process = try ChildProcess(
                command: plan.command,
                input: body,
                environment: [
                    ("BEANSPIKE_JOB_ID", "\(id)"), ("BEANSPIKE_TUBE", "\(plan.tube)"),
                    ("BEANSPIKE_ATTEMPT", "\(attempt)"),
                ],
                outputToError: plan.isJSON
            )
        } catch let error as CommandError {
            // The fault is ours and not the job's: it goes back as it was, and the worker ends.
            failure = failure ?? error
            isStopping = true
            slot.state = .done
            return
        }
        jobsStarted += 1
        slot.state = .running(
            RunningJob(
                connection,
                id: id,
                priority: priority,
                attempt: attempt,
                ttrSeconds: statistics.number("ttr") ?? 1,
                process: process
            )
        )
    }

    // MARK: - A running job

    private func advance(_ slot: WorkSlot, _ job: RunningJob, _ now: UInt64) {
        if let ending = job.process.ending() { return finish(slot, job, ending) }
        if let killAt = job.killAt, now >= killAt {
            job.process.send(signal: SIGKILL)
            job.killAt = nil
        }
        guard job.fate == .byEnding, now >= job.touchAt else { return }
        job.touchAt = now + job.touchInterval
        do {
            try job.connection.perform("touch \(job.id)", expecting: "TOUCHED")
        } catch {
            if !plan.isQuiet { Output.note("job \(job.id) is lost, ending its command: \(error)") }
            job.end(.lost)
        }
    }

    private func finish(_ slot: WorkSlot, _ job: RunningJob, _ ending: ChildProcess.Ending) {
        do {
            let outcome = try settle(job, ending)
            report(job, ending, outcome)
            slot.state = .idle(job.connection)
        } catch let error as CommandError where error.code == .nothingThere {
            report(job, ending, ("lost", nil))
            slot.state = .idle(job.connection)
        } catch {
            report(job, ending, ("lost", nil))
            disconnected(slot, because: error)
        }
        advance(slot)
    }

    /// Tells the server what became of a job.
    private func settle(_ job: RunningJob, _ ending: ChildProcess.Ending) throws -> (name: String, delay: UInt32?) {
        switch job.fate {
        case .lost:
            throw CommandError.failed("The connection that held job \(job.id) is given up.")
        case .givenBack where !ending.isSuccess:
            try job.connection.perform("release \(job.id) \(job.priority) 0", expecting: "RELEASED")
            return ("released", 0)
        case .byEnding, .givenBack:
            if ending.isSuccess {
                try job.connection.perform("delete \(job.id)", expecting: "DELETED")
                return ("deleted", nil)
            }
            if plan.attemptsMax > 0, job.attempt >= plan.attemptsMax {
                try job.connection.perform("bury \(job.id) \(job.priority)", expecting: "BURIED")
                return ("buried", nil)
            }
            let delay = WorkTiming.delaySeconds(
                attempt: job.attempt,
                firstSeconds: plan.backoffFirstSeconds,
                mostSeconds: plan.backoffMostSeconds,
                chance: .random(in: 0...1)
            )
            try job.connection.perform("release \(job.id) \(job.priority) \(delay)", expecting: "RELEASED")
            return ("released", delay)
        }
    }

    private func report(_ job: RunningJob, _ ending: ChildProcess.Ending, _ outcome: (name: String, delay: UInt32?)) {
        let nanoseconds = MonotonicTime.now - job.startedAt
        if plan.isJSON {
            var members: [(String, JSONValue)] = [
                ("id", .unsigned(job.id)), ("tube", .string("\(plan.tube)")), ("attempt", .unsigned(job.attempt)),
                ("outcome", .string(outcome.name)), ("seconds", .number(Double(nanoseconds) / 1e9)),
            ]
            switch ending {
            case .exited(let status): members.append(("exit_status", .integer(Int64(status))))
            case .killed(let number): members.append(("signal", .integer(Int64(number))))
            }
            if let delay = outcome.delay { members.append(("delay", .unsigned(UInt64(delay)))) }
            Output.line(JSONValue.object(members).text)
        }
        guard !plan.isQuiet else { return }
        let time = Format.duration(nanoseconds: nanoseconds)
        let after = outcome.delay.map { " for \($0) s" } ?? ""
        Output.note("job \(job.id), attempt \(job.attempt): \(ending.text) after \(time), \(outcome.name)\(after)")
    }
}
