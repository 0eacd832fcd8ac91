public import NIOCore

// MARK: Bins

extension Exp {
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

extension Exp where Output == Bool {
    /// A bin that holds a truth value.
    ///
    /// An expression that needs a bin that is missing or of another type is unknown, which filters treat as false.
    public static func bool(bin name: String) -> Exp { bin(name) }

    /// Whether the record has a bin.
    public static func exists(bin name: String) -> Exp { .type(ofBin: name) != 0 }
}

extension Exp where Output == Int {
    /// A bin that holds an integer.
    public static func int(bin name: String) -> Exp { bin(name) }

    /// The type of the value in a bin, as ``ParticleType`` numbers it; 0 if there is no such bin.
    public static func type(ofBin name: String) -> Exp { Exp(.binType, [packed(name: name)]) }
}

extension Exp where Output == Double {
    /// A bin that holds a double.
    public static func double(bin name: String) -> Exp { bin(name) }
}

extension Exp where Output == String {
    /// A bin that holds a string.
    public static func string(bin name: String) -> Exp { bin(name) }
}

extension Exp where Output == ByteBuffer {
    /// A bin that holds a blob.
    public static func blob(bin name: String) -> Exp { bin(name) }
}

extension Exp where Output == Value.List {
    /// A bin that holds a list.
    public static func list(bin name: String) -> Exp { bin(name) }
}

extension Exp where Output == Value.Map {
    /// A bin that holds a map.
    public static func map(bin name: String) -> Exp { bin(name) }
}

extension Exp where Output == GeoJSON {
    /// A bin that holds a GeoJSON object.
    public static func geoJSON(bin name: String) -> Exp { bin(name) }
}

extension Exp where Output == HyperLogLog {
    /// A bin that holds a HyperLogLog sketch.
    public static func hyperLogLog(bin name: String) -> Exp { bin(name) }
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

extension Exp where Output == Bool {
    /// Whether the application's own key was stored with the record.
    public static var userKeyExists: Exp { Exp(.keyExists) }

    /// Whether the record is the tombstone of a deleted one (Enterprise Edition).
    public static var isTombstone: Exp { Exp(.isTombstone) }
}

// MARK: What the server knows about the record

extension Exp where Output == String {
    /// The record's set.
    public static var setName: Exp { Exp(.setName) }
}

extension Exp where Output == Int {
    /// When the record was last written, in nanoseconds of Unix time, to the millisecond.
    public static var lastUpdate: Exp { Exp(.lastUpdate) }

    /// How long ago the record was last written, in milliseconds.
    public static var sinceUpdate: Exp { Exp(.sinceUpdate) }

    /// When the record ends, in nanoseconds of Unix time; -1 if never.
    public static var voidTime: Exp { Exp(.voidTime) }

    /// How long the record has to live, in seconds; -1 for ever.
    public static var timeToLive: Exp { Exp(.timeToLive) }

    /// How many bytes the record takes (server 7.0 and later).
    public static var recordSize: Exp { Exp(.recordSize) }

    /// How many bytes the record takes on a device.
    ///
    /// Servers from 7.0 on have ``recordSize`` in its place, but still know it.
    public static var deviceSize: Exp { Exp(.deviceSize) }

    /// How many bytes the record takes in memory.
    ///
    /// Servers from 7.0 on have ``recordSize`` in its place, but still know it.
    public static var memorySize: Exp { Exp(.memorySize) }

    /// The rest of the record's digest, read as a number, by a divisor: it samples records evenly.
    public static func digestModulo(_ divisor: Int) -> Exp {
        Exp(.digestModulo, [packed(number: divisor)])
    }
}
