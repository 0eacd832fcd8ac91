import Aerospike
import NIOCore

/// Logins and sessions (aerospike-client-c 7.5, as_admin.c; aerospike-client-go, login_command.go).
extension SimulatedCluster {
    /// Why a connection may not make requests; nil if it may.
    func checkSession(of connection: NodeConnection, _ nowNanoseconds: Int64) -> ResultCode? {
        guard !configuration.users.isEmpty else { return nil }
        guard let token = connection.sessionToken else { return .notAuthenticated }
        return sessions.session(token)?.endsNanoseconds ?? 0 > nowNanoseconds ? nil : .expiredSession
    }

    /// Ends all sessions.
    package mutating func expireSessions() {
        sessions.endAll()
    }

    mutating func answerSecurity(
        _ body: ByteBuffer,
        on connection: inout NodeConnection,
        nowNanoseconds: Int64
    ) -> ByteBuffer {
        guard !configuration.users.isEmpty else {
            return SecurityMessage.reply(configuration.saysEnterprise ? .securityNotEnabled : .securityNotSupported)
        }
        guard let message = SecurityMessage(body: body) else { return SecurityMessage.reply(.securityField) }
        switch SecurityMessage.Command(rawValue: message.command) {
        case .login: return login(message, on: &connection, nowNanoseconds)
        case .authenticate: return authenticate(message, on: &connection, nowNanoseconds)
        case nil:
            complain(connection.node, "the command \(message.command) about users")
            return SecurityMessage.reply(.securityCommand)
        }
    }

    private mutating func login(
        _ message: SecurityMessage,
        on connection: inout NodeConnection,
        _ nowNanoseconds: Int64
    ) -> ByteBuffer {
        guard let name = message.text(.user), let user = configuration.users.first(where: { $0.name == name }) else {
            return SecurityMessage.reply(.invalidUser)
        }
        guard let credential = message.text(.credential) else { return SecurityMessage.reply(.invalidCredential) }
        guard credential == user.passwordHash else { return SecurityMessage.reply(.invalidPassword) }
        if let clear = message.text(.clearPassword), clear != user.clearPassword {
            return SecurityMessage.reply(.invalidPassword)
        }
        guard !user.hasExpiredPassword else { return SecurityMessage.reply(.expiredPassword) }
        let lifetime = configuration.sessionTimeToLive.inNanoseconds
        let token = sessions.begin(
            user: name,
            endsNanoseconds: nowNanoseconds &+ lifetime,
            nowNanoseconds: nowNanoseconds
        )
        // Clients go on with the connection at once.
        connection.user = name
        connection.sessionToken = token
        let seconds = UInt32(clamping: lifetime / 1_000_000_000)
        return SecurityMessage.reply(
            .ok,
            [(.sessionToken, token), (.sessionTTL, withUnsafeBytes(of: seconds.bigEndian, Array.init))]
        )
    }

    private func authenticate(
        _ message: SecurityMessage,
        on connection: inout NodeConnection,
        _ nowNanoseconds: Int64
    ) -> ByteBuffer {
        guard let name = message.text(.user), configuration.users.contains(where: { $0.name == name }) else {
            return SecurityMessage.reply(.invalidUser)
        }
        guard let token = message[.sessionToken], let session = sessions.session(token), session.user == name else {
            return SecurityMessage.reply(.invalidCredential)
        }
        guard session.endsNanoseconds > nowNanoseconds else { return SecurityMessage.reply(.expiredSession) }
        connection.user = name
        connection.sessionToken = token
        return SecurityMessage.reply(.ok)
    }
}
