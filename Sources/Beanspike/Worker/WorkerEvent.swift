/// What a worker tells of a job.
public struct WorkerEvent: Sendable {
    /// What became of a job.
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        /// Its handler returned, and it was deleted.
        case done
        /// Its handler failed, and it was released to be tried again.
        case retried
        /// It was buried: it failed too often, or its handler said so.
        case buried
        /// It was buried: its body makes no sense.
        case undecodable
        /// It was released without a count: its handler said so, or the worker stopped.
        case putBack = "put_back"
        /// Its time to run was over before its handler was: another has it.
        case lost
    }

    /// The tube.
    public var tube: String
    /// The job's number.
    public var job: Job.ID
    /// What became of it.
    public var outcome: Outcome
    /// Which attempt it was, from 1.
    public var attempt: Int
    /// How long its handler ran.
    public var duration: Duration
    /// Why it failed, if it did.
    public var reason: String?
}
