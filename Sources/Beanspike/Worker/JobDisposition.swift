/// What a handler throws to say what is to become of its job.
///
/// Any other error is a failure: the job is tried again by the worker's ``RetryPolicy``. Returning is success: the job is
/// deleted.
public enum JobDisposition: Error, Sendable, Equatable {
    /// Release it, and count a retry.
    case retry(after: Duration)
    /// Release it, and count nothing: it was not the job's fault.
    case putBack(after: Duration)
    /// Set it aside with this reason.
    case bury(String)
}
