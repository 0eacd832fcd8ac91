import Aerospike
import NIOCore
import NIOPosix
import NIOSSL
import Testing

/// The certificates of the directory beside.
private enum Certificates {
    static let authority = certificates(PackageResources.authority_pem)
    static let address = certificates(PackageResources.address_pem)
    static let node = certificates(PackageResources.node_pem)
    static let nodeKey = key(PackageResources.node_key)
    static let client = certificates(PackageResources.client_pem)
    static let clientKey = key(PackageResources.client_key)

    private static func certificates(_ pem: [UInt8]) -> [NIOSSLCertificate] {
        (try? NIOSSLCertificate.fromPEMBytes(pem)) ?? []
    }

    private static func key(_ pem: [UInt8]) -> NIOSSLPrivateKeySource? {
        (try? NIOSSLPrivateKey(bytes: pem, format: .pem)).map { .privateKey($0) }
    }
}

@Suite struct SecureConnectionTests {
    private static let loop = MultiThreadedEventLoopGroup.singleton.any()

    private static func token(_ bytes: [UInt8], seconds: UInt8 = 200) -> SecurityMessage {
        SecurityMessage(
            .logIn,
            fields: [.init(.sessionToken, bytes), .init(.sessionTimeToLive, [0, 0, 0, seconds])]
        )
    }

    private static func serverTLS(
        _ chain: [NIOSSLCertificate] = Certificates.node,
        demandsCertificate: Bool = false
    ) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: try #require(Certificates.nodeKey)
        )
        if demandsCertificate {
            tls.trustRoots = .certificates(Certificates.authority)
            tls.certificateVerification = .noHostnameVerification
        }
        return tls
    }

    private static func clientTLS(withCertificate: Bool = false) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(Certificates.authority)
        if withCertificate {
            tls.certificateChain = Certificates.client.map { .certificate($0) }
            tls.privateKey = Certificates.clientKey
        }
        return tls
    }

    private static func connector(_ tls: TLSConfiguration? = nil, _ credentials: Credentials? = nil) -> Connector {
        var connector = Connector(security: ConnectionSecurity(tls: tls, credentials: credentials))
        // Long enough for a machine that is busy: tests of what takes too long have their own.
        connector.connectTimeout = .seconds(120)
        return connector
    }

    private func connect(
        _ connector: Connector,
        _ peer: SecurePeer,
        tlsName: String? = nil
    ) async throws(AerospikeError) -> NodeConnection {
        try await connector.connect(host: "127.0.0.1", port: peer.port, tlsName: tlsName, on: Self.loop)
    }

    private func failure(
        _ connector: Connector,
        _ peer: SecurePeer,
        tlsName: String? = nil
    ) async throws -> AerospikeError {
        try await #require(throws: AerospikeError.self) { try await connect(connector, peer, tlsName: tlsName) }
    }

    /// Calls can be made on the connection.
    private func expectUsable(_ connection: NodeConnection) async throws {
        #expect(try await connection.info(["build"], deadline: .now() + .seconds(20)) == ["build": ""])
        connection.close()
    }

    // MARK: Users

    @Test func aLoginBeginsASessionThatOtherConnectionsJoin() async throws {
        let peer = try await SecurePeer {
            $0.command == .logIn ? Self.token([1, 2, 3]) : SecurityMessage(.authenticate)
        }
        let connector = Self.connector(nil, .user("ann", password: "secret"))
        for _ in 0..<3 {
            try await expectUsable(try await connect(connector, peer))
        }
        #expect(peer.received.map(\.command) == [.logIn, .authenticate, .authenticate])
        #expect(peer.received.allSatisfy { $0[.user] == Array("ann".utf8) && $0[.clearPassword] == nil })
        let hash = "$2a$10$7EqJtq98hPqEX7fNZaFWoOu7NRZ0i7m5NbgPBEsHTCoJzZDEKQRb."
        #expect(peer.received.first?[.credential] == Array(hash.utf8))
        #expect(peer.received.dropFirst().allSatisfy { $0[.sessionToken] == [1, 2, 3] && $0[.credential] == nil })
    }

    @Test func aSessionThatIsOverIsBegunAnew() async throws {
        // The session is over at once, and after that the node knows a token no more.
        let first = try await SecurePeer { $0.command == .logIn ? Self.token([1], seconds: 0) : nil }
        let connector = Self.connector(nil, .user("ann", password: "secret"))
        try await expectUsable(try await connect(connector, first))
        try await expectUsable(try await connect(connector, first))
        #expect(first.received.map(\.command) == [.logIn, .logIn])
        let second = try await SecurePeer {
            $0.command == .logIn ? Self.token([1]) : SecurityMessage(.authenticate, result: 66)
        }
        try await expectUsable(try await connect(connector, second))
        try await expectUsable(try await connect(connector, second))
        #expect(second.received.map(\.command) == [.logIn, .authenticate, .logIn])
        #expect(second.connectionCount == 3)
    }

    @Test(arguments: [51, 52] as [UInt8])
    func nodesWithoutUsersLetEverybodyIn(code: UInt8) async throws {
        let peer = try await SecurePeer { SecurityMessage($0.command, result: code) }
        try await expectUsable(try await connect(Self.connector(nil, .user("ann", password: "")), peer))
    }

    @Test func aRefusalIsAnErrorWithoutSecrets() async throws {
        let peer = try await SecurePeer { SecurityMessage($0.command, result: 62) }
        let error = try await failure(Self.connector(nil, .user("ann", password: "secret")), peer)
        #expect(error.code == .invalidPassword)
        #expect(error.node == "127.0.0.1:\(peer.port)")
        #expect(!"\(error)".contains("secret") && !"\(error)".contains("$2a$"))
    }

    @Test func noAnswerInTimeIsAFailure() async throws {
        let peer = try await SecurePeer { _ in nil }
        var connector = Self.connector(nil, .user("ann", password: "secret"))
        connector.connectTimeout = .milliseconds(100)
        #expect(try await failure(connector, peer).code == .connection)
    }

    @Test func whoeverIsCancelledWaitsNoLonger() async throws {
        let asked = AsyncStream.makeStream(of: Void.self)
        let peer = try await SecurePeer { _ in
            asked.continuation.finish()
            return nil
        }
        let connector = Self.connector(nil, .user("ann", password: "secret"))
        let task = Task { try await failure(connector, peer).code }
        for await _ in asked.stream {}
        task.cancel()
        #expect(try await task.value == .cancelled)
    }

    @Test func externalPasswordsAndCertificatesNeedTLS() async throws {
        let peer = try await SecurePeer { _ in nil }
        #expect(try await failure(Self.connector(nil, .externalUser("ann", password: "secret")), peer).code == .client)
        #expect(try await failure(Self.connector(nil, .certificate), peer).code == .client)
        #expect(try await failure(Self.connector(Self.clientTLS(), .certificate), peer).code == .client)
        let long = String(repeating: "x", count: 64)
        for credentials in [
            Credentials.user("", password: ""), .user(long, password: ""), .user("a", password: long),
            .user("a\0", password: ""), .user("a", password: "\0"),
        ] {
            #expect(try await failure(Self.connector(nil, credentials), peer).code == .invalidArgument)
        }
        #expect(peer.connectionCount == 0)
    }

    @Test func credentialsKeepTheirSecrets() {
        for credentials in [Credentials.user("ann", password: "secret"), .externalUser("ann", password: "secret")] {
            var configuration = AerospikeClientConfiguration(seeds: [])
            configuration.credentials = credentials
            var dumped = ""
            dump(configuration, to: &dumped)
            for text in ["\(credentials)", String(reflecting: credentials), "\(configuration)", dumped] {
                #expect(text.contains("ann") && !text.contains("secret"))
            }
        }
    }

    // MARK: TLS

    @Test func connectionsAreUsedAfterTheHandshakeAndTheLogin() async throws {
        let peer = try await SecurePeer(tls: try Self.serverTLS()) { _ in Self.token([1]) }
        // With nothing to say, and with a password as it is.
        try await expectUsable(try await connect(Self.connector(Self.clientTLS()), peer, tlsName: "node.example"))
        #expect(peer.received.isEmpty)
        let external = Self.connector(Self.clientTLS(), .externalUser("ann", password: "secret"))
        try await expectUsable(try await connect(external, peer, tlsName: "node.example"))
        #expect(peer.received.map { $0[.clearPassword] } == [Array("secret".utf8)])
    }

    @Test func aCertificateForAnotherNameOrOfAStrangerIsRefused() async throws {
        let peer = try await SecurePeer(tls: try Self.serverTLS()) { _ in nil }
        let connector = Self.connector(Self.clientTLS(), .user("ann", password: "secret"))
        let error = try await failure(connector, peer, tlsName: "other.example")
        #expect(error.code == .tls)
        #expect(error.cause != nil)
        var stranger = TLSConfiguration.makeClientConfiguration()
        stranger.trustRoots = .certificates(Certificates.client)
        #expect(try await failure(Self.connector(stranger), peer, tlsName: "node.example").code == .tls)
        #expect(peer.received.isEmpty)
    }

    @Test func withoutANameTheCertificateIsForTheAddress() async throws {
        let address = try await SecurePeer(tls: try Self.serverTLS(Certificates.address)) { _ in nil }
        try await expectUsable(try await connect(Self.connector(Self.clientTLS()), address))
        let named = try await SecurePeer(tls: try Self.serverTLS()) { _ in nil }
        #expect(try await failure(Self.connector(Self.clientTLS()), named).code == .tls)
    }

    @Test func aPeerThatSpeaksNoTLSIsAFailure() async throws {
        // It closes, for the handshake is no message of the protocol.
        let peer = try await SecurePeer { _ in nil }
        let code = try await failure(Self.connector(Self.clientTLS()), peer).code
        #expect(code == .tls || code == .connection)
    }

    @Test func aPeerThatNeverShakesHandsIsGivenUp() async throws {
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        defer { silent.close(promise: nil) }
        var connector = Self.connector(Self.clientTLS())
        connector.connectTimeout = .milliseconds(100)
        let error = try await #require(throws: AerospikeError.self) {
            try await connector.connect(
                host: "127.0.0.1",
                port: try #require(silent.localAddress?.port),
                on: Self.loop
            )
        }
        #expect(error.code == .connection)
    }

    @Test func theClientsCertificateNamesItsUser() async throws {
        let peer = try await SecurePeer(tls: try Self.serverTLS(demandsCertificate: true)) {
            $0.command == .logIn ? Self.token([4]) : SecurityMessage(.authenticate)
        }
        let connector = Self.connector(Self.clientTLS(withCertificate: true), .certificate)
        try await expectUsable(try await connect(connector, peer, tlsName: "node.example"))
        try await expectUsable(try await connect(connector, peer, tlsName: "node.example"))
        #expect(peer.received.map(\.command) == [.logIn, .authenticate])
        #expect(peer.received.map(\.fields) == [[], [.init(.sessionToken, [4])]])
        // In TLS 1.3 the client learns only after its handshake that the peer wants a certificate of it.
        let without = Self.connector(Self.clientTLS(), .user("ann", password: "secret"))
        let error = try await failure(without, peer, tlsName: "node.example")
        #expect(error.code == .tls)
        #expect(peer.received.count == 2)
    }

    @Test func aConfigurationThatCannotBeUsedIsAnError() async throws {
        let peer = try await SecurePeer { _ in nil }
        var tls = Self.clientTLS()
        tls.trustRoots = .file("/nowhere/authority.pem")
        let connector = Self.connector(tls)
        for _ in 0..<2 {
            let error = try await failure(connector, peer)
            #expect(error.code == .tls)
            #expect(error.cause != nil)
        }
        #expect(peer.connectionCount == 0)
    }

    @Test func whatTakesLongIsDoneOnceForAll() async throws {
        let peer = try await SecurePeer(tls: try Self.serverTLS()) {
            $0.command == .logIn ? Self.token([4]) : SecurityMessage(.authenticate)
        }
        let connector = Self.connector(Self.clientTLS(), .user("ann", password: "secret"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { try await expectUsable(try await connect(connector, peer, tlsName: "node.example")) }
            }
            try await group.waitForAll()
        }
        #expect(peer.connectionCount == 8)
    }
}
