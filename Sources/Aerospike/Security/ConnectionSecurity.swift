import NIOCore
package import NIOSSL
import Synchronization

/// What all connections of a client share in order to be safe and somebody's: TLS, credentials and sessions.
///
/// What takes long, the hash of the password and the certificates that TLS trusts, is prepared once, by whoever connects
/// first, on none of the event loops.
package final class ConnectionSecurity: Sendable {
    /// What connections need, ready to be used.
    struct Prepared: Sendable {
        var tls: NIOSSLContext?
        var login: SecurityMessage?
    }

    /// A session is with one node, which goes by where it was reached.
    struct Place: Sendable, Hashable {
        var host: String
        var port: Int
        var tlsName: String?
    }

    private typealias Outcome = Result<Prepared, AerospikeError>

    /// How far the preparation is.
    private enum Preparation {
        /// Nobody has asked. Can transition to `underWay`.
        case due
        /// The first is at it, the others wait. Can transition to `done`.
        case underWay([CheckedContinuation<Outcome, Never>])
        case done(Outcome)
    }

    /// The most nodes whose tokens are kept; beyond, connections log in anew.
    private static let placesMax = 1024

    package let tls: TLSConfiguration?
    package let credentials: Credentials?
    private let preparation = Mutex(Preparation.due)
    private let sessions = Mutex<[Place: Session]>([:])

    package init(tls: TLSConfiguration? = nil, credentials: Credentials? = nil) {
        self.tls = tls
        self.credentials = credentials
    }

    // MARK: Preparation

    /// What connections need; the first call takes some tens of milliseconds.
    func prepared() async throws(AerospikeError) -> Prepared {
        if tls == nil, credentials == nil {
            return Prepared()
        }
        let isFirst = preparation.withLock { preparation in
            guard case .due = preparation else { return false }
            preparation = .underWay([])
            return true
        }
        guard isFirst else { return try await outcomeOfFirst().get() }
        let outcome = await prepare()
        let waiting = preparation.withLock { preparation -> [CheckedContinuation<Outcome, Never>] in
            defer { preparation = .done(outcome) }
            guard case .underWay(let waiting) = preparation else { return [] }
            return waiting
        }
        for continuation in waiting {
            continuation.resume(returning: outcome)
        }
        return try outcome.get()
    }

    private func outcomeOfFirst() async -> Outcome {
        await withCheckedContinuation { continuation in
            let known = preparation.withLock { preparation -> Outcome? in
                switch preparation {
                case .done(let outcome): return outcome
                case .underWay(let waiting): preparation = .underWay(waiting + [continuation])
                case .due: preparation = .underWay([continuation])
                }
                return nil
            }
            if let known {
                continuation.resume(returning: known)
            }
        }
    }

    @concurrent private func prepare() async -> Outcome {
        do throws(AerospikeError) {
            try credentials?.check(usesTLS: tls != nil, hasCertificate: tls?.certificateChain.isEmpty == false)
            var prepared = Prepared()
            if let tls {
                do {
                    prepared.tls = try NIOSSLContext(configuration: tls)
                } catch {
                    throw AerospikeError(.tls, "The configuration of TLS cannot be used.", cause: error)
                }
            }
            prepared.login = credentials?.loginRequest()
            return .success(prepared)
        } catch {
            return .failure(error)
        }
    }

    // MARK: Sessions

    /// What a connection that is made now has to begin with; nil if the client is nobody.
    func request(at place: Place, prepared: Prepared, now: NIODeadline) -> SecurityMessage? {
        guard let credentials, let login = prepared.login else { return nil }
        return switch sessions.withLock({ $0[place]?.step(now: now) ?? .logIn }) {
        case .logIn: login
        case .authenticate(let token): credentials.authenticationRequest(token: token)
        }
    }

    /// Takes in the answer to that; false if the connection was refused for a token that is of no more use.
    func accepts(
        _ reply: SecurityMessage,
        to request: SecurityMessage,
        at place: Place,
        now: NIODeadline
    ) throws(AerospikeError) -> Bool {
        let outcome = sessions.withLock { sessions -> Result<Bool, AerospikeError> in
            // Nodes come and go: what is over is forgotten, so that this does not grow for ever.
            sessions = sessions.filter { $0.value.end.map { now < $0 } ?? false }
            if sessions.count >= Self.placesMax {
                sessions.removeAll()
            }
            var session = sessions[place] ?? Session()
            defer { sessions[place] = session }
            do throws(AerospikeError) {
                if request.command == .logIn {
                    try session.loggedIn(reply, now: now)
                    return .success(true)
                }
                return .success(session.authenticated(reply, token: request[.sessionToken] ?? []))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
