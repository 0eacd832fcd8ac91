/// Where one job is and what became of it so far (protocol.txt, "stats-job").
public struct JobStatistics: Sendable, Equatable {
    /// The job's number.
    public var id: JobID
    /// The tube it is in.
    public var tube: TubeName
    /// Its state and counters.
    public var lifecycle: JobLifecycle
    /// Seconds since it was put.
    public var ageSeconds: UInt64
    /// Seconds until it is due or its reservation ends; 0 in other states.
    public var timeLeftSeconds: UInt64
    /// The journal file it is in; 0 where there is none.
    public var journalFile: UInt64
    /// Stored size of its body in bytes.
    public var bodyBytes: UInt64
    /// What else it carries.
    public var attributes: JobAttributes?

    /// One job's statistics.
    public init(
        id: JobID,
        tube: TubeName,
        lifecycle: JobLifecycle,
        ageSeconds: UInt64,
        timeLeftSeconds: UInt64,
        journalFile: UInt64,
        bodyBytes: UInt64,
        attributes: JobAttributes?
    ) {
        self.id = id
        self.tube = tube
        self.lifecycle = lifecycle
        self.ageSeconds = ageSeconds
        self.timeLeftSeconds = timeLeftSeconds
        self.journalFile = journalFile
        self.bodyBytes = bodyBytes
        self.attributes = attributes
    }
}

/// How many jobs are where; kept for each tube and for the store.
public struct JobCounts: Sendable, Equatable {
    /// Ready jobs more urgent than ``Limits/urgentPriorityBelow``.
    public var urgent: UInt64 = 0
    /// Ready jobs, urgent ones included.
    public var ready: UInt64 = 0
    /// Jobs that a session holds.
    public var reserved: UInt64 = 0
    /// Jobs that wait for their time.
    public var delayed: UInt64 = 0
    /// Jobs set aside.
    public var buried: UInt64 = 0
    /// Jobs put since the store was opened.
    public var total: UInt64 = 0
    /// Jobs deleted by command since the store was opened.
    public var deleted: UInt64 = 0
    /// Stored bytes of the bodies of present jobs.
    public var usedBytes: UInt64 = 0
    /// Bytes of the bodies of present jobs as they were put, before compression.
    public var bodyBytes: UInt64 = 0
    /// Bytes of the bodies of present jobs where compression was tried and saved nothing.
    public var skippedBytes: UInt64 = 0

    /// No jobs.
    public init() {}

    /// Jobs present.
    public var present: UInt64 { ready + reserved + delayed + buried }
}

/// One tube's statistics (protocol.txt, "stats-tube").
public struct TubeStatistics: Sendable, Equatable {
    /// The tube.
    public var name: TubeName
    /// Its jobs.
    public var jobs: JobCounts
    /// Sessions that use it.
    public var sessionsUsing: UInt64
    /// Sessions that watch it.
    public var sessionsWatching: UInt64
    /// Sessions that wait for a job of it.
    public var sessionsWaiting: UInt64
    /// How often it was paused.
    public var pauses: UInt64
    /// The length of its present pause in seconds; 0 when it is not paused.
    public var pauseSeconds: UInt64
    /// What is left of the pause, in seconds.
    public var pauseLeftSeconds: UInt64

    /// One tube's statistics.
    public init(
        name: TubeName,
        jobs: JobCounts,
        sessionsUsing: UInt64,
        sessionsWatching: UInt64,
        sessionsWaiting: UInt64,
        pauses: UInt64,
        pauseSeconds: UInt64,
        pauseLeftSeconds: UInt64
    ) {
        self.name = name
        self.jobs = jobs
        self.sessionsUsing = sessionsUsing
        self.sessionsWatching = sessionsWatching
        self.sessionsWaiting = sessionsWaiting
        self.pauses = pauses
        self.pauseSeconds = pauseSeconds
        self.pauseLeftSeconds = pauseLeftSeconds
    }
}

/// What a durable store says of its journal (protocol.txt, "stats", binlog-*).
public struct JournalStatistics: Sendable, Equatable {
    /// Index of the oldest file; 0 without a journal.
    public var oldestIndex: UInt64 = 0
    /// Index of the file now written; 0 without a journal.
    public var currentIndex: UInt64 = 0
    /// Records moved by compaction.
    public var recordsMigrated: UInt64 = 0
    /// Records written.
    public var recordsWritten: UInt64 = 0
    /// The size in bytes at which a file is full, as set by `-s`.
    public var fileBytesMax: UInt64 = 0

    /// No journal.
    public init() {}
}

/// The whole store's statistics; what only a server knows is not here.
public struct StoreStatistics: Sendable, Equatable {
    /// All jobs.
    public var jobs = JobCounts()
    /// Reservations that ran out of time.
    public var timeouts: UInt64 = 0
    /// Tubes that exist.
    public var tubes: UInt64 = 0
    /// Sessions that wait for a job.
    public var sessionsWaiting: UInt64 = 0
    /// The journal.
    public var journal = JournalStatistics()

    /// All zero.
    public init() {}
}
