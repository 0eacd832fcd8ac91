import BeanspikeCore
import NIOCore
import Testing

@testable import AerospikeStore

struct PeerOutboxTests {
    private func tubes(_ count: Int) throws -> [TubeName] {
        try (0..<count).map { try #require(TubeName("tube-\($0)")) }
    }

    private func messages(_ payloads: [ByteBuffer]) throws -> [PeerMessage] {
        try payloads.flatMap { payload in
            #expect(payload.readableBytes <= PeerLimits.payloadBytesMax)
            var payload = payload
            var messages: [PeerMessage] = []
            while let message = try payload.readMessage() { messages.append(message) }
            return messages
        }
    }

    @Test func newsOfATubeAreMerged() throws {
        var outbox = PeerOutbox()
        outbox.add(work: .default, priority: 5)
        outbox.add(work: .default, priority: 2)
        outbox.add(work: .default, priority: 9)
        outbox.add(pause: .default)
        outbox.add(pause: .default)
        let sent = try messages(outbox.take(waits: [], version: 0))
        #expect(sent == [.work(.default, priority: 2), .pause(.default)])
        #expect(outbox.isEmpty)
        #expect(outbox.take(waits: [], version: 0) == [])
    }

    @Test func aFloodIsDropped() throws {
        var outbox = PeerOutbox()
        let tubes = try tubes(PeerLimits.newsMax + 50)
        for tube in tubes {
            outbox.add(work: tube, priority: 1)
            outbox.add(pause: tube)
        }
        #expect(outbox.droppedCount == 100)
        for id in 0..<UInt64(PeerLimits.questionsMax) { #expect(outbox.add(question: .waiting, id: id) == true) }
        #expect(outbox.add(question: .waiting, id: 1_000) == false)
        for id in 0..<100_000 as Range<UInt64> { outbox.add(answer: .waiting(1), id: id) }
        #expect(outbox.droppedCount == 100 + 100_000 - PeerLimits.answerBytesMax / 64)
        let bytes = outbox.take(waits: [], version: 0).reduce(0) { $0 + $1.readableBytes }
        #expect(bytes < PeerLimits.answerBytesMax * 2)
    }

    @Test func tooManyChangesOfWaitsBecomeAListOfAll() throws {
        var outbox = PeerOutbox()
        outbox.add(wait: .default, isWaiting: true)
        outbox.add(wait: .default, isWaiting: false)
        #expect(
            try messages(outbox.take(waits: [], version: 2))
                == [.waits(version: 2, isBeginning: false, [.init(tube: .default, isWaiting: false)])]
        )
        let tubes = try tubes(PeerLimits.changesMax + 1)
        tubes.forEach { outbox.add(wait: $0, isWaiting: true) }
        #expect(outbox.tellsAllWaits)
        var waits = PeerWaits()
        for message in try messages(outbox.take(waits: Set(tubes), version: 9)) {
            guard case .waits(let version, let isBeginning, let list) = message else {
                Issue.record("no waits")
                continue
            }
            _ = waits.take(version: version, isBeginning: isBeginning, list)
        }
        #expect(waits.tubes == Set(tubes))
    }

    @Test func aLongAnswerComesInParts() throws {
        var outbox = PeerOutbox()
        let tubes = try tubes(1_000)
        outbox.add(answer: .tubes(tubes), id: 4)
        var got: [TubeName] = []
        var ends = 0
        for message in try messages(outbox.take(waits: [], version: 0)) {
            guard case .answer(4, .tubes(let part), let isLast) = message else { continue }
            got += part
            if isLast { ends += 1 }
        }
        #expect(got == tubes)
        #expect(ends == 1)
    }
}

struct PeerWaitsTests {
    @Test func followsChangesAndPassesOverOldOnes() throws {
        let (a, b) = (try #require(TubeName("a")), try #require(TubeName("b")))
        var waits = PeerWaits()
        #expect(waits.take(version: 1, isBeginning: true, [.init(tube: a, isWaiting: true)]).began == [a])
        #expect(waits.take(version: 2, isBeginning: false, [.init(tube: b, isWaiting: true)]).began == [b])
        // It came a slower way.
        let old = waits.take(version: 1, isBeginning: false, [.init(tube: b, isWaiting: false)])
        #expect(old == .init())
        let change = waits.take(
            version: 5,
            isBeginning: true,
            [.init(tube: b, isWaiting: true), .init(tube: .default, isWaiting: true)]
        )
        #expect(change == .init(began: [.default], ended: [a]))
        #expect(waits.take(version: 6, isBeginning: false, [.init(tube: a, isWaiting: false)]) == .init())
        #expect(Set(waits.forget()) == [b, .default])
        #expect(waits.take(version: 6, isBeginning: true, [.init(tube: b, isWaiting: true)]).began == [b])
    }
}

struct PeerDiallingTests {
    @Test func pausesLongerAfterEachFailure() {
        var dialling = PeerLink.Dialling()
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        var pauses: [Int64] = []
        for _ in 0..<12 {
            #expect(dialling.canBegin)
            dialling.begin()
            #expect(!dialling.canBegin)
            pauses.append(dialling.failed(at: now, chance: 0).nanoseconds / 1_000_000)
            #expect(!dialling.canBegin)
            dialling.paused()
        }
        #expect(pauses == [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000, 5_000])
        // A connection that lasts makes it good; one that does not makes it no better.
        dialling.begin()
        dialling.succeeded(at: now)
        #expect(dialling.failed(at: now + .seconds(1), chance: 1) == .milliseconds(2_500))
        dialling.paused()
        dialling.succeeded(at: now)
        #expect(dialling.failed(at: now + .seconds(60), chance: 0) == .milliseconds(50))
    }
}
