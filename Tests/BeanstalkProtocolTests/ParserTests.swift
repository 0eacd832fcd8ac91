import BeanspikeCore
import BeanstalkProtocol
import Testing

private let a200 = String(repeating: "a", count: 200)

/// Input and what it must be taken for; the rules are prot.c's of beanstalkd 1.13.
private let cases: [(String, [String])] = [
    // put
    ("put 1 2 3 5\r\nhello\r\n", ["put 1 2 3 hello"]),
    ("put  1   2  3 5\r\nhello\r\n", ["put 1 2 3 hello"]),
    ("put 0 0 0 0\r\n\r\n", ["put 0 0 1 "]),
    ("put 4294967295 4294967295 4294967295 1\r\nx\r\n", ["put 4294967295 4294967295 4294967295 x"]),
    ("put 0 0 1 4\r\n\r\n\r\n\r\n", ["put 0 0 1 \r\n\r\n"]),
    ("put 0 0 1 3\r\na\0b\r\n", ["put 0 0 1 a\0b"]),
    ("put 0 0 1 3\r\nabcd\r\nquit\r\n", ["!expectedCRLF", "!unknownCommand"]),
    ("put 0 0 1 3\r\nabc\n\rquit\r\n", ["!expectedCRLF", "!quit"]),
    ("put 0 0 1 21\r\n" + String(repeating: "x", count: 21) + "\r\nquit\r\n", ["!jobTooBig", "!quit"]),
    ("put 0 0 1 21 junk\r\n" + String(repeating: "\r", count: 23) + "quit\r\n", ["!jobTooBig", "!quit"]),
    ("put 0 0 1 20\r\n" + String(repeating: "x", count: 20) + "\r\n", ["put 0 0 1 xxxxxxxxxxxxxxxxxxxx"]),
    ("put 0 0 1 1 \r\n", ["!badFormat"]),
    ("put 0 0 1 1x\r\n", ["!badFormat"]),
    ("put 0 0 1\r\n", ["!badFormat"]),
    ("put 0,0 1 1\r\n", ["!badFormat"]),
    ("put -1 0 1 1\r\n", ["!badFormat"]),
    ("put 4294967296 0 1 1\r\n", ["!badFormat"]),
    ("put 0 0 1 99999999999999999999\r\n", ["!badFormat"]),
    ("put\r\nput \r\n", ["!unknownCommand", "!badFormat"]),
    // reserve
    ("reserve\r\nreservex\r\nreserve \r\n", ["reserve", "!badFormat", "!badFormat"]),
    ("reserve-with-timeout 0\r\nreserve-with-timeout 2junk\r\n", ["reserve now", "reserve 2000000"]),
    ("reserve-with-timeout 2147483647\r\n", ["reserve 2147483647000000"]),
    ("reserve-with-timeout 2147483648\r\nreserve-with-timeout\r\n", ["!badFormat", "!badFormat"]),
    ("reserve-job 7\r\nreserve-job\r\nreserve-job 7 \r\n", ["reserve-job 7", "!badFormat", "!badFormat"]),
    // a job's number
    ("delete 1\r\ndelete  18446744073709551615\r\n", ["delete 1", "delete 18446744073709551615"]),
    ("delete 18446744073709551616\r\ndelete x\r\ndelete\r\n", ["!badFormat", "!badFormat", "!unknownCommand"]),
    ("delete 0000000000000000000000000000001\r\n", ["delete 1"]),
    ("release 1 2 3\r\nrelease 1 2\r\nrelease 1 2 3 \r\n", ["release 1 2 3 false", "!badFormat", "!badFormat"]),
    ("bury 1 2\r\nbury 1\r\nbury 1 2x\r\n", ["bury 1 2 ", "!badFormat", "!badFormat"]),
    ("touch 1\r\ntouch 1 \r\ntouch\r\n", ["touch 1", "!badFormat", "!unknownCommand"]),
    ("kick-job 1\r\nkick-job x\r\n", ["kick-job 1", "!badFormat"]),
    ("peek 1\r\npeek\r\npeek x\r\n", ["peek 1", "!unknownCommand", "!badFormat"]),
    ("peek-ready\r\npeek-delayed\r\npeek-buried\r\n", ["peek-ready", "peek-delayed", "peek-buried"]),
    ("peek-readyx\r\npeek-buried \r\npeek-x\r\n", ["!badFormat", "!badFormat", "!unknownCommand"]),
    // kick: strtoul into 32 bits
    ("kick 5\r\nkick 5junk\r\nkick \t+5\r\n", ["kick 5", "kick 5", "kick 5"]),
    ("kick -1\r\nkick 4294967296\r\nkick 4294967297\r\n", ["kick 4294967295", "kick 0", "kick 1"]),
    ("kick 18446744073709551616\r\nkick \r\nkick - 5\r\nkick +\r\n", Array(repeating: "!badFormat", count: 4)),
    ("kick\r\n", ["!unknownCommand"]),
    // tubes
    ("use a\r\nwatch b-+/;.$_()\r\nignore 0\r\n", ["use a", "watch b-+/;.$_()", "ignore 0"]),
    ("use \(a200)\r\nuse \(a200)a\r\n", ["use \(a200)", "!badFormat"]),
    (
        "use -a\r\nuse a b\r\nuse  a\r\nuse \r\nuse\r\nwatch \u{e9}\r\n",
        ["!badFormat", "!badFormat", "!badFormat", "!badFormat", "!unknownCommand", "!badFormat"]
    ),
    ("pause-tube a 5\r\npause-tubea 5\r\npause-tube   a   0\r\n", ["pause a 5", "pause a 5", "pause a 0"]),
    (
        "pause-tube a\r\npause-tube a 5x\r\npause-tube -a 5\r\npause-tube \(a200)a 5\r\npause-tube\r\n",
        Array(repeating: "!badFormat", count: 5)
    ),
    (
        "truncate a\r\ntruncate  a\r\ntruncate a \r\ntruncate -\r\n",
        ["truncate a", "truncate a", "!badFormat", "!badFormat"]
    ),
    ("flush-tube a\r\nflush-tube\r\n", ["!flushTubeNext", "truncate a", "!unknownCommand"]),
    // lists and statistics
    ("stats\r\nstatsfoo\r\nstats \r\n", ["stats", "!badFormat", "!badFormat"]),
    (
        "stats-job 3\r\nstats-job\r\nstats-tube a\r\nstats-tube\r\n",
        ["stats-job 3", "!badFormat", "stats-tube a", "!badFormat"]
    ),
    ("list-tubes\r\nlist-tube-used\r\nlist-tubes-watched\r\n", ["list-tubes", "list-tube-used", "list-tubes-watched"]),
    (
        "list-tubesx\r\nlist-tube-used \r\nlist-tubes-watchedx\r\nlist-tube\r\n",
        ["!badFormat", "!badFormat", "!badFormat", "!unknownCommand"]
    ),
    // lines
    ("\r\nPUT\r\n \r\nGET / HTTP/1.1\r\n", Array(repeating: "!unknownCommand", count: 4)),
    ("quit\r\nreserve\r\n", ["!quit"]),
    ("quitters\r\nreserve\r\n", ["!quit"]),
    ("a\0\r\nkick 5\0\r\nquit\0\r\nreserve\r\n", ["!badFormat", "!badFormat", "!badFormat", "reserve"]),
    (String(repeating: "a", count: 222) + "\r\nreserve\r\n", ["!unknownCommand", "reserve"]),
    // beanstalkd throws away the first 224 bytes, the CR among them, and then looks for a whole CRLF.
    (String(repeating: "a", count: 223) + "\r\nreserve\r\ndelete 1\r\n", ["!badFormat", "delete 1"]),
    (String(repeating: "a", count: 224) + "\r\nreserve\r\n", ["!badFormat", "reserve"]),
    (String(repeating: "a", count: 5_000) + "\r\nreserve\r\n", ["!badFormat", "reserve"]),
    // A CR that is not the line's end makes the 224 bytes from the line's start no line.
    ("a\rb\r\n" + String(repeating: "c", count: 219) + "d\r\nreserve\r\n", ["!badFormat", "reserve"]),
    ("reserve\n" + "reserve\r\n", ["!badFormat"]),
]

@Suite("Parser")
struct ParserTests {
    @Test("Each command, each way to get it wrong", arguments: cases)
    func transcript(input: String, expected: [String]) {
        #expect(Transcript.of(input) == expected)
    }

    @Test("Byte by byte it is the same", arguments: cases)
    func byteByByte(input: String, expected: [String]) {
        var transcript = Transcript()
        for byte in input.utf8 { transcript.feed(CollectionOfOne(byte)) }
        #expect(transcript.lines == expected)
        #expect(transcript.leftMax < Limits.commandLineBytesMax)
    }

    @Test("All of it at once and in random pieces is the same")
    func randomPieces() {
        let valid = cases.filter { !$0.1.contains("!quit") }
        let seed = UInt64.random(in: 0 ... .max)
        print("parser pieces: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let chosen = valid.shuffled(using: &random)
            let input = Array(chosen.map(\.0).joined().utf8)
            var transcript = Transcript()
            var position = 0
            while position < input.count {
                let end = min(input.count, position + Int.random(in: 1...400, using: &random))
                transcript.feed(input[position..<end])
                position = end
            }
            var whole = Transcript()
            whole.feed(input)
            #expect(transcript.lines == whole.lines, "seed \(seed)")
        }
    }

    @Test("While draining, a body is taken and turned away, and judged before that")
    func draining() {
        let input = "put 0 0 1 1\r\nx\r\nput 0 0 1 1\r\nxyz" + "put 0 0 1 21\r\n" + String(repeating: "x", count: 23)
        #expect(
            Transcript.of(input + "reserve\r\n", isDraining: true) == [
                "!draining", "!expectedCRLF", "!jobTooBig", "reserve",
            ]
        )
    }

    @Test("Draining counts when the body is complete, not when the line comes")
    func drainingBegins() {
        var transcript = Transcript()
        transcript.feed("put 0 0 1 1\r\nx\r".utf8)
        transcript.feed("\n".utf8, isDraining: true)
        #expect(transcript.lines == ["!draining"])
    }

    @Test("Commands count where beanstalkd counts them")
    func counts() {
        var transcript = Transcript()
        // Counted: too big, trailing junk, a name that pause-tube finds bad. Not counted: bad numbers and names.
        transcript.feed("put 0 0 1 99\r\n\(String(repeating: "x", count: 101))put 0 0 1 1x\r\nput 0 0 x 1\r\n".utf8)
        transcript.feed("pause-tube -a 1\r\npause-tube a\r\nuse -\r\nreservex\r\nreserve\r\ndelete 1\r\n".utf8)
        transcript.feed("reserve-with-timeout 0\r\nkick-job 1\r\nstats\r\n".utf8)
        #expect(transcript.counts[.put] == 2)
        #expect(transcript.counts[.pauseTube] == 1)
        #expect(transcript.counts[.use] == 0)
        #expect(transcript.counts[.reserve] == 1)
        #expect(transcript.counts[.reserveWithTimeout] == 1)
        #expect(transcript.counts[.delete] == 1)
        #expect(transcript.counts[.kick] == 0)
        #expect(transcript.counts[.kickJob] == 1)
        #expect(transcript.counts[.stats] == 1)
    }

    @Test("It stops where enough long replies are asked for, and goes on from there")
    func longReplies() {
        var parser = BeanstalkParser()
        var batch = ParsedCommands()
        let input = Array("delete 1\r\npeek 1\r\npeek 2\r\npeek 3\r\n".utf8)
        let consumed = input.withUnsafeBytes {
            parser.parse($0, isDraining: false, longRepliesMax: 2, into: &batch)
        }
        #expect(batch.commands.count == 3)
        #expect(batch.longReplies == 2)
        #expect(Array(input[consumed...]) == Array("peek 3\r\n".utf8))
    }

    @Test("HTTP's health check is answered where it is asked for", arguments: ["GET / HTTP/1.1", "HEAD / HTTP/1.0"])
    func health(line: String) {
        var parser = BeanstalkParser(answersHealth: true)
        var batch = ParsedCommands()
        let input = Array((line + "\r\nHost: a\r\n\r\n").utf8)
        let consumed = input.withUnsafeBytes { parser.parse($0, isDraining: true, into: &batch) }
        #expect(consumed == input.count)
        #expect(batch.locals == [.init(position: 0, outcome: .health(isHead: line.hasPrefix("H"), isDraining: true))])
        #expect(parser.hasEnded)
    }
}

@Suite("Parser under fuzzing")
struct ParserFuzzTests {
    private static let words = [
        "put ", "put 0 0 1 5\r\n", "put 0 0 1 30\r\n", "reserve", "reserve-with-timeout ", "delete ", "peek-ready",
        "pause-tube", "use ", "kick ", "stats", "list-tubes", "flush-tube ", "\r\n", "\r", "\n", "\0", " ", "1", "99",
        "18446744073709551616", "-", "x", "hello\r\n", "4294967295",
    ].map { Array($0.utf8) }

    @Test("Arbitrary bytes in arbitrary pieces: no crash, bounded memory, the same however they come", arguments: 0..<8)
    func fuzz(round: Int) {
        let seed = UInt64.random(in: 0 ... .max)
        print("parser fuzz \(round): seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var input: [UInt8] = []
            for _ in 0..<Int.random(in: 1...120, using: &random) {
                if Int.random(in: 0..<4, using: &random) == 0 {
                    for _ in 0..<Int.random(in: 0...300, using: &random) {
                        input.append(UInt8.random(in: 0...255, using: &random))
                    }
                } else {
                    input += Self.words.randomElement(using: &random) ?? []
                }
            }
            var whole = Transcript()
            whole.feed(input)
            var pieces = Transcript()
            var position = 0
            while position < input.count {
                let end = min(input.count, position + Int.random(in: 1...90, using: &random))
                pieces.feed(input[position..<end])
                position = end
            }
            #expect(whole.lines == pieces.lines, "seed \(seed)")
            // A line's 224 bytes, less one, are the most that is ever kept where bodies are smaller.
            #expect(max(whole.leftMax, pieces.leftMax) < Limits.commandLineBytesMax, "seed \(seed)")
        }
    }
}
