import AerospikeTestKit
import BeanspikeCore
import NIOCore
import Testing

@testable import AerospikeStore

struct PeerMessageTests {
    static let messages: [PeerMessage] = [
        .waits(version: 7, isBeginning: true, []),
        .waits(
            version: .max,
            isBeginning: false,
            [.init(tube: .default, isWaiting: true), .init(tube: longest, isWaiting: false)]
        ),
        .work(.default, priority: 0), .work(longest, priority: .max), .pause(longest),
        .ask(1, .sessions(longest)), .ask(.max, .tubes), .ask(0, .waiting),
        .answer(1, .sessions(using: 1, watching: .max, waiting: 0), isLast: true),
        .answer(2, .tubes([.default, longest]), isLast: false), .answer(2, .tubes([]), isLast: true),
        .answer(3, .waiting(9), isLast: true),
    ]

    static let longest = TubeName(String(repeating: "x", count: Limits.tubeNameBytesMax)) ?? .default

    @Test func limitsAgree() {
        #expect(PeerLimits.areConsistent)
    }

    @Test func whatIsWrittenIsRead() throws {
        var buffer = ByteBuffer()
        Self.messages.forEach { buffer.writeMessage($0) }
        for message in Self.messages {
            #expect(try buffer.readMessage() == message)
        }
        #expect(try buffer.readMessage() == nil)
    }

    @Test(arguments: messages) func whatEndsTooSoonIsAViolation(_ message: PeerMessage) throws {
        var whole = ByteBuffer()
        whole.writeMessage(message)
        for length in 1..<whole.readableBytes {
            var part = try #require(whole.getSlice(at: 0, length: length))
            #expect(throws: PeerViolation.self) { _ = try part.readMessage() }
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func garbageNeverTraps(seed: UInt64) {
        var dice = Dice(seed: seed)
        for _ in 0..<500 {
            var buffer = ByteBuffer()
            Self.messages.randomElement(using: &dice).map { buffer.writeMessage($0) }
            for _ in 0..<3 {
                let place = Int.random(in: 0..<buffer.readableBytes, using: &dice)
                buffer.setInteger(UInt8.random(in: .min ... .max, using: &dice), at: place)
            }
            // A violation or messages, and nothing else.
            while let message = try? buffer.readMessage() {
                var again = ByteBuffer()
                again.writeMessage(message)
                let back = try? again.readMessage()
                #expect(back == message)
            }
        }
    }
}
