import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore
import NIOPosix
import NIOSSL
import Testing

/// Users and TLS, which only the Enterprise Edition has.
@Suite(.onThreads)
struct SecurityTests {
    private static let hash = "$2a$10$7EqJtq98hPqEX7fNZaFWoOu7NRZ0i7m5NbgPBEsHTCoJzZDEKQRb."

    private func configuration(_ clock: ManualClock) -> TestCluster.Configuration {
        var configuration = TestCluster.Configuration()
        configuration.clock = .manual(clock)
        configuration.sessionTimeToLive = .seconds(120)
        var expired = TestCluster.User("expired", passwordHash: Self.hash)
        expired.hasExpiredPassword = true
        configuration.users = [TestCluster.User("user", passwordHash: Self.hash), expired]
        return configuration
    }

    private func ask(
        _ client: RawConnection,
        _ command: UInt8,
        _ fields: [(UInt8, String)]
    ) throws -> (code: UInt8, fields: [UInt8: [UInt8]]) {
        try ask(client, command, fields.map { ($0.0, Array($0.1.utf8)) })
    }

    private func ask(
        _ client: RawConnection,
        _ command: UInt8,
        _ fields: [(UInt8, [UInt8])]
    ) throws -> (code: UInt8, fields: [UInt8: [UInt8]]) {
        var buffer = ByteBuffer()
        buffer.writeSecurity(command: command, fields)
        try client.send(buffer)
        guard case .security(var body) = try client.receive() else { throw RawConnection.Unexpected.frame }
        guard let header = body.readBytes(length: 16) else { throw RawConnection.Unexpected.frame }
        var found: [UInt8: [UInt8]] = [:]
        for _ in 0..<header[3] {
            guard let length = body.readInteger(as: UInt32.self), let id = body.readInteger(as: UInt8.self) else {
                throw RawConnection.Unexpected.frame
            }
            found[id] = body.readBytes(length: Int(length) - 1)
        }
        return (header[1], found)
    }

    @Test func aLoginGivesASessionThatOtherConnectionsJoin() async throws {
        let clock = ManualClock()
        try await TestCluster.withCluster(nodes: 2, configuration: configuration(clock)) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            let refused = #expect(throws: AerospikeError.self) { try client.info("node") }
            #expect(refused?.code == .notAuthenticated)
            #expect(try client.put(testKey("u"), 1) == .notAuthenticated)
            let login = try ask(client, 20, [(0, "user"), (3, Self.hash)])
            #expect(login.code == 0)
            let token = try #require(login.fields[5])
            #expect(login.fields[6] == [0, 0, 0, 120])
            // The login authenticates its connection, and its session is good on every node.
            #expect(try client.put(testKey("u"), 1) == .ok)
            let other = try RawConnection(cluster.seeds[1])
            #expect(try other.put(testKey("u"), 1) == .notAuthenticated)
            for connection in [client, other] {
                #expect(try ask(connection, 0, [(0, Array("user".utf8)), (5, token)]).code == 0)
                #expect(try connection.put(testKey("u"), 1) == .ok)
                #expect(try connection.ask("edition") == "Aerospike Enterprise Edition")
            }
            clock.advance(by: .seconds(121))
            #expect(try client.put(testKey("u"), 2) == .expiredSession)
            #expect(try ask(client, 0, [(0, Array("user".utf8)), (5, token)]).code == 66)
        }
    }

    @Test func wrongLoginsAreRefused() async throws {
        try await TestCluster.withCluster(configuration: configuration(ManualClock())) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            #expect(try ask(client, 20, [(0, "nobody"), (3, Self.hash)]).code == 60)
            #expect(try ask(client, 20, [(3, Self.hash)]).code == 60)
            #expect(try ask(client, 20, [(0, "user"), (3, "wrong")]).code == 62)
            #expect(try ask(client, 20, [(0, "user")]).code == 65)
            #expect(try ask(client, 20, [(0, "expired"), (3, Self.hash)]).code == 63)
            #expect(try ask(client, 0, [(0, "user"), (5, "no token")]).code == 65)
            #expect(try ask(client, 0, [(0, "nobody"), (5, "no token")]).code == 60)
            #expect(cluster.counters.unknownRequests == [])
            #expect(try ask(client, 99, [(0, "")]).code == 54)
            #expect(cluster.counters.unknownRequests.count == 1)
            try client.send(ByteBuffer(bytes: [2, 2, 0, 0, 0, 0, 0, 2, 0, 0]))
            guard case .security(let body) = try client.receive() else { throw RawConnection.Unexpected.frame }
            #expect(body.getInteger(at: body.readerIndex + 1, as: UInt8.self) == 55)
        }
    }

    @Test func sessionsAreEnded() async throws {
        try await TestCluster.withCluster(configuration: configuration(ManualClock())) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            let token = try #require(try ask(client, 20, [(0, "user"), (3, Self.hash)]).fields[5])
            #expect(try ask(client, 0, [(0, Array("user".utf8)), (5, token)]).code == 0)
            #expect(try client.put(testKey("u"), 1) == .ok)
            cluster.expireSessions()
            #expect(try client.put(testKey("u"), 1) == .expiredSession)
        }
    }

    /// The answer to `node` over TLS.
    private func askOverTLS(
        _ seed: TestCluster.Seed,
        name: String = "testkit",
        _ change: (inout TLSConfiguration) throws -> Void = { _ in }
    ) async throws -> String {
        var configuration = TLSConfiguration.makeClientConfiguration()
        let authority = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.authorityPEM.utf8))
        configuration.trustRoots = .certificates(authority)
        try change(&configuration)
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: seed.host, port: seed.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: name)
                    )
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var buffer = ByteBuffer()
            try InfoMessage.write(["node"], into: &buffer)
            try await outbound.write(buffer)
            var decoder = ReplyDecoder()
            for try await bytes in inbound {
                decoder.feed(bytes)
                if case .info(let body)? = try decoder.next() {
                    return try InfoMessage.parse(body)["node"] ?? ""
                }
            }
            throw RawConnection.Unexpected.closed
        }
    }

    @Test func nodesListenForTLS() async throws {
        var configuration = TestCluster.Configuration()
        configuration.tls = TestCertificates.node
        try await TestCluster.withCluster(nodes: 2, configuration: configuration) { cluster in
            #expect(try await askOverTLS(cluster.tlsSeeds[0]) == cluster.name(ofNode: 0))
            #expect(try await askOverTLS(cluster.tlsSeeds[1]) == cluster.name(ofNode: 1))
            await #expect(throws: (any Error).self) { try await askOverTLS(cluster.tlsSeeds[0], name: "another") }
            let client = try RawConnection(cluster.seeds[0])
            let peers = try PeerList(parsing: try client.ask("peers-tls-std"))
            #expect(peers.peers.map(\.tlsName) == ["testkit"])
            #expect(peers.peers.flatMap(\.addresses).map(\.port) == [cluster.tlsSeeds[1].port])
            #expect(try client.ask("service-tls-std") == "127.0.0.1:\(cluster.tlsSeeds[0].port)")
        }
    }

    @Test func nodesDemandCertificates() async throws {
        var configuration = TestCluster.Configuration()
        configuration.tls = TestCertificates.demandingNode
        try await TestCluster.withCluster(configuration: configuration) { cluster in
            let seed = cluster.tlsSeeds[0]
            await #expect(throws: (any Error).self) { try await askOverTLS(seed) }
            let certificate = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.clientCertificatePEM.utf8))
            let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.clientKeyPEM.utf8), format: .pem)
            let name = try await askOverTLS(seed) {
                $0.certificateChain = certificate.map { .certificate($0) }
                $0.privateKey = .privateKey(key)
            }
            #expect(name == cluster.name(ofNode: 0))
        }
    }
}
