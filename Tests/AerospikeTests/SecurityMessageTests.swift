import Aerospike
import NIOCore
import Testing

@Suite struct SecurityMessageTests {
    /// Laid out by hand after aerospike-server 8.1, base/security.h, and aerospike-client-c 7.5, as_admin.c.
    @Test func theBytesAreThoseOfTheProtocol() throws {
        let message = SecurityMessage(.logIn, fields: [.init(.user, Array("ann".utf8)), .init(.credential, [7, 8])])
        var buffer = ByteBuffer()
        try message.write(into: &buffer)
        let expected: [UInt8] =
            [2, 2, 0, 0, 0, 0, 0, 16 + 8 + 7]
            + [0, 0, 20, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            + [0, 0, 0, 4, 0] + Array("ann".utf8)
            + [0, 0, 0, 3, 3, 7, 8]
        #expect(Array(buffer.readableBytesView) == expected)
        let reply = SecurityMessage(.authenticate, result: 62)
        var answer = ByteBuffer()
        try reply.write(into: &answer)
        #expect(Array(answer.readableBytesView) == [2, 2, 0, 0, 0, 0, 0, 16, 0, 62] + Array(repeating: 0, count: 14))
        #expect(reply.resultCode == .invalidPassword)
    }

    @Test func whatIsWrittenIsRead() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let fields = (0..<Int.random(in: 0..<6, using: &random)).map { _ in
                let length = Int.random(in: 0..<300, using: &random)
                return SecurityMessage.Field(
                    .init(rawValue: .random(in: 0...255, using: &random)),
                    random.bytes(length)
                )
            }
            let message = SecurityMessage(
                .init(rawValue: .random(in: 0...255, using: &random)),
                result: .random(in: 0...255, using: &random),
                fields: fields
            )
            var buffer = ByteBuffer()
            try message.write(into: &buffer)
            var decoder = ReplyDecoder()
            decoder.feed(buffer)
            guard case .security(let body) = try #require(try decoder.next()) else { throw Unexpected() }
            #expect(try SecurityMessage(parsing: body) == message)
            // Cut anywhere, it is no message.
            let cut = try #require(body.getSlice(at: body.readerIndex, length: .random(in: 0..<body.readableBytes)))
            #expect(throws: AerospikeError.self) { try SecurityMessage(parsing: cut) }
        }
    }

    @Test func randomBytesAreReadOrRefused() {
        var random = SeededGenerator(seed: 8)
        var readCount = 0
        for _ in 0..<20_000 {
            var bytes = random.bytes(Int.random(in: 0..<60, using: &random))
            // Small numbers make lengths that are nearly right.
            for index in bytes.indices where index > 3 && index % 5 != 0 {
                bytes[index] &= 7
            }
            if bytes.count > 3 {
                bytes[3] &= 3
            }
            if let message = try? SecurityMessage(parsing: ByteBuffer(bytes: bytes)) {
                readCount += 1
                #expect(message.fields.reduce(16) { $0 + 5 + $1.bytes.count } == bytes.count)
            }
        }
        #expect(readCount > 0)
    }

    @Test func moreFieldsThanAByteCountsAreRefused() {
        let fields = Array(repeating: SecurityMessage.Field(.user, []), count: 256)
        var buffer = ByteBuffer()
        #expect(throws: AerospikeError.self) {
            try SecurityMessage(.logIn, fields: fields).write(into: &buffer)
        }
        #expect(buffer.readableBytes == 0)
    }
}

@Suite struct SessionTests {
    private static let now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func login(
        _ code: UInt8 = 0,
        token: [UInt8]? = [1, 2],
        seconds: UInt32? = nil
    ) -> SecurityMessage {
        var reply = SecurityMessage(.logIn, result: code)
        if let token {
            reply.fields.append(.init(.sessionToken, token))
        }
        if let seconds {
            let bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: seconds >> $0) }
            reply.fields.append(.init(.sessionTimeToLive, bytes))
        }
        return reply
    }

    @Test(arguments: [(3600, 3540), (121, 61), (100, 50), (2, 1)])
    func tokensAreRenewedBeforeTheyEnd(seconds: UInt32, goodForSeconds: Int64) throws {
        var session = Session()
        #expect(session.step(now: Self.now) == .logIn)
        try session.loggedIn(Self.login(seconds: seconds), now: Self.now)
        let end = Self.now + .seconds(goodForSeconds)
        #expect(session.step(now: end - .nanoseconds(1)) == .authenticate(token: [1, 2]))
        #expect(session.step(now: end) == .logIn)
    }

    @Test func tokensWithoutAnEndLastUntilTheyAreRefused() throws {
        var session = Session()
        try session.loggedIn(Self.login(), now: Self.now)
        #expect(session.step(now: Self.now + .hours(10_000)) == .authenticate(token: [1, 2]))
        func joins(_ token: [UInt8], _ code: UInt8) -> Bool {
            session.authenticated(SecurityMessage(.authenticate, result: code), token: token)
        }
        #expect(joins([1, 2], 0))
        #expect(session.step(now: Self.now) == .authenticate(token: [1, 2]))
        // The refusal of an older token says nothing of this one.
        #expect(!joins([9], 66))
        #expect(session.step(now: Self.now) == .authenticate(token: [1, 2]))
        #expect(!joins([1, 2], 66))
        #expect(session.step(now: Self.now) == .logIn)
    }

    @Test func theLongestTimeIsNoTrouble() throws {
        var session = Session()
        try session.loggedIn(Self.login(seconds: .max), now: .now())
        #expect(session.step(now: .now() + .hours(24 * 365)) == .authenticate(token: [1, 2]))
    }

    @Test(arguments: [51, 52] as [UInt8])
    func nodesWithoutUsersLetEverybodyIn(code: UInt8) throws {
        var session = Session()
        try session.loggedIn(Self.login(code, token: nil), now: Self.now)
        #expect(session.step(now: Self.now) == .logIn)
        let joins = session.authenticated(SecurityMessage(.authenticate, result: code), token: [1])
        #expect(joins)
    }

    @Test func refusalsAndRepliesWithoutATokenAreErrors() throws {
        var session = Session()
        func code(_ reply: SecurityMessage) throws -> ResultCode {
            try #require(throws: AerospikeError.self) { try session.loggedIn(reply, now: Self.now) }.code
        }
        #expect(try code(Self.login(62)) == .invalidPassword)
        #expect(try code(Self.login(token: nil)) == .malformedReply)
        #expect(try code(Self.login(token: [])) == .malformedReply)
        var reply = Self.login()
        reply.fields.append(.init(.sessionTimeToLive, [1]))
        #expect(try code(reply) == .malformedReply)
        #expect(session.step(now: Self.now) == .logIn)
    }
}
