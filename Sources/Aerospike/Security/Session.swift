package import NIOCore

/// What the client knows of its session with one node: it does no I/O and has no clock.
///
/// A login begins a session and yields a token, by which further connections join it for as long as it is good. The
/// client lets go of a token before the node does, so that none ends between two messages.
package struct Session: Sendable, Hashable {
    /// What a new connection is to begin with.
    package enum Step: Sendable, Hashable {
        case logIn
        case authenticate(token: [UInt8])
    }

    private struct Token: Sendable, Hashable {
        var bytes: [UInt8]
        var end: NIODeadline
    }

    /// How long before the node's end of a token the client's is, if the token is good for twice as long
    /// (aerospike-client-c 7.5, as_admin.c, `as_cluster_login`).
    package static let margin = TimeAmount.seconds(60)

    private var token: Token?

    package init() {}

    /// What a connection that is made now has to begin with.
    package func step(now: NIODeadline) -> Step {
        guard let token, now < token.end else { return .logIn }
        return .authenticate(token: token.bytes)
    }

    /// When the token is let go of; nil without one.
    package var end: NIODeadline? { token?.end }

    /// Takes in the answer to a login.
    ///
    /// - Parameters:
    ///   - reply: the answer.
    ///   - now: the present.
    /// - Throws: the failure that the node answered, or ``ResultCode/malformedReply``.
    package mutating func loggedIn(_ reply: SecurityMessage, now: NIODeadline) throws(AerospikeError) {
        switch reply.resultCode {
        case .ok: break
        case .securityNotEnabled, .securityNotSupported:
            // The node lets everyone in. The next connection asks again, for the node may have been restarted since.
            token = nil
            return
        case let code:
            token = nil
            throw AerospikeError(code)
        }
        guard let bytes = reply[.sessionToken], !bytes.isEmpty else {
            throw .malformed("a login without a session's token")
        }
        var end = NIODeadline.distantFuture
        if let timeToLive = reply[.sessionTimeToLive] {
            guard timeToLive.count == 4 else { throw .malformed("a session's time of \(timeToLive.count) bytes") }
            let seconds = timeToLive.reduce(Int64(0)) { $0 << 8 | Int64($1) }
            let length = TimeAmount.seconds(seconds)
            end = now + length - min(Session.margin, length / 2)
        }
        token = Token(bytes: bytes, end: end)
    }

    /// Takes in the answer to a token.
    ///
    /// - Returns: whether the connection is the user's now; otherwise the token is of no more use.
    package mutating func authenticated(_ reply: SecurityMessage, token used: [UInt8]) -> Bool {
        switch reply.resultCode {
        case .ok, .securityNotEnabled, .securityNotSupported: return true
        default:
            // Another connection may have got a new token since.
            if token?.bytes == used {
                token = nil
            }
            return false
        }
    }
}

extension TimeAmount {
    fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount {
        .nanoseconds(amount.nanoseconds / divisor)
    }
}
