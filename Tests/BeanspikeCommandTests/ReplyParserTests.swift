import BeanspikeCore
import Testing

@testable import BeanspikeCommand

@Suite struct ReplyParserTests {
    /// A bit of everything that servers send.
    private static let stream =
        "INSERTED 12\r\nUSING mails\r\nRESERVED 7 4\r\n\r\n\0\n\r\nTIMED_OUT\r\nOK 14\r\n---\n- default\n\r\n"
        + "FOUND 9 0\r\n\r\nKICKED 3\r\n"

    private static let replies = [
        ServerReply(words: ["INSERTED", "12"], body: nil),
        ServerReply(words: ["USING", "mails"], body: nil),
        ServerReply(words: ["RESERVED", "7", "4"], body: Array("\r\n\0\n".utf8)),
        ServerReply(words: ["TIMED_OUT"], body: nil),
        ServerReply(words: ["OK", "14"], body: Array("---\n- default\n".utf8)),
        ServerReply(words: ["FOUND", "9", "0"], body: []),
        ServerReply(words: ["KICKED", "3"], body: nil),
    ]

    @Test(arguments: [1, 2, 3, 5, 7, 16, 1_000])
    func takesRepliesInPiecesOfAnySize(pieceBytes: Int) throws {
        var parser = ReplyParser()
        var replies: [ServerReply] = []
        let bytes = Array(Self.stream.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
            parser.append(bytes[start..<min(bytes.count, start + pieceBytes)])
            while let reply = try parser.next() { replies.append(reply) }
        }
        #expect(replies == Self.replies)
    }

    @Test(arguments: [
        ("\r\n", ReplyError.malformedLine),
        ("INS\u{E9}RTED 1\r\n", .malformedLine),
        ("INSERTED\0 1\r\n", .malformedLine),
        ("RESERVED 1\r\n", .malformedLine),
        ("RESERVED x 1\r\n", .malformedLine),
        ("RESERVED 1 -1\r\n", .malformedLine),
        ("RESERVED 1 1 1\r\n", .malformedLine),
        ("OK +5\r\n", .malformedLine),
        ("OK \r\n", .malformedLine),
        ("OK 99999999999999999999999\r\n", .bodyTooLong),
        ("FOUND 1 1073741825\r\n", .bodyTooLong),
        ("OK 2\r\nabc\r\n", .bodyWithoutEnd),
        ("OK 2\r\nab\n\n", .bodyWithoutEnd),
    ])
    func refusesWhatIsNoReply(text: String, error: ReplyError) {
        var parser = ReplyParser()
        parser.append(Array(text.utf8))
        #expect(throws: error) { try parser.next() }
        // What comes after means nothing any more.
        parser.append(Array("INSERTED 1\r\n".utf8))
        #expect(throws: error) { try parser.next() }
    }

    @Test func aLineWithoutEndIsRefusedOnceItIsTooLong() throws {
        var parser = ReplyParser()
        for _ in 1..<ReplyParser.lineBytesMax {
            parser.append([UInt8(ascii: "A")])
            #expect(try parser.next() == nil)
        }
        parser.append([UInt8(ascii: "A")])
        #expect(throws: ReplyError.lineTooLong) { try parser.next() }
    }

    @Test func manyRepliesInOnePieceAndALongRunTakeBoundedRoom() throws {
        var parser = ReplyParser()
        let piece = Array(String(repeating: "RESERVED 18446744073709551615 3\r\nabc\r\n", count: 100).utf8)
        var count = 0
        for _ in 0..<100 {
            parser.append(piece)
            while let reply = try parser.next() {
                #expect(reply.number(at: 1) == .max)
                count += 1
            }
            #expect(parser.bufferedBytes <= 200_000)
        }
        #expect(count == 10_000)
    }

    @Test(arguments: 0..<200)
    func survivesArbitraryBytes(seed: UInt64) {
        var random = SplitMix64(state: seed)
        var parser = ReplyParser()
        let alphabet = Array("RESERVED OK FOUND 0123456789\r\n\0\u{FF}".utf8)
        for _ in 0..<200 {
            let piece = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            parser.append(piece)
            do {
                while let reply = try parser.next() { #expect(!reply.words.isEmpty) }
            } catch {
                #expect(parser.bufferedBytes <= 40)
            }
        }
    }
}

extension ReplyParser {
    fileprivate mutating func append(_ bytes: some Collection<UInt8>) {
        Array(bytes).withUnsafeBytes { append($0) }
    }
}

/// Numbers that come again with the same seed.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
