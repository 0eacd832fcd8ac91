public import NIOCore

// A member that does not depend on the type that it is looked up on lets whole chains begin with a dot, as in
// `.list(bin: "l").size() == 3`: the compiler looks the first member up on the type of the chain's result.

// MARK: Bins

extension Exp {
    /// A bin that holds a truth value.
    ///
    /// An expression that needs a bin that is missing or of another type is unknown, which filters treat as false.
    public static func bool(bin name: String) -> Exp<Bool> { .bin(name) }

    /// A bin that holds an integer.
    public static func int(bin name: String) -> Exp<Int> { .bin(name) }

    /// A bin that holds a double.
    public static func double(bin name: String) -> Exp<Double> { .bin(name) }

    /// A bin that holds a string.
    public static func string(bin name: String) -> Exp<String> { .bin(name) }

    /// A bin that holds a blob.
    public static func blob(bin name: String) -> Exp<ByteBuffer> { .bin(name) }

    /// A bin that holds a list.
    public static func list(bin name: String) -> Exp<Value.List> { .bin(name) }

    /// A bin that holds a map.
    public static func map(bin name: String) -> Exp<Value.Map> { .bin(name) }

    /// A bin that holds a GeoJSON object.
    public static func geoJSON(bin name: String) -> Exp<GeoJSON> { .bin(name) }

    /// A bin that holds a HyperLogLog sketch.
    public static func hyperLogLog(bin name: String) -> Exp<HyperLogLog> { .bin(name) }

    /// Whether the record has a bin.
    public static func exists(bin name: String) -> Exp<Bool> { .type(ofBin: name) != 0 }

    /// The type of the value in a bin, as ``ParticleType`` numbers it; 0 if there is no such bin.
    public static func type(ofBin name: String) -> Exp<Int> { .init(.binType, [packed(name: name)]) }

    private static func bin(_ name: String) -> Exp {
        Exp(.bin, [packed(number: Int(Output.expTypeCode)), packed(name: name)])
    }

    package static func packed(number: Int) -> [UInt8] {
        number.packedExp
    }

    /// A name, which unlike a string that is a value has no particle type.
    package static func packed(name: String) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.packName(name)
        return Array(buffer.readableBytesView)
    }
}

// MARK: The record's key

extension Exp where Output == Int {
    /// The application's own key, if it is an integer and was stored with the record.
    public static var userKey: Exp { Exp(.userKey, [packed(number: Int(Output.expTypeCode))]) }
}

extension Exp where Output == String {
    /// The application's own key, if it is a string and was stored with the record.
    public static var userKey: Exp { Exp(.userKey, [packed(number: Int(Output.expTypeCode))]) }
}

extension Exp where Output == ByteBuffer {
    /// The application's own key, if it is a blob and was stored with the record.
    public static var userKey: Exp { Exp(.userKey, [packed(number: Int(Output.expTypeCode))]) }
}

// MARK: What the server knows about the record

extension Exp {
    /// Whether the application's own key was stored with the record.
    public static var userKeyExists: Exp<Bool> { .init(.keyExists) }

    /// Whether the record is the tombstone of a deleted one (Enterprise Edition).
    public static var isTombstone: Exp<Bool> { .init(.isTombstone) }

    /// The record's set.
    public static var setName: Exp<String> { .init(.setName) }

    /// When the record was last written, in nanoseconds of Unix time, to the millisecond.
    public static var lastUpdate: Exp<Int> { .init(.lastUpdate) }

    /// How long ago the record was last written, in milliseconds.
    public static var sinceUpdate: Exp<Int> { .init(.sinceUpdate) }

    /// When the record ends, in nanoseconds of Unix time; -1 if never.
    public static var voidTime: Exp<Int> { .init(.voidTime) }

    /// How long the record has to live, in seconds; -1 for ever.
    public static var timeToLive: Exp<Int> { .init(.timeToLive) }

    /// How many bytes the record takes (server 7.0 and later).
    public static var recordSize: Exp<Int> { .init(.recordSize) }

    /// How many bytes the record takes on a device.
    ///
    /// Servers from 7.0 on have ``recordSize`` in its place, but still know it.
    public static var deviceSize: Exp<Int> { .init(.deviceSize) }

    /// How many bytes the record takes in memory.
    ///
    /// Servers from 7.0 on have ``recordSize`` in its place, but still know it.
    public static var memorySize: Exp<Int> { .init(.memorySize) }

    /// The rest of the record's digest, read as a number, by a divisor: it samples records evenly.
    public static func digestModulo(_ divisor: Int) -> Exp<Int> {
        .init(.digestModulo, [packed(number: divisor)])
    }
}
