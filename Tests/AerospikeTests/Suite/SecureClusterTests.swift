import Aerospike
import AerospikeTestKit
import NIOSSL
import Testing

/// A client of nodes in process that ask for TLS, certificates and users.
struct SecureClusterTests {
    private func withClient(
        _ tls: TestCluster.TLS,
        withCertificate: Bool,
        _ credentials: Credentials,
        timeout: Duration = .seconds(120),
        _ body: @Sendable (AerospikeClient) async throws -> Void
    ) async throws {
        var nodes = TestCluster.Configuration()
        nodes.tls = tls
        nodes.users = [TestCluster.User("ann", passwordHash: Bcrypt.aerospikeHash(of: "secret"))]
        try await TestCluster.withCluster(nodes: 2, replicationFactor: 2, configuration: nodes) { cluster in
            var configuration = AerospikeClientConfiguration(
                seeds: cluster.tlsSeeds.map { .init($0.host, port: $0.port, tlsName: tls.name) }
            )
            var own = TLSConfiguration.makeClientConfiguration()
            own.trustRoots = .certificates(
                try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.authorityPEM.utf8))
            )
            if withCertificate {
                own.certificateChain = [
                    .certificate(
                        try NIOSSLCertificate(bytes: Array(TestCertificates.clientCertificatePEM.utf8), format: .pem)
                    )
                ]
                own.privateKey = .privateKey(
                    try NIOSSLPrivateKey(bytes: Array(TestCertificates.clientKeyPEM.utf8), format: .pem)
                )
            }
            configuration.tls = own
            configuration.credentials = credentials
            configuration.connectTimeout = .seconds(120)
            configuration.call.timeout = .seconds(120)
            try await AerospikeClient.withClient(
                configuration,
                logger: ServerUnderTest.logger,
                timeout: timeout,
                body
            )
        }
    }

    @Test(arguments: [false, true]) func callsGoByTLSAsSomebody(withCertificate: Bool) async throws {
        let tls = withCertificate ? TestCertificates.demandingNode : TestCertificates.node
        try await withClient(tls, withCertificate: withCertificate, .user("ann", password: "secret")) { client in
            let keys = (0..<50).map { Key(namespace: "test", set: "secure", .integer(Int64($0))) }
            let results = try await client.batch(keys.map { .put($0, ["n": .integer($0.userNumber)]) })
            #expect(results.allSatisfy { $0.error == nil })
            for key in keys {
                #expect(try await client.get(key)?["n"]?.integer == key.userNumber)
            }
        }
    }

    @Test func aWrongPasswordIsTold() async throws {
        let error = await #expect(throws: AerospikeError.self) {
            try await withClient(
                TestCertificates.node,
                withCertificate: false,
                .user("ann", password: "wrong"),
                timeout: .seconds(20)
            ) { _ in }
        }
        #expect(error?.code == .invalidPassword)
        #expect(error?.inDoubt == false)
    }
}
