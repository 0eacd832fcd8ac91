/// Why a call failed, what can be done about it, and whether a write may have been applied all the same.
public struct AerospikeError: Error {
    /// What the call came to.
    public let code: ResultCode

    /// What happened in this case, for people.
    public let message: String

    /// Whether a write may have been applied although the call failed.
    ///
    /// False promises that it was not. A read is never in doubt.
    public let inDoubt: Bool

    /// The node that answered or should have, as `name host:port`, if the call got that far.
    public let node: String?

    /// What caused the failure, if something beneath did.
    public let cause: (any Error)?

    /// A failure.
    ///
    /// - Parameters:
    ///   - code: what the call came to.
    ///   - message: what happened in this case; the code's own meaning if nothing is given.
    ///   - inDoubt: whether a write may have been applied although the call failed.
    ///   - node: the node concerned.
    ///   - cause: the error beneath.
    public init(
        _ code: ResultCode,
        _ message: String? = nil,
        inDoubt: Bool = false,
        node: String? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message ?? code.meaning
        self.inDoubt = inDoubt
        self.node = node
        self.cause = cause
    }

    /// The same failure, seen from a place that knows its node, or that a write was under way.
    package func adding(node: String? = nil, inDoubt: Bool = false) -> AerospikeError {
        AerospikeError(
            code,
            message,
            inDoubt: self.inDoubt || inDoubt,
            node: self.node ?? node,
            cause: cause
        )
    }

    /// Bytes that are not the protocol.
    package static func malformed(_ message: String) -> AerospikeError {
        AerospikeError(.malformedReply, "The reply is malformed: \(message).")
    }

    /// Whether the node sent bytes that are not the protocol, as this client knows it.
    var isOfBadBytes: Bool { code == .malformedReply || code == .unsupportedFeature }

    /// Bytes that end too soon.
    package static func truncated(_ wanted: Int, of readable: Int) -> AerospikeError {
        .malformed("\(wanted) bytes wanted where \(readable) are left")
    }

    /// No node is to be asked any more, nor will be.
    static var clientIsClosed: AerospikeError { AerospikeError(.client, "The client was closed.") }

    /// A call that the protocol cannot say.
    package static func invalid(_ message: String) -> AerospikeError {
        AerospikeError(.invalidArgument, message)
    }
}

extension AerospikeError: CustomStringConvertible {
    /// The code, what happened, what can be done, and whether a write is in doubt.
    public var description: String {
        var text = "\(code): \(message) \(code.remedy)"
        if inDoubt {
            text += " The write may have been applied."
        }
        if let node {
            text += " [node \(node)]"
        }
        if let cause {
            text += " Cause: \(cause)"
        }
        return text
    }
}
