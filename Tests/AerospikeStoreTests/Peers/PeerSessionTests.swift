import NIOCore
import Testing

@testable import AerospikeStore

struct PeerSessionTests {
    private let secret = [UInt8](repeating: 7, count: 32)

    private func session(_ number: Int, _ role: PeerSession.Role, secret: [UInt8]? = nil) -> PeerSession {
        PeerSession(.init(number: number, secret: secret ?? self.secret), role: role)
    }

    /// Two sessions that have shown each other that they know the secret.
    private func openPair() throws -> (dialler: PeerSession, acceptor: PeerSession) {
        var dialler = session(1, .dialler)
        var acceptor = session(2, .acceptor)
        #expect(try give(acceptor.hello, to: &dialler) == [.hello])
        #expect(try give(dialler.hello, to: &acceptor) == [.hello])
        #expect(try give(acceptor.frame(ByteBuffer()), to: &dialler) == [.authenticated(peer: 2)])
        #expect(try give(dialler.frame(ByteBuffer()), to: &acceptor) == [.authenticated(peer: 1)])
        return (dialler, acceptor)
    }

    private func give(_ bytes: ByteBuffer, to session: inout PeerSession) throws -> [PeerSession.Event] {
        var bytes = bytes
        session.receive(&bytes)
        var events: [PeerSession.Event] = []
        while let event = try session.next() { events.append(event) }
        return events
    }

    @Test func framesPassBothWaysInOrder() throws {
        var (dialler, acceptor) = try openPair()
        for text in ["a", "", "ccc"] {
            #expect(
                try give(dialler.frame(ByteBuffer(string: text)), to: &acceptor) == [.payload(ByteBuffer(string: text))]
            )
            #expect(
                try give(acceptor.frame(ByteBuffer(string: text)), to: &dialler) == [.payload(ByteBuffer(string: text))]
            )
        }
    }

    @Test func bytesMayComeOneByOne() throws {
        var dialler = session(1, .dialler)
        var acceptor = session(2, .acceptor)
        _ = try give(acceptor.hello, to: &dialler)
        var bytes = dialler.hello
        bytes.writeImmutableBuffer(dialler.frame(ByteBuffer()))
        bytes.writeImmutableBuffer(dialler.frame(ByteBuffer(string: "news")))
        var events: [PeerSession.Event] = []
        for byte in bytes.readableBytesView {
            events += try give(ByteBuffer(bytes: [byte]), to: &acceptor)
        }
        #expect(events == [.hello, .authenticated(peer: 1), .payload(ByteBuffer(string: "news"))])
    }

    @Test func aWrongSecretIsNotLetIn() throws {
        var dialler = session(1, .dialler, secret: [UInt8](repeating: 8, count: 32))
        var acceptor = session(2, .acceptor)
        _ = try give(acceptor.hello, to: &dialler)
        _ = try give(dialler.hello, to: &acceptor)
        #expect(throws: PeerViolation.self) { try give(dialler.frame(ByteBuffer()), to: &acceptor) }
    }

    @Test func nothingIsReplayed() throws {
        var (dialler, acceptor) = try openPair()
        let frame = dialler.frame(ByteBuffer(string: "once"))
        _ = try give(frame, to: &acceptor)
        #expect(throws: PeerViolation.self) { try give(frame, to: &acceptor) }
        // Nor in another order, nor back to who made it, nor on another connection.
        var (second, other) = try openPair()
        let (early, late) = (second.frame(ByteBuffer(string: "1")), second.frame(ByteBuffer(string: "2")))
        #expect(throws: PeerViolation.self) { try give(late, to: &other) }
        var (third, _) = try openPair()
        let own = third.frame(ByteBuffer(string: "mirror"))
        #expect(throws: PeerViolation.self) { try give(own, to: &third) }
        var (_, fourth) = try openPair()
        #expect(throws: PeerViolation.self) { try give(early, to: &fourth) }
    }

    @Test func aFlippedBitIsNoticedAnywhere() throws {
        let (opened, accepted) = try openPair()
        var dialler = opened
        let frame = dialler.frame(ByteBuffer(string: "news"))
        for place in 0..<frame.readableBytes {
            var acceptor = accepted
            var changed = frame
            let byte = try #require(changed.getInteger(at: place, as: UInt8.self))
            changed.setInteger(byte ^ 1, at: place)
            // A length that was made greater only waits for more.
            changed.writeBytes([UInt8](repeating: 0, count: PeerLimits.payloadBytesMax))
            #expect(throws: PeerViolation.self) { try give(changed, to: &acceptor) }
        }
    }

    @Test func whoIsNoPeerIsCutOffAtOnce() throws {
        var web = session(2, .acceptor)
        #expect(throws: PeerViolation.self) { try give(ByteBuffer(string: "GET / HTTP/1.1\r\n"), to: &web) }
        var newer = session(2, .acceptor)
        var hello = session(1, .dialler).hello
        hello.setInteger(UInt8(9), at: 8)
        #expect(throws: PeerViolation.self) { try give(hello, to: &newer) }
        var mirror = session(2, .acceptor)
        #expect(throws: PeerViolation.self) { try give(mirror.hello, to: &mirror) }
        var negative = session(2, .acceptor)
        hello = session(-1, .dialler).hello
        #expect(throws: PeerViolation.self) { try give(hello, to: &negative) }
        // Before it has shown that it knows the secret, nobody sends a payload of any length.
        var eager = session(2, .acceptor)
        _ = try give(session(1, .dialler).hello, to: &eager)
        #expect(throws: PeerViolation.self) { try give(ByteBuffer(integer: UInt32(1)), to: &eager) }
    }

    @Test func aFrameHasABound() throws {
        var (dialler, acceptor) = try openPair()
        let longest = ByteBuffer(repeating: 1, count: PeerLimits.payloadBytesMax)
        #expect(try give(dialler.frame(longest), to: &acceptor) == [.payload(longest)])
        #expect(throws: PeerViolation.self) {
            try give(ByteBuffer(integer: UInt32(PeerLimits.payloadBytesMax + 1)), to: &acceptor)
        }
    }
}
