import BeanspikeCore

/// What the queue could not do, why, and what to do about it.
public struct BeanspikeError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it was; more may come, so switch with a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        private init(_ name: String) { description = name }

        /// A URL or a variable of the environment makes no sense.
        public static let badAddress = Code("badAddress")
        /// The store cannot be opened, or was not there in time.
        public static let unreachable = Code("unreachable")
        /// The store would lose jobs by its settings; see ``StoreOptions/acceptsRisks``.
        public static let unfit = Code("unfit")
        /// Another process has the store open.
        public static let inUse = Code("inUse")
        /// What is there is not a store of ours, is damaged, or is of a version that this one does not know.
        public static let notAStore = Code("notAStore")
        /// A name, a number or a duration is outside of what is allowed.
        public static let invalidArgument = Code("invalidArgument")
        /// A limit was reached; the message names it.
        public static let limitReached = Code("limitReached")
        /// There is no such job: it was deleted.
        public static let jobNotFound = Code("jobNotFound")
        /// The job is held by another, or by nobody: it was not reserved here.
        public static let notHolder = Code("notHolder")
        /// The job was reserved here, and its time to run is over, or its process was taken for dead.
        public static let timedOut = Code("timedOut")
        /// The job has no time to run, so there is nothing to extend.
        public static let touchNotNeeded = Code("touchNotNeeded")
        /// There is no room for the change; nothing of it was kept.
        public static let outOfSpace = Code("outOfSpace")
        /// The change could not be kept; ``BeanspikeError/inDoubt`` says whether it may have been all the same.
        public static let writeFailed = Code("writeFailed")
        /// Something could not be read.
        public static let readFailed = Code("readFailed")
        /// The connection is closed.
        public static let closed = Code("closed")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened and how to mend it, for a person.
    public let message: String
    /// Whether the change may have happened all the same.
    public let inDoubt: Bool
    /// What it came from, if from anything.
    public let cause: (any Error)?

    /// An error.
    ///
    /// - Parameters:
    ///   - code: the kind of failure.
    ///   - message: what happened and how to mend it.
    ///   - inDoubt: whether the change may have happened all the same.
    ///   - cause: what it came from.
    public init(_ code: Code, _ message: String, inDoubt: Bool = false, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.inDoubt = inDoubt
        self.cause = cause
    }

    /// The code and the message.
    public var description: String { "\(code): \(message)" }
}

extension BeanspikeError {
    /// A store's error as this module tells it.
    init(_ error: JobStoreError) {
        let code: Code =
            switch error.code {
            case .badURL: .badAddress
            case .cannotOpen: .unreachable
            case .unfit: .unfit
            case .inUse: .inUse
            case .notAStore, .unknownVersion: .notAStore
            case .limitReached: .limitReached
            case .outOfSpace: .outOfSpace
            case .readFailed: .readFailed
            case .closed: .closed
            default: .writeFailed
            }
        self.init(code, error.message, inDoubt: error.inDoubt, cause: error)
    }

    static let closed = BeanspikeError(.closed, "The connection is closed. Dial again.")
}
