import Aerospike
import NIOCore
import Testing

@Suite struct DigestTests {
    /// The vectors of the function's authors (https://homes.esat.kuleuven.be/~bosselae/ripemd160.html).
    @Test(arguments: [
        ("", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        ("a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe"),
        ("abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        ("message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"),
        ("abcdefghijklmnopqrstuvwxyz", "f71c27109c692c1b56bbdceb5b9d2865b3708dbc"),
        ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "12a053384a9c0c88e405a06c27dcf49ada62eb2b"),
        (
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            "b0e20b6e3116640286ed3a87a5713079b21f5189"
        ),
        (String(repeating: "1234567890", count: 8), "9b752e45573d4b39f4dbd3323cab82bf63326bfb"),
        (String(repeating: "a", count: 1_000_000), "52783243c1697bdbe16d37f97f68f08325dc1528"),
    ])
    func hashesAsItsAuthorsDid(message: String, hash: String) {
        #expect(RIPEMD160.hash(Array(message.utf8)).hex == hash)
    }

    /// Keys of every type and length hash as the Python client hashes them.
    @Test func digestsAreThoseOfThePythonClient() throws {
        let vectors = GoldenVectors.lines(PackageResources.keys_txt)
        #expect(vectors.count == 150)
        for words in vectors {
            let setName = words[0] == "-" ? "" : String(decoding: [UInt8](hex: words[0]), as: UTF8.self)
            var bytes = ByteBuffer(hex: words[2])
            let userKey: UserKey
            switch words[1] {
            case "integer":
                let integer = bytes.readInteger(as: Int64.self)
                userKey = .integer(try #require(integer))
            case "string": userKey = .string(String(buffer: bytes))
            default: userKey = .blob(bytes)
            }
            let key = Key(namespace: "test", set: setName, userKey)
            #expect(key.digest.description == words[3], "\(words)")
            #expect(key.digest.bytes.hex == words[3])
            #expect(Digest(key.digest.bytes) == key.digest)
            // The first two bytes, the lower first, and of them 12 bits.
            let first = key.digest.bytes
            #expect(key.partitionID == (Int(first[0]) | Int(first[1]) << 8) & 4095)
        }
    }

    @Test func aDigestHasTwentyBytes() {
        #expect(Digest([UInt8](repeating: 1, count: 19)) == nil)
        #expect(Digest([UInt8](repeating: 1, count: 21)) == nil)
        var short = ByteBuffer(repeating: 7, count: 19)
        #expect(short.readDigest() == nil)
        #expect(short.readableBytes == 19)
    }

    @Test func keysAreEqualWhenTheyFindTheSameRecord() {
        let key = Key(namespace: "test", set: "s", "k")
        #expect(key == Key(namespace: "test", set: "s", digest: key.digest))
        #expect(key != Key(namespace: "other", set: "s", "k"))
        #expect(key != Key(namespace: "test", set: "s", .blob(ByteBuffer(string: "k"))))
        #expect(Set([key, Key(namespace: "test", set: "s", digest: key.digest)]).count == 1)
    }

    @Test(arguments: ["", "f", "fo", "foo", "foob", "fooba", "foobar"])
    func base64GoesThereAndBack(text: String) {
        #expect(Base64.decode(Base64.encode(Array(text.utf8))) == Array(text.utf8))
    }

    @Test func base64IsThatOfTheStandard() {
        #expect(Base64.encode(Array("fooba".utf8)) == "Zm9vYmE=")
        #expect(Base64.encode([0xfb, 0xff, 0xfe]) == "+//+")
        for wrong in ["Zm9", "Zm9v====", "Z=9v", "Zm9*", "=", "===="] {
            #expect(Base64.decode(wrong) == nil, "\(wrong)")
        }
    }
}
