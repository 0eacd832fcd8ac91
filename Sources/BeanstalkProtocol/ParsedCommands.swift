public import BeanspikeCore

/// What is settled without a store: it takes its place among the store's replies.
public enum LocalOutcome: Equatable, Sendable {
    /// `BAD_FORMAT`: a line that is too long, has a NUL in it, or lacks what its command needs.
    case badFormat
    /// `UNKNOWN_COMMAND`
    case unknownCommand
    /// `JOB_TOO_BIG`: the body was thrown away.
    case jobTooBig
    /// `EXPECTED_CRLF`: the body was thrown away.
    case expectedCRLF
    /// `DRAINING`: the body was thrown away.
    case draining
    /// The peer wants no more than the replies that it is still owed.
    case quit
    /// An HTTP request for the server's health (`-H`); nothing more is read.
    case health(isHead: Bool, isDraining: Bool)
    /// The store's next reply answers `flush-tube`, which says `FLUSHED` where `truncate` says `TRUNCATED`.
    case flushTubeNext
}

/// What a parser found in one piece of input: commands for a store, and what is settled already.
public struct ParsedCommands: Sendable {
    /// A local outcome and its place.
    public struct Local: Equatable, Sendable {
        /// How many of the ``ParsedCommands/commands`` are answered before it.
        public var position: Int
        /// What it is.
        public var outcome: LocalOutcome

        /// An outcome at a place.
        public init(position: Int, outcome: LocalOutcome) {
            self.position = position
            self.outcome = outcome
        }
    }

    /// For the store, in order; their ranges point into the bytes that were parsed.
    public internal(set) var commands: [Command] = []
    /// What the store need not see, in order.
    public internal(set) var locals: [Local] = []
    /// How often each command came since somebody last took these.
    public var counts = CommandCounts()
    /// Bytes of the bodies among ``commands``.
    public internal(set) var bodyBytes = 0
    /// How many of ``commands`` may be answered with a body or a list: something much longer than they are.
    public internal(set) var longReplies = 0
    /// Whether a `reserve` among ``commands`` may have to wait.
    public internal(set) var mayWait = false
    /// Whether there was a valid `put`, stored or not.
    public internal(set) var isProducer = false
    /// Whether there was a `reserve`.
    public internal(set) var isWorker = false

    /// Nothing.
    public init() {}

    /// Forgets the commands and outcomes and keeps the memory, unless a flood of commands made it large.
    public mutating func removeAll() {
        commands.removeAll(keepingCapacity: commands.capacity <= 4_096)
        locals.removeAll(keepingCapacity: locals.capacity <= 4_096)
        bodyBytes = 0
        longReplies = 0
        mayWait = false
        isProducer = false
        isWorker = false
    }

    /// Adds a command for the store.
    @inline(__always)
    mutating func append(_ command: Command, as kind: CommandKind) {
        counts.count(kind)
        commands.append(command)
    }

    /// Adds a command that may be answered with something long.
    @inline(__always)
    mutating func appendLong(_ command: Command, as kind: CommandKind) {
        append(command, as: kind)
        longReplies &+= 1
    }

    /// Adds what is settled.
    mutating func append(_ outcome: LocalOutcome) {
        locals.append(Local(position: commands.count, outcome: outcome))
    }
}
