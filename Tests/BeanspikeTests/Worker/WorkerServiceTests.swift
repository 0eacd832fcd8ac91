import Beanspike
import InMemoryTracing
import Logging
import Metrics
import MetricsTestKit
import ServiceLifecycle
import Testing
import Tracing

/// A worker as a service, with metrics and traces.
@Suite struct WorkerServiceTests {
    /// Jobs of several tubes, each with the tube that it is of.
    @Test(arguments: TestQueue.allCases)
    func tubesShareAWorker(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let mails = try connection.use("mails")
            let faxes = try connection.use("faxes")
            let seen = Happenings<String>()
            var configuration = WorkerConfiguration()
            configuration.concurrency = 2
            let worker = Worker<String>(
                shares: [.init(mails, weight: 3), .init(faxes)],
                coding: .text,
                configuration: configuration,
                logger: TestQueue.quiet
            ) { text, context in seen.add("\(context.job.tube.name) \(text)") }
            let running = Task { try await worker.run() }
            for number in 0..<5 {
                try await mails.put("\(number)")
                try await faxes.put("\(number)")
                let both: Set = [try await seen.next(), try await seen.next()]
                #expect(both == ["mails \(number)", "faxes \(number)"])
            }
            running.cancel()
            try await running.value
        }
    }

    /// Told to stop, a worker ends what it has begun and begins nothing.
    @Test func aGracefulStopFinishes() async throws {
        try await TestQueue.memory.withConnection { connection in
            let tube = try connection.use("graceful")
            let begun = Happenings<Void>()
            let events = Happenings<WorkerEvent>()
            let gate = Happenings<Void>()
            let worker = Worker<String>(
                tube: tube,
                coding: .text,
                configuration: one,
                logger: TestQueue.quiet,
                onEvent: { events.add($0) }
            ) { _, _ in
                begun.add(())
                try await gate.next()
            }
            let group = ServiceGroup(services: [worker], logger: TestQueue.quiet)
            let running = Task { try await group.run() }
            try await tube.put("first")
            try await begun.next()
            try await tube.put("second")
            await group.triggerGracefulShutdown()
            gate.add(())
            try await running.value
            #expect(try await events.next().outcome == .done)
            #expect(try await tube.statistics().ready == 1)
            #expect(try await tube.statistics().jobs == 1)
        }
    }

    /// What does not end in time is put back.
    @Test func aGracefulStopEnds() async throws {
        try await TestQueue.memory.withConnection { connection in
            let tube = try connection.use("stubborn")
            let begun = Happenings<Void>()
            var configuration = one
            configuration.stopTimeout = .milliseconds(10)
            let worker = Worker<String>(
                tube: tube,
                coding: .text,
                configuration: configuration,
                logger: TestQueue.quiet
            ) { _, _ in
                begun.add(())
                try await Task.sleep(for: .seconds(600))
            }
            let group = ServiceGroup(services: [worker], logger: TestQueue.quiet)
            let running = Task { try await group.run() }
            try await tube.put("first")
            try await begun.next()
            await group.triggerGracefulShutdown()
            try await running.value
            #expect(try await tube.statistics().ready == 1)
        }
    }

    private var one: WorkerConfiguration {
        var configuration = WorkerConfiguration()
        configuration.concurrency = 1
        return configuration
    }

    /// One test, since a process has one system of metrics and one of traces.
    @Test func metricsAndTracesTellOfJobs() async throws {
        let metrics = TestMetrics()
        MetricsSystem.bootstrap(metrics)
        let tracer = InMemoryTracer()
        InstrumentationSystem.bootstrap(tracer)
        try await TestQueue.memory.withConnection { connection in
            let tube = try connection.use("observed")
            let events = Happenings<WorkerEvent>()
            let worker = Worker<String>(tube: tube, coding: .text, logger: TestQueue.quiet, onEvent: { events.add($0) })
            {
                _,
                context in
                #expect(context.job.metadata == "mine")
            }
            let running = Task { try await worker.run() }
            try await withSpan("producer") { _ in _ = try await tube.put("hello", metadata: "mine") }
            #expect(try await events.next().outcome == .done)
            running.cancel()
            try await running.value
            let dimensions = [("tube", "observed"), ("outcome", "done")]
            #expect(try metrics.expectCounter("beanspike_worker_jobs_total", dimensions).totalValue == 1)
            #expect(try metrics.expectTimer("beanspike_worker_job_duration", dimensions).values.count == 1)
        }
        let spans = tracer.finishedSpans
        let producer = try #require(spans.first { $0.operationName == "producer" })
        // Those of other tests' workers are there too.
        let works = spans.filter { $0.operationName == "beanspike.work" }
        let consumer = try #require(works.first { $0.traceID == producer.traceID })
        #expect(consumer.parentSpanID == producer.spanID)
    }
}
