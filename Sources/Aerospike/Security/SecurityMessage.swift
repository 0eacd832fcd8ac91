package import NIOCore

/// A request about users, or its reply: 16 bytes and some fields (aerospike-server 8.1, base/security.h, `as_sec_msg`;
/// aerospike-client-c 7.5, as_admin.c).
package struct SecurityMessage: Sendable, Hashable {
    /// What is asked for.
    package struct Command: Sendable, Hashable, RawRepresentable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Makes the connection the user's, by a session's token.
        package static let authenticate = Command(rawValue: 0)
        /// Makes the connection the user's, and begins a session.
        package static let logIn = Command(rawValue: 20)
    }

    /// What a field holds.
    package struct FieldKind: Sendable, Hashable, RawRepresentable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        package static let user = FieldKind(rawValue: 0)
        /// The hash of the password.
        package static let credential = FieldKind(rawValue: 3)
        package static let clearPassword = FieldKind(rawValue: 4)
        package static let sessionToken = FieldKind(rawValue: 5)
        /// For how many seconds the token is good, in 32 bits.
        package static let sessionTimeToLive = FieldKind(rawValue: 6)
    }

    /// One field.
    package struct Field: Sendable, Hashable {
        package var kind: FieldKind
        package var bytes: [UInt8]

        package init(_ kind: FieldKind, _ bytes: [UInt8]) {
            self.kind = kind
            self.bytes = bytes
        }
    }

    /// The length of what comes before the fields.
    package static let headerByteCount = 16

    package var command: Command
    /// What the request came to; 0 in a request.
    package var result: UInt8
    package var fields: [Field]

    package init(_ command: Command, result: UInt8 = 0, fields: [Field] = []) {
        self.command = command
        self.result = result
        self.fields = fields
    }

    package var resultCode: ResultCode { ResultCode(rawValue: Int(result)) }

    /// The bytes of the first field of a kind.
    package subscript(kind: FieldKind) -> [UInt8]? {
        fields.first { $0.kind == kind }?.bytes
    }

    /// Writes the message, with the header of 8 bytes before it.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/invalidArgument`` if there are more than 255 fields.
    package func write(into buffer: inout ByteBuffer) throws(AerospikeError) {
        guard let fieldCount = UInt8(exactly: fields.count) else {
            throw .invalid("A message about users has at most 255 fields, not \(fields.count).")
        }
        let length = fields.reduce(Self.headerByteCount) { $0 + 5 + $1.bytes.count }
        buffer.writeInteger(ProtoHeader(kind: .security, bodyByteCount: length).word)
        // The first byte is the version, of which there is one.
        buffer.writeMultipleIntegers(UInt8(0), result, command.rawValue, fieldCount)
        buffer.writeRepeatingByte(0, count: Self.headerByteCount - 4)
        for field in fields {
            buffer.writeMultipleIntegers(UInt32(truncatingIfNeeded: field.bytes.count + 1), field.kind.rawValue)
            buffer.writeBytes(field.bytes)
        }
    }

    /// Reads a message, without the header of 8 bytes before it.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply``.
    package init(parsing body: ByteBuffer) throws(AerospikeError) {
        var body = body
        guard
            let (_, result, command, fieldCount) = body.readMultipleIntegers(as: (UInt8, UInt8, UInt8, UInt8).self),
            body.readSlice(length: Self.headerByteCount - 4) != nil
        else { throw .truncated(Self.headerByteCount, of: body.readableBytes) }
        self.init(Command(rawValue: command), result: result)
        for _ in 0..<fieldCount {
            guard let length = body.readInteger(as: UInt32.self), length >= 1,
                let kind = body.readInteger(as: UInt8.self), let bytes = body.readBytes(length: Int(length) - 1)
            else { throw .malformed("a field about users longer than its message") }
            fields.append(Field(FieldKind(rawValue: kind), bytes))
        }
        guard body.readableBytes == 0 else { throw .malformed("a message about users with more after it") }
    }
}
