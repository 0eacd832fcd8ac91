public import Logging

/// What a handler knows of its job beside the payload.
public struct JobContext: Sendable {
    /// The job; the worker settles it when the handler ends, so a handler should not.
    public let job: Job
    /// Which attempt this is, from 1.
    public let attempt: Int
    /// A logger that knows the tube and the job.
    public let logger: Logger
}
