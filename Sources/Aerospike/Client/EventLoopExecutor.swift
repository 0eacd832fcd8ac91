public import NIOCore

/// Runs tasks on an event loop of the client, so that their calls need no other thread.
///
/// A task that makes one call after the other, and does little between, waits least there:
///
/// ```swift
/// await withTaskExecutorPreference(client.executor) {
///     for key in keys { try await client.get(key) }
/// }
/// ```
///
/// Whatever runs there holds up the loop's connections meanwhile, so it must not block or compute for long.
public final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    /// An executor of an event loop.
    public init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Runs a job on the event loop.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
