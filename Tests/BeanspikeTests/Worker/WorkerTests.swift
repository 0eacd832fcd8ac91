import Beanspike
import Logging
import ServiceLifecycle
import Synchronization
import Testing

/// A worker on each store: its jobs are done, tried again, buried, kept, and given back.
@Suite struct WorkerTests {
    struct Sum: Codable, Sendable, Equatable {
        var a: Int
        var b: Int
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String { "no paper" }
    }

    /// Runs something while a worker runs, and cancels it afterwards.
    private func withWorker<Payload>(
        _ worker: Worker<Payload>,
        _ body: () async throws -> Void
    ) async throws {
        let running = Task { try await worker.run() }
        do {
            try await body()
        } catch {
            running.cancel()
            _ = try? await running.value
            throw error
        }
        running.cancel()
        try await running.value
    }

    @Test(arguments: TestQueue.allCases)
    func jobsAreDone(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("sums")
            let sums = Happenings<Int>()
            let events = Happenings<WorkerEvent>()
            let worker = Worker<Sum>(tube: tube, logger: TestQueue.quiet, onEvent: { events.add($0) }) { sum, context in
                #expect(context.attempt == 1)
                sums.add(sum.a + sum.b)
            }
            try await withWorker(worker) {
                for number in 0..<20 {
                    try await tube.put(Sum(a: number, b: 1), as: .json, timeToRun: .seconds(60), compress: true)
                }
                var total = 0
                for _ in 0..<20 { total += try await sums.next() }
                #expect(total == 210)
                for _ in 0..<20 {
                    let event = try await events.next()
                    #expect(event.outcome == .done)
                    #expect(event.tube == "sums")
                }
                #expect(try await tube.statistics().jobs == 0)
            }
        }
    }

    @Test(arguments: TestQueue.allCases)
    func whatFailsIsTriedAgainAndThenBuried(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("failures")
            let events = Happenings<WorkerEvent>()
            var configuration = WorkerConfiguration()
            configuration.retries = RetryPolicy(attemptsMax: 3, firstDelay: .zero)
            // One, so that what it tells comes in the order in which it happened.
            configuration.concurrency = 1
            let worker = Worker<String>(
                tube: tube,
                coding: .text,
                configuration: configuration,
                logger: TestQueue.quiet,
                onEvent: { events.add($0) }
            ) { _, _ in throw Failure() }
            try await withWorker(worker) {
                let id = try await tube.put("hello", timeToRun: .seconds(60))
                for attempt in 1...2 {
                    let event = try await events.next()
                    #expect(event.outcome == .retried && event.attempt == attempt && event.reason == "no paper")
                }
                let last = try await events.next()
                #expect(last.outcome == .buried && last.attempt == 3)
                let buried = try #require(try await tube.peekBuried())
                #expect(buried.id == id)
                #expect(buried.buryReason == "no paper")
                #expect(buried.retries == 2)
            }
        }
    }

    @Test(arguments: TestQueue.allCases)
    func whatCannotBeReadIsBuried(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("garbage")
            let events = Happenings<WorkerEvent>()
            let worker = Worker<Sum>(tube: tube, logger: TestQueue.quiet, onEvent: { events.add($0) }) { _, _ in
                Issue.record("the handler was called")
            }
            try await withWorker(worker) {
                try await tube.put("{no JSON")
                #expect(try await events.next().outcome == .undecodable)
                #expect(try await tube.peekBuried()?.buryReason?.hasPrefix("undecodable: ") == true)
            }
        }
    }

    @Test(arguments: TestQueue.allCases)
    func handlersSayWhatIsToBecomeOfAJob(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("dispositions")
            let events = Happenings<WorkerEvent>()
            let worker = Worker<String>(tube: tube, coding: .text, logger: TestQueue.quiet, onEvent: { events.add($0) })
            {
                text,
                _ in
                switch text {
                case "bury": throw JobDisposition.bury("said so")
                case "retry": throw JobDisposition.retry(after: .seconds(600))
                default: throw JobDisposition.putBack(after: .seconds(500))
                }
            }
            try await withWorker(worker) {
                try await tube.put("bury")
                #expect(try await events.next().outcome == .buried)
                #expect(try await tube.peekBuried()?.buryReason == "said so")
                let retried = try await tube.put("retry")
                #expect(try await events.next().outcome == .retried)
                #expect(try await tube.peek(retried)?.retries == 1)
                let back = try await tube.put("back")
                #expect(try await events.next().outcome == .putBack)
                #expect(try await tube.peek(back)?.retries == 0)
                #expect(try await tube.peekDelayed()?.id == back)
            }
        }
    }

    /// A handler that takes three times the time to run keeps its job.
    @Test(arguments: TestQueue.allCases)
    func jobsAreTouchedWhileTheirHandlersRun(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("slow")
            let events = Happenings<WorkerEvent>()
            let worker = Worker<String>(tube: tube, coding: .text, logger: TestQueue.quiet, onEvent: { events.add($0) })
            {
                _,
                _ in
                try await Task.sleep(for: .seconds(3))
            }
            try await withWorker(worker) {
                try await tube.put("hello", timeToRun: .seconds(1))
                let event = try await events.next()
                #expect(event.outcome == .done)
                #expect(event.attempt == 1)
            }
            #expect(try await tube.statistics().jobs == 0)
        }
    }

    /// Who loses a job has its handler cancelled.
    @Test(arguments: TestQueue.allCases)
    func theHandlerOfALostJobIsCancelled(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("lost")
            let happened = Happenings<String>()
            let worker = Worker<String>(
                tube: tube,
                coding: .text,
                logger: TestQueue.quiet,
                onEvent: { happened.add($0.outcome.rawValue) }
            ) { _, _ in
                happened.add("begun")
                do {
                    try await Task.sleep(for: .seconds(600))
                } catch {
                    happened.add("cancelled")
                    throw error
                }
            }
            try await withWorker(worker) {
                try await tube.put("hello", timeToRun: .seconds(1))
                #expect(try await happened.next() == "begun")
                // Gone, whoever holds it: the next touch finds that out.
                #expect(try await connection.delete("lost") == 1)
                #expect(try await happened.next() == "cancelled")
                #expect(try await happened.next() == "lost")
            }
        }
    }

    @Test(arguments: TestQueue.allCases)
    func aWorkerThatIsCancelledPutsItsJobsBack(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("cancelled")
            let begun = Happenings<Void>()
            let worker = Worker<String>(tube: tube, coding: .text, logger: TestQueue.quiet) { _, _ in
                begun.add(())
                try await Task.sleep(for: .seconds(600))
            }
            try await withWorker(worker) {
                try await tube.put("hello", timeToRun: .seconds(60))
                try await begun.next()
            }
            let job = try #require(try await tube.reserve(timeout: .seconds(10)))
            #expect(job.retries == 0)
            try await job.delete()
        }
    }

    @Test(arguments: TestQueue.allCases)
    func whatCameTooOftenIsBuried(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("poison")
            let id = try await tube.put("hello")
            for _ in 0..<2 { try await tube.reserve()?.release() }
            var configuration = WorkerConfiguration()
            configuration.deliveriesMax = 2
            let events = Happenings<WorkerEvent>()
            let worker = Worker<String>(
                tube: tube,
                coding: .text,
                configuration: configuration,
                logger: TestQueue.quiet,
                onEvent: { events.add($0) }
            ) { _, _ in Issue.record("the handler was called") }
            try await withWorker(worker) {
                let event = try await events.next()
                #expect(event.outcome == .buried)
                #expect(try await tube.peekBuried()?.id == id)
            }
        }
    }
}
