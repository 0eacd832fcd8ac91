import Metrics
import Synchronization

/// Counts and timings of a worker's jobs, by tube and outcome, by whatever backend of swift-metrics there is.
///
/// - `beanspike_worker_jobs_total{tube, outcome}`: jobs.
/// - `beanspike_worker_job_duration{tube, outcome}`: how long their handlers ran.
/// - `beanspike_worker_running{tube}`: handlers that run now.
final class WorkerMetrics: Sendable {
    private struct Key: Hashable {
        var tube: String
        var outcome: WorkerEvent.Outcome
    }

    private struct Instruments: Sendable {
        var counters: [Key: Counter] = [:]
        var timers: [Key: Timer] = [:]
        var running: [String: Meter] = [:]
    }

    private let instruments = Mutex(Instruments())

    func began(_ tube: String) { running(tube).increment() }

    func ended(_ event: WorkerEvent) {
        running(event.tube).decrement()
        let key = Key(tube: event.tube, outcome: event.outcome)
        let (counter, timer) = instruments.withLock { instruments in
            let dimensions = [("tube", key.tube), ("outcome", key.outcome.rawValue)]
            let counter =
                instruments.counters[key] ?? Counter(label: "beanspike_worker_jobs_total", dimensions: dimensions)
            let timer = instruments.timers[key] ?? Timer(label: "beanspike_worker_job_duration", dimensions: dimensions)
            instruments.counters[key] = counter
            instruments.timers[key] = timer
            return (counter, timer)
        }
        counter.increment()
        timer.record(duration: event.duration)
    }

    private func running(_ tube: String) -> Meter {
        instruments.withLock { instruments in
            if let meter = instruments.running[tube] { return meter }
            let meter = Meter(label: "beanspike_worker_running", dimensions: [("tube", tube)])
            instruments.running[tube] = meter
            return meter
        }
    }
}
