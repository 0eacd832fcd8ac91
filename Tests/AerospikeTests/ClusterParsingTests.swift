import Aerospike
import Testing

@Suite struct ClusterParsingTests {
    @Test func peersAreRead() throws {
        let list = try PeerList(
            parsing:
                "7,3000,[[A2,,[127.0.0.1:3010]],[A3,tls.example,[[::1]:3020,host.example]],[A4,,[]],[A5,,[[fe80::1]]]]"
        )
        #expect(list.generation == 7)
        #expect(list.peers.map(\.name) == ["A2", "A3", "A4", "A5"])
        #expect(list.peers[0].addresses == [.init(host: "127.0.0.1", port: 3010)])
        #expect(list.peers[1].tlsName == "tls.example")
        #expect(list.peers[1].addresses == [.init(host: "::1", port: 3020), .init(host: "host.example", port: 3000)])
        #expect(list.peers[2].addresses.isEmpty)
        #expect(list.peers[3].addresses == [.init(host: "fe80::1", port: 3000)])
        #expect(try PeerList(parsing: "0,3000,[]").peers.isEmpty)
        #expect(try PeerList(parsing: "1,,[[A,,[h]]]").peers[0].addresses[0].port == 3000)
    }

    @Test func ownAddressesAreRead() throws {
        let addresses = try PeerList.addresses(parsing: "10.0.0.1:3000,[::1]:3001;host")
        #expect(
            addresses == [
                .init(host: "10.0.0.1", port: 3000), .init(host: "::1", port: 3001), .init(host: "host", port: 3000),
            ]
        )
        #expect(try PeerList.addresses(parsing: "").isEmpty)
    }

    @Test(arguments: [
        "", "x", "1", "1,3000", "1,3000,", "1,3000,[", "1,3000,[[", "1,3000,[[A,,[h]]", "1,3000,[[A,,[h]]]x",
        "a,3000,[]",
        "1,99999,[]", "1,3000,[[A,,[h:0]]]", "1,3000,[[A,,[h:x]]]", "1,3000,[[A,,[:3000]]]", "1,3000,[[A,,[[::1]]]",
        "1,3000,[[A,,h]]", "1,3000,[,]",
    ])
    func peersThatAreNoListAreRefused(text: String) {
        #expect(throws: AerospikeError.self) { try PeerList(parsing: text) }
    }

    private static func bitmap(of partitions: [Int]) -> String {
        var bytes = [UInt8](repeating: 0, count: 512)
        for partition in partitions {
            bytes[partition / 8] |= 0x80 >> UInt8(partition % 8)
        }
        return Base64.encode(bytes)
    }

    @Test func replicasAreRead() throws {
        let masters = [0, 7, 8, 63, 64, 4095]
        let text = "test:0,2,\(Self.bitmap(of: masters)),\(Self.bitmap(of: [1]));other:12,1,\(Self.bitmap(of: []))"
        let all = try PartitionOwnership.parse(text)
        #expect(all.map(\.namespace) == ["test", "other"])
        #expect(all.map(\.regime) == [0, 12])
        #expect(all[0].replicaCount == 2)
        #expect((0..<4096).filter { all[0].holds($0) } == masters)
        #expect((0..<4096).filter { all[0].holds($0, asReplica: 1) } == [1])
        #expect(all[0].count() == 6)
        #expect(all[1].count() == 0)
        #expect(!all[0].holds(4096))
        #expect(!all[0].holds(-1))
        #expect(!all[0].holds(0, asReplica: 2))
        #expect(try PartitionOwnership.parse("").isEmpty)
    }

    @Test(arguments: ["test", "test:", "test:0", "test:0,1", "test:0,1,AAAA", "test:x,0", "test:0,2,", "test:0,1,****"])
    func replicasThatAreNoneAreRefused(text: String) {
        #expect(throws: AerospikeError.self) { try PartitionOwnership.parse(text) }
    }

    @Test func randomTextNeverTraps() {
        var generator = SeededGenerator(seed: 6)
        let letters = Array("0123,[]:;A.é")
        for _ in 0..<3000 {
            let length = Int.random(in: 0..<30, using: &generator)
            let text = String((0..<length).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
            _ = try? PeerList(parsing: text)
            _ = try? PeerList(parsing: "1,3000,[" + text)
            _ = try? PeerList.addresses(parsing: text)
            _ = try? PartitionOwnership.parse(text)
            _ = ServerVersion(text)
        }
    }

    @Test func versionsCompareNumberByNumber() throws {
        let version = try #require(ServerVersion("8.1.0.3-12-gabcdef"))
        #expect(version == ServerVersion(8, 1, 0, 3))
        #expect(try #require(ServerVersion("8.1")) < version)
        #expect(try #require(ServerVersion("8.10.0.0")) > version)
        #expect(try #require(ServerVersion("6.0.0.0")) == .oldest)
        #expect(try #require(ServerVersion("5.7.0.31")) < .oldest)
        #expect(ServerVersion("development") == nil)
        #expect(ServerVersion("") == nil)
        #expect("\(version)" == "8.1.0.3")
    }
}
