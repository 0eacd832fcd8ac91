/// Where in a batch's bytes something lies, such as a job's body.
@frozen
public struct ByteRange: Equatable, Sendable {
    /// The first byte's offset.
    public var offset: Int
    /// How many bytes.
    public var count: Int

    /// The range.
    @inlinable
    public init(offset: Int, count: Int) {
        self.offset = offset
        self.count = count
    }

    /// No bytes.
    @inlinable
    public static var empty: ByteRange { ByteRange(offset: 0, count: 0) }
}

/// How long a reserve may wait.
@frozen
public enum ReserveWait: Equatable, Sendable {
    /// Answer at once.
    case none
    /// Until there is a job.
    case forever
    /// At most so many microseconds.
    case microseconds(Int64)
}

/// One thing that a session asks of a store.
///
/// The words are beanstalkd's (protocol.txt); what they do to a job is in ``JobLifecycle``. "Used" and "watched"
/// are the session's, as set by ``use(_:)``, ``watch(_:)`` and ``ignore(_:)``; at first both are "default".
public enum Command: Sendable {
    /// Puts a job in the used tube. `ttrSeconds` 0 means no limit. → ``Reply/inserted(_:)``
    case put(
        priority: UInt32,
        delaySeconds: UInt32,
        ttrSeconds: UInt32,
        body: ByteRange,
        attributes: JobAttributes? = nil
    )
    /// Takes the best ready job of the watched tubes. → ``Reply/reserved(_:)``, ``Reply/timedOut``,
    /// ``Reply/deadlineSoon``
    case reserve(ReserveWait)
    /// Takes this job, unless it is reserved. → ``Reply/reserved(_:)``, ``Reply/notFound``
    case reserveJob(JobID)
    /// Deletes a job that the session holds or that nobody holds. → ``Reply/deleted``, ``Reply/notFound``
    case delete(JobID)
    /// Gives up a job that the session holds. A retry counts in the job's attributes. → ``Reply/released``
    case release(JobID, priority: UInt32, delaySeconds: UInt32, isRetry: Bool = false)
    /// Sets aside a job that the session holds. → ``Reply/buried``
    case bury(JobID, priority: UInt32, reason: String = "")
    /// Starts the time to run of a job that the session holds anew. → ``Reply/touched``
    case touch(JobID)
    /// Gives a job that the session holds another body, and starts its time to run anew.
    ///
    /// What else the job carries stays; `form` says how the new body is stored. → ``Reply/updated``, ``Reply/notFound``
    case update(JobID, body: ByteRange, form: BodyForm = .plain)
    /// Makes at most so many buried jobs of the used tube ready, or delayed ones where none is buried.
    /// → ``Reply/kicked(_:)``
    case kick(UInt64)
    /// Makes this job ready if it is buried or delayed. → ``Reply/kickedJob``, ``Reply/notFound``
    case kickJob(JobID)
    /// Shows a job. → ``Reply/found(_:)``, ``Reply/notFound``
    case peek(JobID)
    /// Shows the used tube's next job in a state other than reserved. → ``Reply/found(_:)``, ``Reply/notFound``
    case peekNext(JobState)
    /// Makes the tube the one that puts, kicks and peeks go to. → ``Reply/using(_:)``
    case use(TubeName)
    /// Adds the tube to those that the session reserves from. → ``Reply/watching(_:)``
    case watch(TubeName)
    /// Takes the tube away from them; the last one stays. → ``Reply/watching(_:)``, ``Reply/notIgnored``
    case ignore(TubeName)
    /// Hands out none of the tube's jobs for so many seconds; 0 ends a pause. → ``Reply/paused``
    case pause(TubeName, seconds: UInt32)
    /// Deletes every job of the tube, reserved ones too; a tube that is not there has none. → ``Reply/truncated(_:)``
    case truncate(TubeName)
    /// → ``Reply/jobStatistics(_:)``, ``Reply/notFound``
    case jobStatistics(JobID)
    /// → ``Reply/tubeStatistics(_:)``, ``Reply/notFound``
    case tubeStatistics(TubeName)
    /// → ``Reply/storeStatistics(_:)``
    case storeStatistics
    /// All tubes. → ``Reply/tubes(_:)``
    case tubes
    /// The used tube. → ``Reply/using(_:)``
    case tubeUsed
    /// The watched tubes. → ``Reply/tubes(_:)``
    case tubesWatched
}

extension Command {
    /// Where in its batch's bytes the body lies that the command brings; nil, and not to be set, where it brings none.
    @inlinable
    public var body: ByteRange? {
        get {
            switch self {
            case .put(_, _, _, let body, _), .update(_, let body, _): body
            default: nil
            }
        }
        set {
            guard let newValue else { return }
            switch self {
            case .put(let priority, let delay, let ttr, _, let attributes):
                self = .put(
                    priority: priority,
                    delaySeconds: delay,
                    ttrSeconds: ttr,
                    body: newValue,
                    attributes: attributes
                )
            case .update(let job, _, let form):
                self = .update(job, body: newValue, form: form)
            default: break
            }
        }
    }
}
