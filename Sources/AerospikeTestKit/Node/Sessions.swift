package import Aerospike
package import NIOCore

/// The sessions of users: a login makes one, and a connection joins it by its token.
package struct Sessions: Sendable {
    /// One of them.
    package struct Session: Sendable, Hashable {
        package var user: String
        package var endsNanoseconds: Int64
    }

    private var sessions: [[UInt8]: Session] = [:]
    private var dice = Dice(seed: 0x746f_6b65_6e73)

    package init() {}

    /// How many have not been forgotten; those that are over are forgotten at the next login.
    package var count: Int { sessions.count }

    /// Begins a session.
    ///
    /// - Returns: its token.
    package mutating func begin(user: String, endsNanoseconds: Int64, nowNanoseconds: Int64) -> [UInt8] {
        sessions = sessions.filter { $0.value.endsNanoseconds > nowNanoseconds }
        var token: [UInt8] = []
        for _ in 0..<8 {
            token += withUnsafeBytes(of: dice.next(), Array.init)
        }
        sessions[token] = Session(user: user, endsNanoseconds: endsNanoseconds)
        return token
    }

    /// The session of a token; nil if there never was one, or it was forgotten.
    package func session(_ token: [UInt8]) -> Session? {
        sessions[token]
    }

    /// Ends every session at once.
    package mutating func endAll() {
        for token in sessions.keys {
            sessions[token]?.endsNanoseconds = 0
        }
    }
}

/// A message about users: 16 bytes of header and some fields (aerospike-client-c 7.5, as_admin.c).
package struct SecurityMessage: Sendable, Hashable {
    /// The commands that the node knows.
    package enum Command: UInt8, Sendable {
        case authenticate = 0
        case login = 20
    }

    /// The fields that the node knows.
    package enum FieldID: UInt8, Sendable {
        case user = 0
        case credential = 3
        case clearPassword = 4
        case sessionToken = 5
        case sessionTTL = 6
    }

    private static let headerBytes = 16

    package var command: UInt8
    package var fields: [UInt8: [UInt8]] = [:]

    /// Reads the body of a message; nil if it is not well formed.
    package init?(body: ByteBuffer) {
        var body = body
        guard let header = body.readBytes(length: SecurityMessage.headerBytes) else { return nil }
        command = header[2]
        for _ in 0..<header[3] {
            guard let length = body.readInteger(as: UInt32.self), length > 0, let id = body.readInteger(as: UInt8.self),
                let bytes = body.readBytes(length: Int(length) - 1)
            else { return nil }
            fields[id] = bytes
        }
    }

    package subscript(_ field: FieldID) -> [UInt8]? { fields[field.rawValue] }

    /// A field of text.
    package func text(_ field: FieldID) -> String? {
        self[field].map { String(decoding: $0, as: UTF8.self) }
    }

    /// Writes a reply.
    package static func reply(_ code: ResultCode, _ fields: [(FieldID, [UInt8])] = []) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeInteger(UInt64(0))
        bytes.writeMultipleIntegers(
            UInt8(0),
            UInt8(truncatingIfNeeded: code.rawValue),
            UInt8(0),
            UInt8(truncatingIfNeeded: fields.count)
        )
        bytes.writeRepeatingByte(0, count: headerBytes - 4)
        for (id, value) in fields {
            bytes.writeMultipleIntegers(UInt32(truncatingIfNeeded: value.count + 1), id.rawValue)
            bytes.writeBytes(value)
        }
        let length = bytes.writerIndex - ProtoHeader.byteCount
        bytes.setInteger(ProtoHeader(kind: .security, bodyByteCount: length).word, at: 0)
        return bytes
    }
}
