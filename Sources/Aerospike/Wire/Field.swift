package import NIOCore

/// The types of a message's fields (aerospike-server 8.1, base/proto.h, `AS_MSG_FIELD_TYPE_*`).
package struct FieldType: Sendable, Hashable, RawRepresentable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let namespace = FieldType(rawValue: 0)
    package static let set = FieldType(rawValue: 1)
    package static let userKey = FieldType(rawValue: 2)
    package static let recordVersion = FieldType(rawValue: 3)
    package static let digest = FieldType(rawValue: 4)
    package static let taskID = FieldType(rawValue: 7)
    package static let socketTimeout = FieldType(rawValue: 9)
    package static let recordsPerSecond = FieldType(rawValue: 10)
    package static let partitionIDs = FieldType(rawValue: 11)
    package static let digests = FieldType(rawValue: 12)
    package static let recordsMax = FieldType(rawValue: 13)
    package static let indexedValues = FieldType(rawValue: 15)
    package static let indexName = FieldType(rawValue: 21)
    package static let indexRange = FieldType(rawValue: 22)
    package static let indexContext = FieldType(rawValue: 23)
    package static let indexExpression = FieldType(rawValue: 24)
    package static let indexType = FieldType(rawValue: 26)
    package static let udfPackage = FieldType(rawValue: 30)
    package static let udfFunction = FieldType(rawValue: 31)
    package static let udfArguments = FieldType(rawValue: 32)
    package static let udfOperation = FieldType(rawValue: 33)
    package static let batch = FieldType(rawValue: 41)
    package static let filter = FieldType(rawValue: 43)
}

extension ByteBuffer {
    /// Writes a field: the length of the rest, its type, and what `body` writes.
    package mutating func writeField(_ type: FieldType, _ body: (inout ByteBuffer) -> Void) {
        let start = writerIndex
        writeMultipleIntegers(UInt32(0), type.rawValue)
        body(&self)
        setInteger(UInt32(truncatingIfNeeded: writerIndex - start - 4), at: start)
    }

    /// Writes a field of text.
    package mutating func writeField(_ type: FieldType, _ text: String) {
        writeMultipleIntegers(UInt32(truncatingIfNeeded: text.utf8.count + 1), type.rawValue)
        writeString(text)
    }

    /// Writes a field of one big-endian integer.
    package mutating func writeField(_ type: FieldType, _ value: some FixedWidthInteger) {
        writeMultipleIntegers(UInt32(value.bitWidth / 8 + 1), type.rawValue, value)
    }

    /// Writes the fields that find a record, and tells how many they are.
    ///
    /// A set's name goes along although the digest covers it, for the server has no other way to learn it; and an empty
    /// one for a record that is in no set, as aerospike-client-c 7.5 does.
    package mutating func writeKeyFields(_ key: Key, sendsUserKey: Bool) -> UInt16 {
        var count: UInt16 = 3
        writeField(.namespace, key.namespace)
        writeField(.set, key.setName)
        writeMultipleIntegers(UInt32(Digest.byteCount + 1), FieldType.digest.rawValue)
        writeDigest(key.digest)
        if sendsUserKey, let userKey = key.userKey {
            writeUserKey(userKey)
            count += 1
        }
        return count
    }

    /// Writes the field of what the application calls a record.
    package mutating func writeUserKey(_ userKey: UserKey) {
        writeField(.userKey) { buffer in
            userKey.withUnsafeBytes { type, bytes in
                buffer.writeInteger(type.rawValue)
                buffer.writeBytes(bytes)
            }
        }
    }
}

extension Key {
    /// Refuses names that the protocol's fields have no room for.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/invalidArgument``.
    package func check() throws(AerospikeError) {
        try Key.check(namespace: namespace, setName: setName)
    }

    /// Refuses a namespace or set whose name is too long, or a namespace without one.
    package static func check(namespace: String, setName: String) throws(AerospikeError) {
        guard (1...AerospikeLimits.namespaceBytesMax).contains(namespace.utf8.count) else {
            throw .invalid(
                "A namespace's name has 1 to \(AerospikeLimits.namespaceBytesMax) bytes, not '\(namespace)'."
            )
        }
        guard setName.utf8.count <= AerospikeLimits.setNameBytesMax else {
            throw .invalid("A set's name has at most \(AerospikeLimits.setNameBytesMax) bytes, not '\(setName)'.")
        }
    }
}
