/// A tube's name, checked: letters, digits and `-+/;.$_()`, not starting with `-`, 1 to 200 bytes.
///
/// Source: protocol.txt, "Tubes"; prot.c, `is_valid_tube`.
public struct TubeName: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The name itself.
    public let description: String

    /// The tube that every session uses and watches at first.
    public static let `default` = TubeName(unchecked: "default")

    private init(unchecked: String) { description = unchecked }

    /// The name, or nil where it breaks a rule.
    public init?(_ name: String) {
        var name = name
        guard let checked = name.withUTF8({ TubeName(utf8: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = checked
    }

    /// The name in these bytes, or nil where it breaks a rule.
    public init?(utf8 bytes: UnsafeRawBufferPointer) {
        guard TubeName.isValid(bytes) else { return nil }
        description = String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the bytes are a tube's name.
    public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard (1...Limits.tubeNameBytesMax).contains(bytes.count), bytes[0] != UInt8(ascii: "-") else { return false }
        return bytes.allSatisfy(isAllowed)
    }

    /// Whether a tube's name may have this byte in it.
    public static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: ";"), UInt8(ascii: "."),
            UInt8(ascii: "$"), UInt8(ascii: "_"), UInt8(ascii: "("), UInt8(ascii: ")"):
            true
        default:
            false
        }
    }

    /// By bytes.
    public static func < (a: TubeName, b: TubeName) -> Bool { a.description < b.description }
}
