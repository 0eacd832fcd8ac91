import Crypto
import NIOCore

/// What goes over one connection between two processes: who is there, and frames that only a process of the queue can make.
///
/// Each side begins with a hello: its number, and 32 random bytes. Both make one key for each direction of the queue's
/// secret and both hellos, and send an empty frame. A frame is its payload's length, the payload, and the HMAC-SHA256 of the
/// frame's number on this connection and the payload. So nothing of another connection, of the other direction, or of
/// another place in the order passes; what does not pass ends the connection.
///
/// It holds no socket and no clock. It can go from waiting for a hello to waiting for the first frame, and from there to
/// taking messages.
struct PeerSession: Sendable {
    /// Who is at this end.
    struct Identity: Sendable {
        var number: Int
        var secret: [UInt8]
    }

    /// Which end of the connection this is.
    enum Role: Sendable {
        case dialler
        case acceptor
    }

    /// What came.
    enum Event: Sendable, Equatable {
        /// The other's hello: answer with an empty frame.
        case hello
        /// The other knows the secret.
        case authenticated(peer: Int)
        /// The payload of a frame.
        case payload(ByteBuffer)
    }

    private enum Phase: Sendable {
        case hello
        case proof(peer: Int)
        case open
    }

    private static let magic: UInt64 = 0x4245_414e_5045_4552
    private static let version: UInt8 = 1
    static let nonceBytes = 32
    static let helloBytes = 8 + 1 + 8 + nonceBytes
    static let tagBytes = 32

    private let identity: Identity
    private let role: Role
    private let nonce: [UInt8]
    private var phase = Phase.hello
    private var received = ByteBuffer()
    private var sendKey = SymmetricKey(size: .bits256)
    private var receiveKey = SymmetricKey(size: .bits256)
    private var sentCount: UInt64 = 0
    private var receivedCount: UInt64 = 0

    /// A session of a connection that was just made.
    ///
    /// - Parameters:
    ///   - identity: who is at this end.
    ///   - role: which end it is.
    ///   - nonce: random bytes that were never used before.
    init(
        _ identity: Identity,
        role: Role,
        nonce: [UInt8] = (0..<PeerSession.nonceBytes).map { _ in UInt8.random(in: .min ... .max) }
    ) {
        self.identity = identity
        self.role = role
        self.nonce = nonce
    }

    /// The bytes to begin with.
    var hello: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(Self.magic, Self.version, UInt64(truncatingIfNeeded: identity.number))
        buffer.writeBytes(nonce)
        return buffer
    }

    /// Takes bytes that came.
    mutating func receive(_ bytes: inout ByteBuffer) {
        received.discardReadBytes()
        received.writeBuffer(&bytes)
    }

    /// What the bytes that came mean.
    ///
    /// - Returns: the next thing; nil until more bytes come.
    /// - Throws: ``PeerViolation`` if the other end is no peer.
    mutating func next() throws(PeerViolation) -> Event? {
        switch phase {
        case .hello:
            return try readHello()
        case .proof(let peer):
            guard let payload = try readFrame(payloadBytesMax: 0) else { return nil }
            guard payload.readableBytes == 0 else { throw PeerViolation("a proof that is not empty") }
            phase = .open
            return .authenticated(peer: peer)
        case .open:
            return try readFrame(payloadBytesMax: PeerLimits.payloadBytesMax).map { .payload($0) }
        }
    }

    /// Makes a frame of a payload of at most ``PeerLimits/payloadBytesMax``; only after the other's hello.
    mutating func frame(_ payload: ByteBuffer) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(4 + payload.readableBytes + Self.tagBytes)
        buffer.writeInteger(UInt32(truncatingIfNeeded: payload.readableBytes))
        buffer.writeImmutableBuffer(payload)
        let code = HMAC<SHA256>.authenticationCode(for: Self.signed(sentCount, payload), using: sendKey)
        buffer.writeBytes(Array(code))
        sentCount += 1
        return buffer
    }

    // MARK: Reading

    private mutating func readHello() throws(PeerViolation) -> Event? {
        // Who begins with anything else is cut off at once.
        if received.readableBytes >= 8, received.getInteger(at: received.readerIndex) != Self.magic {
            throw PeerViolation("a beginning that is no peer's")
        }
        guard received.readableBytes >= Self.helloBytes,
            let (_, version, number) = received.readMultipleIntegers(as: (UInt64, UInt8, UInt64).self),
            let theirs = received.readBytes(length: Self.nonceBytes)
        else { return nil }
        guard version == Self.version else { throw PeerViolation("version \(version), which is unknown") }
        guard let peer = Int(exactly: number), peer != identity.number else {
            throw PeerViolation("the number of another")
        }
        let (mine, its) = (UInt64(truncatingIfNeeded: identity.number), number)
        let isDialler = role == .dialler
        var both = ByteBuffer()
        both.writeInteger(isDialler ? mine : its)
        both.writeBytes(isDialler ? nonce : theirs)
        both.writeInteger(isDialler ? its : mine)
        both.writeBytes(isDialler ? theirs : nonce)
        let toAcceptor = key("to acceptor", both)
        let toDialler = key("to dialler", both)
        (sendKey, receiveKey) = isDialler ? (toAcceptor, toDialler) : (toDialler, toAcceptor)
        phase = .proof(peer: peer)
        return .hello
    }

    private func key(_ direction: String, _ hellos: ByteBuffer) -> SymmetricKey {
        let text = Array("beanspike peer \(direction)".utf8) + Array(hellos.readableBytesView)
        let code = HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: identity.secret))
        return SymmetricKey(data: code)
    }

    private mutating func readFrame(payloadBytesMax: Int) throws(PeerViolation) -> ByteBuffer? {
        guard let length = received.getInteger(at: received.readerIndex, as: UInt32.self) else { return nil }
        guard Int(length) <= payloadBytesMax else { throw PeerViolation("a frame of \(length) bytes") }
        guard received.readableBytes >= 4 + Int(length) + Self.tagBytes else { return nil }
        received.moveReaderIndex(forwardBy: 4)
        guard let payload = received.readSlice(length: Int(length)),
            let tag = received.readBytes(length: Self.tagBytes)
        else { return nil }
        let isGenuine = HMAC<SHA256>.isValidAuthenticationCode(
            tag,
            authenticating: Self.signed(receivedCount, payload),
            using: receiveKey
        )
        guard isGenuine else { throw PeerViolation("a frame that no process of the queue made") }
        receivedCount += 1
        return payload
    }

    private static func signed(_ number: UInt64, _ payload: ByteBuffer) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + payload.readableBytes)
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: payload.readableBytesView)
        return bytes
    }
}
