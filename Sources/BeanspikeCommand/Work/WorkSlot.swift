import BeanspikeCore
import Glibc

/// One of the commands that may run at the same time: its connection, and what it is doing.
///
/// Each has its own connection, so that a job is touched while the others wait for theirs.
final class WorkSlot {
    enum State {
        /// Connects when it is time, CLOCK_MONOTONIC in nanoseconds.
        case disconnected(retryAt: UInt64)
        case idle(BeanstalkConnection)
        case reserving(BeanstalkConnection)
        case running(RunningJob)
        /// Takes no more jobs.
        case done
    }

    var state = State.disconnected(retryAt: 0)
    /// Failed attempts to connect since the last that succeeded.
    var connectFailures: UInt64 = 0

    var isRunning: Bool { if case .running = state { true } else { false } }
    var isReserving: Bool { if case .reserving = state { true } else { false } }
    var isDone: Bool { if case .done = state { true } else { false } }
}

/// A job whose command runs.
final class RunningJob {
    /// Why the job shall not be treated by how its command ends.
    enum Fate {
        /// By how its command ends.
        case byEnding
        /// It is no longer ours.
        case lost
        /// The worker was told to stop at once.
        case givenBack
    }

    let connection: BeanstalkConnection
    let id: JobID
    let priority: UInt64
    let attempt: UInt64
    let process: ChildProcess
    let startedAt = MonotonicTime.now
    let touchInterval: UInt64
    var touchAt: UInt64
    var fate = Fate.byEnding
    /// When to kill it for good.
    var killAt: UInt64?

    init(
        _ connection: BeanstalkConnection,
        id: JobID,
        priority: UInt64,
        attempt: UInt64,
        ttrSeconds: UInt64,
        process: ChildProcess
    ) {
        self.connection = connection
        self.id = id
        self.priority = priority
        self.attempt = attempt
        self.process = process
        touchInterval = WorkTiming.touchInterval(ttrSeconds: ttrSeconds).nanoseconds
        touchAt = MonotonicTime.now + touchInterval
    }

    /// Ends the command, and kills it where it does not end in time.
    func end(_ fate: Fate) {
        self.fate = fate
        process.send(signal: SIGTERM)
        killAt = MonotonicTime.now + 5_000_000_000
    }
}
