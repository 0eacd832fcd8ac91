import BeanspikeCore
import Testing

/// What may be a tube's name (protocol.txt; prot.c, `is_valid_tube`).
@Suite struct TubeNameTests {
    @Test(arguments: ["a", "default", "0", "A-+/;.$_()z", "tube-1", "$", "(x)", String(repeating: "x", count: 200)])
    func isOne(_ name: String) throws {
        let tube = try #require(TubeName(name))
        #expect(tube.description == name)
        let fromBytes = Array(name.utf8).withUnsafeBytes { TubeName(utf8: $0) }
        #expect(fromBytes == tube)
    }

    @Test(arguments: [
        "", "-", "-a", "a b", "a\t", "a\n", "a\0", "a,b", "a:b", "ä", "a*", "a[", "`", "@", "{", "/a b",
        String(repeating: "x", count: 201),
    ])
    func isNone(_ name: String) {
        #expect(TubeName(name) == nil)
        #expect(!Array(name.utf8).withUnsafeBytes { TubeName.isValid($0) })
    }

    @Test func exactlyTheseBytesAreAllowed() {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-+/;.$_()".utf8)
        for byte in UInt8.min...UInt8.max { #expect(TubeName.isAllowed(byte) == allowed.contains(byte), "\(byte)") }
    }

    @Test func bytesThatAreNoTextAreNoName() {
        #expect([UInt8]([0xFF, 0x61]).withUnsafeBytes { TubeName(utf8: $0) } == nil)
    }

    @Test func orderIsByBytes() throws {
        let names = try ["b", "a", "B", "a1", "$"].map { try #require(TubeName($0)) }
        #expect(names.sorted().map(\.description) == ["$", "B", "a", "a1", "b"])
    }
}
