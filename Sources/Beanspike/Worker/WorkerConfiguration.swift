/// How a worker behaves.
public struct WorkerConfiguration: Sendable {
    /// How many jobs are worked on at once, at least 1; 4 by default.
    public var concurrency = 4
    /// After which part of its time to run a job is touched while its handler runs, 0.05 to 0.9; 0.5 by default.
    public var touchFraction = 0.5
    /// When a job that failed is tried again.
    public var retries = RetryPolicy()
    /// A job that was handed out more often than this is buried; nil for never; 100 by default.
    ///
    /// Whoever had it never came to an end of it, so it may be what kills its workers.
    public var deliveriesMax: Int? = 100
    /// How long handlers may go on after the worker was told to stop; 30 s by default.
    ///
    /// Those that still run then are cancelled, and their jobs released.
    public var stopTimeout = Duration.seconds(30)
    /// The pause after the store could not be asked for a job; 1 s by default.
    public var failurePause = Duration.seconds(1)

    /// The defaults.
    public init() {}
}
