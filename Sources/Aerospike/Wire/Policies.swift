/// Under which conditions, and how, a record is written.
public struct WritePolicy: Sendable, Hashable {
    /// Whether the record must, may or must not exist.
    public var exists: RecordExists = .createOrUpdate

    /// Which generation the record must have.
    public var generation: GenerationCheck = .any

    /// How long the record is to live from now on.
    public var timeToLive: TimeToLive = .namespaceDefault

    /// Which copies have the write before it is acknowledged.
    public var commitLevel: CommitLevel = .all

    /// Whether a delete leaves a tombstone, so that it survives a restart (Enterprise Edition).
    public var durableDelete = false

    /// Whether the application's own key is stored with the record.
    public var sendsKey = false

    /// What must be true of the record for anything to happen.
    ///
    /// It is not evaluated when there is no record: use ``RecordExists/updateOnly`` beside it, or the write creates one.
    public var filter: Exp<Bool>?

    /// How long the call may take, and how often it is tried, where that differs from the client's.
    public var call = CallPolicy()

    /// A policy of the defaults.
    public init() {}
}

/// How a record is read.
public struct ReadPolicy: Sendable, Hashable {
    /// What must be true of the record for it to be read.
    public var filter: Exp<Bool>?

    /// How many replicas are asked in an available (AP) namespace while partitions move.
    public var available: AvailableRead = .one

    /// How a strongly consistent (SC) namespace is read.
    public var consistent: ConsistentRead = .session

    /// After which part of its time to live a read renews it, in percent from 1 to 100.
    ///
    /// 0 leaves it to the namespace, -1 never renews it.
    public var touchTimeToLivePercent: Int32 = 0

    /// Which copy of a record is asked.
    public var replica = ReadReplica.masterFirst

    /// How long the call may take, and how often it is tried, where that differs from the client's.
    public var call = CallPolicy()

    /// A policy of the defaults.
    public init() {}
}

/// Which copy of a record a read asks.
public enum ReadReplica: Sendable, Hashable {
    /// The master's.
    case master
    /// The master's, and in further tries the others in turn.
    case masterFirst
    /// All in turn, call by call, to spread the load.
    case spread
}

/// Whether a record must, may or must not exist for a write.
public enum RecordExists: Sendable, Hashable {
    /// Create the record, or change the bins named of the one there is.
    case createOrUpdate
    /// Change the bins named of the record there is; fail if there is none.
    case updateOnly
    /// Create the record; fail if there is one.
    case createOnly
    /// Create the record, or put it in the place of the one there is.
    case createOrReplace
    /// Put the record in the place of the one there is; fail if there is none.
    case replaceOnly
}

/// Which generation a record must have for a write.
public enum GenerationCheck: Sendable, Hashable {
    /// Any.
    case any
    /// Exactly this one, which an earlier read told.
    case equal(UInt32)
    /// An older one than this, as when a backup is restored.
    case olderThan(UInt32)
}

/// How long a record lives after a write.
public enum TimeToLive: Sendable, Hashable {
    /// As long as the namespace's default-ttl says.
    case namespaceDefault
    /// For ever.
    case never
    /// As long as it would have anyway.
    case unchanged
    /// So many seconds. The server refuses it (code 22) where nsup-period is 0.
    case seconds(UInt32)

    /// The field of the request (aerospike-server 8.1, base/datamodel.h, `TTL_NEVER_EXPIRE`, `TTL_DONT_UPDATE`).
    package var wireSeconds: UInt32 {
        switch self {
        case .namespaceDefault: 0
        case .never: .max
        case .unchanged: .max - 1
        // The two largest numbers mean the cases above.
        case .seconds(let seconds): min(seconds, .max - 2)
        }
    }
}

/// Which copies of a record have a write before it is acknowledged.
public enum CommitLevel: Sendable, Hashable {
    /// Every one.
    case all
    /// The master's alone.
    case master
}

/// How many replicas an available (AP) namespace asks while partitions move.
public enum AvailableRead: Sendable, Hashable {
    /// One.
    case one
    /// All that may have the newest.
    case all
}

/// How a strongly consistent (SC) namespace is read (Enterprise Edition).
public enum ConsistentRead: Sendable, Hashable {
    /// Never older than what this client saw before.
    case session
    /// Never older than what anyone saw before.
    case linearize
    /// Also from replicas, which may lag.
    case allowReplica
    /// Also from partitions that are unavailable.
    case allowUnavailable

    /// The bits of a request (aerospike-server 8.1, base/proto.h, `AS_MSG_INFO3_SC_READ_*`).
    package var flags: InfoFlags {
        switch self {
        case .session: []
        case .linearize: .strongReadType
        case .allowReplica: .strongReadRelax
        case .allowUnavailable: [.strongReadRelax, .strongReadType]
        }
    }
}
