/// Who the client is to a cluster with users (Enterprise Edition).
///
/// Its secrets appear in no description, no debugger's dump and no error.
public struct Credentials: Sendable, Hashable {
    /// How the servers find out whether it is true.
    enum Proof: Sendable, Hashable {
        /// They know the password's hash.
        case password(user: String, password: String)
        /// They ask another service, which needs the password itself.
        case externalPassword(user: String, password: String)
        /// They take the name out of the client's certificate.
        case certificate
    }

    let proof: Proof

    /// The longest name and password, in bytes (aerospike-client-c 7.5, as_admin.h, `AS_USER_SIZE` less one).
    static let bytesMax = 63

    /// A user that the cluster itself knows.
    ///
    /// The password does not leave the client, but its hash does, and is worth as much: use TLS where others can listen.
    ///
    /// - Parameters:
    ///   - name: the user's name, of 1 to 63 bytes.
    ///   - password: the password, of at most 63 bytes.
    /// - Returns: the credentials.
    public static func user(_ name: String, password: String) -> Credentials {
        Credentials(proof: .password(user: name, password: password))
    }

    /// A user that another service knows, such as an LDAP server that the cluster asks.
    ///
    /// The password is sent as it is, so the client refuses to do so without TLS.
    ///
    /// - Parameters:
    ///   - name: the user's name, of 1 to 63 bytes.
    ///   - password: the password, of at most 63 bytes.
    /// - Returns: the credentials.
    public static func externalUser(_ name: String, password: String) -> Credentials {
        Credentials(proof: .externalPassword(user: name, password: password))
    }

    /// The user whom the client's certificate names, which needs TLS with a certificate (servers from 5.7 on).
    public static let certificate = Credentials(proof: .certificate)

    /// The user's name; nil if it is in the certificate.
    public var user: String? {
        switch proof {
        case .password(let user, _), .externalPassword(let user, _): user
        case .certificate: nil
        }
    }

    /// Refuses what no server can know, and secrets that would go through the air unprotected.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/invalidArgument`` or ``ResultCode/client``.
    func check(usesTLS: Bool, hasCertificate: Bool) throws(AerospikeError) {
        switch proof {
        case .password(let user, let password): try Self.check(user, password)
        case .externalPassword(let user, let password):
            try Self.check(user, password)
            guard usesTLS else {
                throw AerospikeError(
                    .client,
                    "An external user's password is sent as it is, which is refused without TLS: configure tls."
                )
            }
        case .certificate:
            guard usesTLS, hasCertificate else {
                throw AerospikeError(
                    .client,
                    "A user who is known by a certificate needs TLS: configure tls with a certificate and its key."
                )
            }
        }
    }

    private static func check(_ user: String, _ password: String) throws(AerospikeError) {
        guard (1...bytesMax).contains(user.utf8.count), !user.utf8.contains(0) else {
            throw .invalid("A user's name has 1 to \(bytesMax) bytes, none of them 0.")
        }
        guard password.utf8.count <= bytesMax, !password.utf8.contains(0) else {
            throw .invalid("A password has at most \(bytesMax) bytes, none of them 0.")
        }
    }

    /// The request that begins a session; hashing takes some tens of milliseconds.
    func loginRequest() -> SecurityMessage {
        switch proof {
        case .password(let user, let password):
            SecurityMessage(
                .logIn,
                fields: [
                    .init(.user, Array(user.utf8)),
                    .init(.credential, Array(Bcrypt.aerospikeHash(of: password).utf8)),
                ]
            )
        case .externalPassword(let user, let password):
            SecurityMessage(
                .logIn,
                fields: [
                    .init(.user, Array(user.utf8)),
                    .init(.credential, Array(Bcrypt.aerospikeHash(of: password).utf8)),
                    .init(.clearPassword, Array(password.utf8)),
                ]
            )
        case .certificate: SecurityMessage(.logIn)
        }
    }

    /// The request that makes another connection a part of the session.
    func authenticationRequest(token: [UInt8]) -> SecurityMessage {
        let name = user.map { [SecurityMessage.Field(.user, Array($0.utf8))] } ?? []
        return SecurityMessage(.authenticate, fields: name + [.init(.sessionToken, token)])
    }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The user's name, and no secret.
    public var description: String {
        switch proof {
        case .password(let user, _): "user \(user)"
        case .externalPassword(let user, _): "external user \(user)"
        case .certificate: "user of the certificate"
        }
    }

    /// The user's name, and no secret.
    public var debugDescription: String { description }

    /// Nothing: what is inside is secret.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
