import BeanspikeCore
import Testing

@testable import Beanspike

/// Where the messages of other processes are taken.
@Suite struct PeerListeningTests {
    @Test(
        arguments: [
            ("off", .off), ("10.0.0.5", .address(host: "10.0.0.5", port: 0)),
            ("10.0.0.5:11400", .address(host: "10.0.0.5", port: 11_400)),
            ("a.example:0", .address(host: "a.example", port: 0)),
            ("[::1]", .address(host: "::1", port: 0)), ("[fd00::2]:65535", .address(host: "fd00::2", port: 65_535)),
        ] as [(String, PeerListening)]
    )
    func isRead(text: String, listening: PeerListening) {
        #expect(PeerListening(text) == listening)
    }

    @Test(arguments: [
        "", ":", ":1", "a:", "a:x", "a:65536", "a:-1", "::1", "[::1", "[]", "[::1]1", "[::1]:", "a b", "ä",
    ])
    func isRefused(text: String) {
        #expect(PeerListening(text) == nil)
    }

    @Test func theAddressTowardsTheClusterIsFound() throws {
        let loopback = StoreLocation.Node(host: "127.0.0.1")
        // Too long for a name: nobody is asked.
        let nowhere = StoreLocation.Node(host: String(repeating: "a", count: 300))
        let automatic = try PeerListening.automatic.resolve(towards: [nowhere, loopback], advertisedHost: "b")
        #expect(automatic == .init(host: "127.0.0.1", port: 0, advertisedHost: "b"))
        #expect(try PeerListening.off.resolve(towards: [nowhere], advertisedHost: nil) == nil)
        let given = PeerListening.address(host: "10.0.0.5", port: 7)
        #expect(try given.resolve(towards: [nowhere], advertisedHost: nil) == .init(host: "10.0.0.5", port: 7))
        // What stands for all addresses is none that others could connect to.
        let every = PeerListening.address(host: "0.0.0.0", port: 7)
        let told = try every.resolve(towards: [loopback], advertisedHost: nil)
        #expect(told == .init(host: "0.0.0.0", port: 7, advertisedHost: "127.0.0.1"))
        let error = try #require(throws: JobStoreError.self) {
            try PeerListening.automatic.resolve(towards: [nowhere], advertisedHost: nil)
        }
        #expect(error.code == .cannotOpen)
    }
}
