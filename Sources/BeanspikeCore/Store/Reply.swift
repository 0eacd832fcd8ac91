/// A job that a store hands out; its body is in the batch's bytes.
@frozen
public struct JobView: Sendable {
    /// The job's number.
    public var id: JobID
    /// Where the stored body lies in ``ReplyBatch/bytes``.
    public var body: ByteRange
    /// Smaller is more urgent.
    public var priority: UInt32
    /// How long a reservation lasts in seconds; 0 means without end.
    public var ttrSeconds: UInt32
    /// How often the job was reserved, this time included.
    public var reserves: UInt32
    /// What else it carries.
    public var attributes: JobAttributes?

    /// A view.
    @inlinable
    public init(
        id: JobID,
        body: ByteRange,
        priority: UInt32,
        ttrSeconds: UInt32,
        reserves: UInt32,
        attributes: JobAttributes?
    ) {
        self.id = id
        self.body = body
        self.priority = priority
        self.ttrSeconds = ttrSeconds
        self.reserves = reserves
        self.attributes = attributes
    }
}

/// What a store answers to one ``Command``.
public enum Reply: Sendable {
    /// The job is kept under this number.
    case inserted(JobID)
    /// The session now holds this job.
    case reserved(JobView)
    /// A job as it is.
    case found(JobView)
    /// The job is gone for good.
    case deleted
    /// The job is no longer the session's.
    case released
    /// The job is set aside.
    case buried
    /// The time to run started anew.
    case touched
    /// The job has its new body.
    case updated
    /// So many jobs were made ready.
    case kicked(UInt64)
    /// The job was made ready.
    case kickedJob
    /// No such job or tube, or not in a state, or not of this session, that the command needs.
    case notFound
    /// No job came in time.
    case timedOut
    /// A reservation of this session ends within ``Limits/deadlineMargin`` and nothing else is ready.
    case deadlineSoon
    /// The tube now used.
    case using(TubeName)
    /// How many tubes are now watched.
    case watching(Int)
    /// The last watched tube cannot be ignored.
    case notIgnored
    /// The tube is paused, or no longer.
    case paused
    /// So many jobs were deleted.
    case truncated(UInt64)
    /// One job's statistics.
    indirect case jobStatistics(JobStatistics)
    /// One tube's statistics.
    indirect case tubeStatistics(TubeStatistics)
    /// The whole store's statistics.
    indirect case storeStatistics(StoreStatistics)
    /// Names of tubes.
    case tubes([TubeName])
    /// The command was not carried out.
    indirect case failed(JobStoreError)
}

/// Replies on their way from a store to the sessions of one ``JobStorePort``, in the order they are due.
public struct ReplyBatch: Sendable {
    /// A reply and whose it is.
    public struct Entry: Sendable {
        /// The session that asked.
        public var session: SessionID
        /// What it gets.
        public var reply: Reply

        /// An entry.
        @inlinable
        public init(session: SessionID, reply: Reply) {
            self.session = session
            self.reply = reply
        }
    }

    /// The replies; those of one session are in the order of its commands.
    public var entries: [Entry] = []
    /// The bodies that the replies point to.
    public var bytes: [UInt8] = []

    /// A batch without replies.
    public init() {}

    /// Adds a reply that needs no body.
    @inlinable
    public mutating func append(_ reply: Reply, session: SessionID) {
        entries.append(Entry(session: session, reply: reply))
    }

    /// Copies a body into the batch and says where it lies.
    @inlinable
    public mutating func append(body: UnsafeRawBufferPointer) -> ByteRange {
        let range = ByteRange(offset: bytes.count, count: body.count)
        bytes.append(contentsOf: body)
        return range
    }

    /// Forgets all replies and keeps the memory, unless a large body made it large.
    @inlinable
    public mutating func removeAll() {
        entries.removeAll(keepingCapacity: entries.capacity <= 4_096)
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1_048_576)
    }
}

extension ReplyBatch {
    /// Adds another batch's replies, of the sessions that are wanted, and its bodies.
    @inlinable
    public mutating func append(contentsOf other: ReplyBatch, where isWanted: (SessionID) -> Bool = { _ in true }) {
        let base = bytes.count
        bytes.append(contentsOf: other.bytes)
        for var entry in other.entries where isWanted(entry.session) {
            if let body = entry.reply.body {
                entry.reply.body = ByteRange(offset: body.offset + base, count: body.count)
            }
            entries.append(entry)
        }
    }
}

extension Reply {
    /// Where in its batch the body lies that the reply hands out; nil, and not to be set, where it hands out none.
    @inlinable
    public var body: ByteRange? {
        get {
            switch self {
            case .reserved(let view), .found(let view): view.body
            default: nil
            }
        }
        set {
            guard let newValue else { return }
            switch self {
            case .reserved(var view):
                view.body = newValue
                self = .reserved(view)
            case .found(var view):
                view.body = newValue
                self = .found(view)
            default: break
            }
        }
    }
}
