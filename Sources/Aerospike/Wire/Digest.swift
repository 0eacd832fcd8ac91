package import NIOCore

/// The 20 bytes by which a cluster knows a record: RIPEMD-160 of its set and its key.
///
/// It is kept in three words, so that it costs no allocation and compares at once.
public struct Digest: Sendable, Hashable {
    /// The length of a digest, in bytes.
    public static let byteCount = 20

    /// The number of partitions into which every namespace is divided (aerospike-server 8.1, fabric/partition.h).
    public static let partitionCount = 4096

    // Read as big-endian words, so that comparing words is comparing bytes.
    private let high: UInt64
    private let middle: UInt64
    private let low: UInt32

    /// The digest in 20 bytes, or nil if there are not exactly 20.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Digest.byteCount else { return nil }
        var words: (UInt64, UInt64, UInt32) = (0, 0, 0)
        for (index, byte) in bytes.enumerated() {
            switch index {
            case ..<8: words.0 = words.0 << 8 | UInt64(byte)
            case ..<16: words.1 = words.1 << 8 | UInt64(byte)
            default: words.2 = words.2 << 8 | UInt32(byte)
            }
        }
        (high, middle, low) = words
    }

    /// The digest of a key in a set.
    ///
    /// The hash is taken over the set's name, one byte of key type and the key: 1 for an integer as 8 bytes
    /// big-endian, 3 for a string, 4 for bytes (aerospike-client-c 7.5, as_key.c).
    public init(setName: String, userKey: UserKey) {
        var setName = setName
        self = setName.withUTF8 { set in
            userKey.withUnsafeBytes { type, key in
                let state = RIPEMD160.hash(byteCount: set.count + 1 + key.count) { message in
                    UnsafeMutableRawBufferPointer(rebasing: message[..<set.count]).copyMemory(from: .init(set))
                    message[set.count] = type.rawValue
                    UnsafeMutableRawBufferPointer(rebasing: message[(set.count + 1)...]).copyMemory(from: key)
                }
                return Digest(state)
            }
        }
    }

    private init(_ state: RIPEMD160.State) {
        high = UInt64(state.0.byteSwapped) << 32 | UInt64(state.1.byteSwapped)
        middle = UInt64(state.2.byteSwapped) << 32 | UInt64(state.3.byteSwapped)
        low = state.4.byteSwapped
    }

    /// The partition that the record belongs to, from 0 to 4095: the first 12 bits of the digest read
    /// little-endian (aerospike-server 8.1, fabric/partition.h).
    public var partitionID: Int {
        Int((high >> 56) | ((high >> 48) & 0xff) << 8) & (Digest.partitionCount - 1)
    }

    /// The 20 bytes.
    public var bytes: [UInt8] {
        var buffer = ByteBuffer()
        buffer.writeDigest(self)
        return Array(buffer.readableBytesView)
    }

    fileprivate func write(into buffer: inout ByteBuffer) -> Int {
        buffer.writeMultipleIntegers(high, middle, low)
    }

    fileprivate init(high: UInt64, middle: UInt64, low: UInt32) {
        self.high = high
        self.middle = middle
        self.low = low
    }
}

extension Digest: Comparable {
    /// Whether a digest's bytes come before another's.
    public static func < (left: Digest, right: Digest) -> Bool {
        (left.high, left.middle, left.low) < (right.high, right.middle, right.low)
    }
}

extension Digest: CustomStringConvertible {
    /// The digest in hexadecimal.
    public var description: String {
        [high >> 32, high & 0xffff_ffff, middle >> 32, middle & 0xffff_ffff, UInt64(low)]
            .map { word in
                let digits = String(word, radix: 16)
                return String(repeating: "0", count: 8 - digits.count) + digits
            }
            .joined()
    }
}

extension ByteBuffer {
    /// Writes the 20 bytes of a digest.
    @discardableResult
    package mutating func writeDigest(_ digest: Digest) -> Int {
        digest.write(into: &self)
    }

    /// Reads 20 bytes as a digest, or nil if there are fewer.
    package mutating func readDigest() -> Digest? {
        guard readableBytes >= Digest.byteCount,
            let high = readInteger(as: UInt64.self),
            let middle = readInteger(as: UInt64.self),
            let low = readInteger(as: UInt32.self)
        else { return nil }
        return Digest(high: high, middle: middle, low: low)
    }
}
