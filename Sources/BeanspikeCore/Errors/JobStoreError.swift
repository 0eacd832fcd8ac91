/// What a store could not do, why, and what to do about it.
public struct JobStoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it was; more may come, so switch with a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        private init(_ name: String) { description = name }

        /// There is no room for the change; nothing of it was kept, so try again when there is.
        public static let outOfSpace = Code("outOfSpace")
        /// The change could not be made durable; ``JobStoreError/inDoubt`` says whether it may have been all the same.
        public static let writeFailed = Code("writeFailed")
        /// Something could not be read.
        public static let readFailed = Code("readFailed")
        /// Another process has the store open.
        public static let inUse = Code("inUse")
        /// What is there is not a store of ours, or is damaged.
        public static let notAStore = Code("notAStore")
        /// The store was written by a version that this one does not know.
        public static let unknownVersion = Code("unknownVersion")
        /// The place named cannot be opened or made.
        public static let cannotOpen = Code("cannotOpen")
        /// The place would lose jobs by its settings.
        public static let unfit = Code("unfit")
        /// The store's URL makes no sense.
        public static let badURL = Code("badURL")
        /// A limit was reached; the message names it.
        public static let limitReached = Code("limitReached")
        /// The store is closed.
        public static let closed = Code("closed")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened and how to mend it, for a person.
    public let message: String
    /// Whether the change may have happened all the same.
    public let inDoubt: Bool

    /// An error.
    public init(_ code: Code, _ message: String, inDoubt: Bool = false) {
        self.code = code
        self.message = message
        self.inDoubt = inDoubt
    }

    /// The message.
    public var description: String { message }
}
