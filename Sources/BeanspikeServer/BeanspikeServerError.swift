/// What kept a server from serving, and what to do about it.
public struct BeanspikeServerError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it was.
    ///
    /// More may come: switch with a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        private init(_ name: String) { description = name }

        /// The address cannot be listened on.
        public static let cannotListen = Code("cannotListen")
        /// The path is taken by something that is no socket.
        public static let pathTaken = Code("pathTaken")
        /// The server cannot become the user that it was told to become.
        public static let cannotBecomeUser = Code("cannotBecomeUser")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened and how to mend it, for a person.
    public let message: String
    /// What it came of.
    public let cause: (any Error)?

    /// An error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}
