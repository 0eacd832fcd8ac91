/// The byte that tells what type a value is on the wire (aerospike-server 8.1, base/datamodel.h).
public struct ParticleType: Sendable, Hashable, RawRepresentable {
    /// The byte itself.
    public let rawValue: UInt8

    /// The type of that byte, whether this client knows it or not.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// No value.
    public static let null = ParticleType(rawValue: 0)
    /// A signed integer of 64 bits, big-endian.
    public static let integer = ParticleType(rawValue: 1)
    /// A double, big-endian.
    public static let double = ParticleType(rawValue: 2)
    /// A string in UTF-8.
    public static let string = ParticleType(rawValue: 3)
    /// Bytes.
    public static let blob = ParticleType(rawValue: 4)
    /// A truth value in one byte.
    public static let boolean = ParticleType(rawValue: 17)
    /// A HyperLogLog sketch.
    public static let hyperLogLog = ParticleType(rawValue: 18)
    /// A map in MessagePack.
    public static let map = ParticleType(rawValue: 19)
    /// A list in MessagePack.
    public static let list = ParticleType(rawValue: 20)
    /// A GeoJSON object.
    public static let geoJSON = ParticleType(rawValue: 23)
}
