public import NIOCore

/// What an application calls a record, before it is hashed.
public enum UserKey: Sendable, Hashable {
    /// A signed integer of 64 bits.
    case integer(Int64)
    /// A string, hashed as its UTF-8 bytes.
    case string(String)
    /// Bytes.
    case blob(ByteBuffer)

    /// The value that the key is stored as when it is sent along with a record.
    public var value: Value {
        switch self {
        case .integer(let integer): .integer(integer)
        case .string(let string): .string(string)
        case .blob(let bytes): .blob(bytes)
        }
    }

    /// Lends the key's bytes as they are hashed and sent, with the particle type that goes before them.
    package func withUnsafeBytes<Result>(_ body: (ParticleType, UnsafeRawBufferPointer) -> Result) -> Result {
        switch self {
        case .integer(let integer):
            return Swift.withUnsafeBytes(of: integer.bigEndian) { body(.integer, $0) }
        case .string(var string):
            return string.withUTF8 { body(.string, UnsafeRawBufferPointer($0)) }
        case .blob(let bytes):
            return bytes.withUnsafeReadableBytes { body(.blob, $0) }
        }
    }
}

extension UserKey: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    /// An integer key.
    public init(integerLiteral value: Int64) {
        self = .integer(value)
    }

    /// A string key.
    public init(stringLiteral value: String) {
        self = .string(value)
    }
}

/// Where a record is: a namespace, and a digest made of its set and key.
public struct Key: Sendable {
    /// The namespace, at most 31 bytes.
    public let namespace: String

    /// The set, at most 63 bytes; empty for records that are in none.
    public let setName: String

    /// What the application calls the record; nil where only its digest is known, as in a query's answer for a
    /// record whose key was not stored with it.
    public let userKey: UserKey?

    /// The hash of set and key, by which the cluster finds the record.
    public let digest: Digest

    /// The key of a record, hashed at once.
    ///
    /// - Parameters:
    ///   - namespace: the namespace, at most 31 bytes.
    ///   - setName: the set, at most 63 bytes; empty for none.
    ///   - userKey: what the application calls the record.
    public init(namespace: String, set setName: String = "", _ userKey: UserKey) {
        self.namespace = namespace
        self.setName = setName
        self.userKey = userKey
        digest = Digest(setName: setName, userKey: userKey)
    }

    /// The key of a record of which only the digest is known.
    public init(namespace: String, set setName: String = "", digest: Digest, userKey: UserKey? = nil) {
        self.namespace = namespace
        self.setName = setName
        self.userKey = userKey
        self.digest = digest
    }

    /// The partition that the record belongs to, from 0 to 4095.
    public var partitionID: Int { digest.partitionID }
}

extension Key: Hashable {
    /// Whether two keys find the same record; what the application calls it does not matter.
    public static func == (left: Key, right: Key) -> Bool {
        left.digest == right.digest && left.namespace == right.namespace
    }

    /// Feeds what makes the key equal to another into a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(digest)
        hasher.combine(namespace)
    }
}

extension Key: CustomStringConvertible {
    /// Namespace, set and digest; never the application's own key, which may be private.
    public var description: String {
        setName.isEmpty ? "\(namespace)::\(digest)" : "\(namespace):\(setName):\(digest)"
    }
}
