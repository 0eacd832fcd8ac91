import Aerospike
import AerospikeTestKit
import BeanspikeCore
import Synchronization
import Testing

@testable import AerospikeStore

/// The directory of a tube, one client at a time.
struct TubeDirectoryTests {
    private func ready(_ priority: UInt32, _ job: UInt64 = 1) -> DirectoryKey { .ready(priority: priority, job: job) }

    @Test(arguments: StoreUnderTest.all) func segmentsAreFoundInOrder(_ server: StoreUnderTest) async throws {
        try await server.withClient { client, layout in
            let directory = try await TubeDirectory.make(client, layout)
            #expect(try await directory.best(.ready, limit: 3).isEmpty)
            var positions: [Int] = []
            for segment in 1...20 {
                let key = ready(UInt32(100 - segment % 5), UInt64(segment * 128))
                positions.append(try await directory.add(segment, key: key))
            }
            #expect(positions == Array(0..<20))
            let best = try await directory.best(.ready, limit: 6)
            #expect(best.map(\.segment) == [4, 9, 14, 19, 3, 8])
            #expect(best[0].key == ready(96, 512))
            // Once more, and it is as it was.
            #expect(try await directory.list(.ready, at: 7, segment: 8, ready(97, 1024)))
            #expect(try await directory.list(.ready, at: 7, segment: 8, ready(99)))
            #expect(try await directory.best(.ready, limit: 6).map(\.segment) == [4, 9, 14, 19, 3, 8])
            // Lower, and raised by who has seen it.
            #expect(try await directory.list(.ready, at: 7, segment: 8, ready(5)))
            let first = try await directory.best(.ready, limit: 1)[0]
            #expect(first.segment == 8)
            #expect(try await directory.raise(first, to: ready(200)))
            #expect(try await !directory.raise(first, to: nil))
            #expect(try await directory.best(.ready, limit: 1).map(\.segment) == [4])
            // Not listed by what it was never listed by.
            #expect(try await directory.best(.wake, limit: 1).isEmpty)
            #expect(try await directory.list(.wake, at: 2, segment: 3, .time(5000)))
            #expect(try await directory.list(.wake, at: 3, segment: 4, .time(4000)))
            #expect(try await directory.best(.wake, limit: 9).map(\.segment) == [4, 3])
            let due = try await directory.look([DirectoryQuestion(.wake, limit: 9, before: .time(4500))]).answers[0]
            #expect(due.entries.map(\.segment) == [4])
            #expect(due.rest == .time(5000))
        }
    }

    @Test(arguments: StoreUnderTest.all) func leavesAreMergedAndMended(_ server: StoreUnderTest) async throws {
        try await server.withClient { client, layout in
            let directory = try await TubeDirectory.make(client, layout)
            // In 40 leaves, each better than the one before.
            for leaf in 0..<40 {
                let place = Place(leaf: leaf, offset: leaf)
                #expect(try await directory.add(leaf + 1, at: place, key: ready(UInt32(1000 - leaf))))
            }
            #expect(try await directory.best(.ready, limit: 1).map(\.segment) == [40])
            for leaf in (2..<40).reversed() {
                let position = Place(leaf: leaf, offset: leaf).position
                #expect(try await directory.retire(leaf + 1, at: position, totals: RetiredTotals(puts: 2, deletes: 1)))
                #expect(try await !directory.retire(leaf + 1, at: position, totals: RetiredTotals(puts: 2)))
            }
            // 38 leaves promise what they do not keep.
            #expect(try await directory.best(.ready, limit: 1).map(\.segment) == [2])
            // The root, and then a batch of two leaves, which may be on two nodes.
            let requests = try await client.requests {
                let best = try await directory.best(.ready, limit: 1)
                #expect(best.map(\.segment) == [2])
            }
            #expect((2...3).contains(requests))
            #expect(try await directory.totals() == RetiredTotals(puts: 76, deletes: 38))
            let isLive = try await directory.isLive(1, at: 0)
            #expect(isLive)
            #expect(try await !directory.isLive(2, at: 0))
            var live: [LiveSegment] = []
            for try await page in try await directory.liveSegments() { live += page }
            #expect(live.map(\.segment) == [1, 2])
            #expect(live.map(\.position) == [0, StoreLimits.leafSegments + 1])
            // Nobody lists what is no longer live, and nothing brings it back.
            #expect(try await !directory.list(.ready, at: Place(leaf: 5, offset: 5).position, segment: 6, ready(1)))
            #expect(try await !directory.add(6, at: Place(leaf: 5, offset: 5), key: ready(1)))
            #expect(try await !directory.add(5, at: Place(leaf: 5, offset: 5), key: ready(1)))
            #expect(try await directory.add(41, at: Place(leaf: 5, offset: 5), key: ready(1)))
            #expect(try await directory.best(.ready, limit: 1).map(\.segment) == [41])
        }
    }

    @Test(arguments: StoreUnderTest.all) func roundTripsAreFew(_ server: StoreUnderTest) async throws {
        try await server.withClient { client, layout in
            let directory = try await TubeDirectory.make(client, layout)
            _ = try await directory.add(1, key: ready(0))
            try await client.expect(requests: 3) { _ = try await directory.add(2, key: ready(0, 129)) }
            try await client.expect(requests: 1) {
                _ = try await directory.list(.ready, at: 1, segment: 2, ready(0, 5))
            }
            try await client.expect(requests: 3) { _ = try await directory.list(.wake, at: 1, segment: 2, .time(9)) }
            try await client.expect(requests: 1) { _ = try await directory.list(.wake, at: 0, segment: 1, .time(9)) }
            try await client.expect(requests: 3) { _ = try await directory.list(.wake, at: 0, segment: 1, .time(8)) }
            let questions = [
                DirectoryQuestion(.ready, limit: 4), DirectoryQuestion(.wake, limit: 4, before: .time(100)),
            ]
            let look = try await directory.look(questions)
            #expect(look.answers.map { $0.entries.map(\.segment) } == [[1, 2], [1, 2]])
            // One batch, and so at most one message to each node.
            let requests = try await client.requests {
                let again = try await directory.look(questions, leaves: look.leaves)
                #expect(again.answers == look.answers)
            }
            #expect(requests <= (server.isReal ? StoreUnderTest.namedSeeds.count : 2))
            let entry = look.answers[0].entries[0]
            try await client.expect(requests: 1) { _ = try await directory.raise(entry, to: nil) }
            try await client.expect(requests: 1) {
                _ = try await directory.retire(1, at: 0, totals: RetiredTotals(puts: 1))
            }
        }
    }

    @Test(arguments: StoreUnderTest.all) func theTailMovesOn(_ server: StoreUnderTest) async throws {
        try await server.withClient { client, layout in
            let directory = try await TubeDirectory.make(client, layout)
            #expect(try await directory.state().tail == nil)
            #expect(try await directory.moveTail(from: nil, to: 4) == 4)
            #expect(try await directory.moveTail(from: nil, to: 5) == 4)
            #expect(try await directory.moveTail(from: 4, to: 6) == 6)
            #expect(try await directory.moveTail(from: 4, to: 7) == 6)
            #expect(try await directory.moveTail(from: 6, to: 3) == 6)
            #expect(try await directory.state().pause == nil)
            try await directory.pause(untilMilliseconds: 10, seconds: 1)
            try await directory.pause(untilMilliseconds: 20, seconds: 2)
            #expect(try await directory.state().pause == TubePause(untilMilliseconds: 20, seconds: 2, count: 2))
            // Another client finds the same.
            #expect(try await TubeDirectory.make(client, layout).incarnation == directory.incarnation)
        }
    }

    @Test(arguments: StoreUnderTest.all) func fullLeavesArePassedOver(_ server: StoreUnderTest) async throws {
        try await server.withClient { client, layout in
            let directory = try await TubeDirectory.make(client, layout)
            _ = try await directory.add(1, key: ready(1))
            // The rest of the first leaf but one place is taken, and the ring has come round.
            let taken = (1..<StoreLimits.leafSegments - 1).map {
                (Value.integer(Int64($0)), Value.integer(Int64($0 + 1)))
            }
            try await client.operate(directory.leafKey(0), [.map("live").put(contentsOf: Value.Map(taken))])
            try await client.put(directory.tubeKey, ["next": .integer(Int64(Place.count + 7))])
            let last = StoreLimits.leafSegments - 1
            #expect(try await directory.add(2000, key: ready(1)) == last)
            #expect(try await directory.add(2001, key: ready(1)) == StoreLimits.leafSegments)
        }
    }

    @Test(arguments: StoreUnderTest.all) func severalAreAddedAtOnce(_ server: StoreUnderTest) async throws {
        try await server.withClient { client, layout in
            let directory = try await TubeDirectory.make(client, layout)
            // The first ones find no leaf, and the next are better.
            for numbers in [1...8, 9...16] {
                let positions = try await directory.takePlaces(8)
                let new = zip(numbers, positions).map { NewSegment($0, at: $1, key: ready(0, UInt64(200 - $0))) }
                #expect(try await directory.add(new) == new)
            }
            let best = try await directory.best(.ready, limit: 20)
            #expect(best.map(\.segment) == Array((1...16).reversed()))
            #expect(Set(best.map(\.stamp)).count == 2)
            #expect(try await directory.raise(best[0], to: ready(1)))
            #expect(try await !directory.raise(best[0], to: ready(2)))
            #expect(try await directory.raise(best[1], to: nil))
            #expect(try await directory.best(.ready, limit: 1).map(\.segment) == [14])
            // Once more: what is live stays where it is.
            let again = (1...3).map { NewSegment($0, at: $0 - 1, key: ready(0)) }
            #expect(try await directory.add(again) == again)
            // Nobody takes places of another, not even along with free ones.
            let clash = (20...22).map { NewSegment($0, at: $0 - 6, key: ready(0)) }
            #expect(try await directory.add(clash).map(\.segment) == [22])
            #expect(try await directory.isLive(15, at: 14))
            #expect(try await directory.isLive(22, at: 16))
            #expect(try await directory.add(Array(clash[..<1])).isEmpty)
        }
    }

    /// The reply to the writing of a leaf is lost, and others end one of the segments before it is asked for again.
    @Test func whatEndedMeanwhileIsNotAddedOnceMore() async throws {
        try await StoreUnderTest(isReal: false).withClient { client, layout in
            let directory = try await TubeDirectory.make(client, layout)
            _ = try await directory.add(1, key: ready(0))
            let calls = LosingCalls(client: client, loses: directory.leafKey(0)) {
                try await directory.retire(3, at: 2, totals: RetiredTotals())
            }
            let opened = try await TubeDirectory.open(
                directory.tube,
                creates: false,
                calls: GuardedCalls(calls, policy: CallPolicy(), triesMax: 2),
                layout: layout
            )
            let losing = try #require(opened)
            let new = (2...4).map { NewSegment($0, at: $0 - 1, key: ready(0)) }
            #expect(try await losing.add(new).map(\.segment) == [2, 4])
            #expect(calls.hasLost)
            var live: [LiveSegment] = []
            for try await page in try await directory.liveSegments() { live += page }
            #expect(Set(live.map(\.segment)) == [1, 2, 4])
            #expect(live.count == 3)
        }
    }

    @Test(arguments: StoreUnderTest.all) func aFullLeafStaysSmall(_ server: StoreUnderTest) async throws {
        try await server.withClient { client, layout in
            let directory = try await TubeDirectory.make(client, layout)
            let count = StoreLimits.leafSegments
            try await withThrowingDiscardingTaskGroup { group in
                for worker in 0..<8 {
                    group.addTask {
                        for offset in stride(from: worker, to: count, by: 8) {
                            let segment = 1_000_000 + offset
                            let key = ready(1024, UInt64(segment * 128 + (offset * 37) % 128))
                            let isAdded = try await directory.add(segment, at: Place(leaf: 0, offset: offset), key: key)
                            #expect(isAdded)
                        }
                    }
                }
            }
            let best = try await directory.best(.ready, limit: 600)
            #expect(best.count == count)
            #expect(best.map(\.segment) == Array(1_000_000..<1_000_000 + count))
            let size = try await client.operate(directory.leafKey(0), [.read(Exp<Int>.recordSize, as: "size")])
            let bytes = try #require(size["size"]?.integer)
            print("a leaf of \(count) segments, \(server.testDescription): \(bytes) bytes")
            #expect(bytes < 25_000)
        }
    }

    /// Between steps 2 and 3 of listing a leaf others strike all that step 2 relied on.
    @Test(arguments: StoreUnderTest.all) func noMarkIsSetAfterARaise(_ server: StoreUnderTest) async throws {
        try await server.withClient { client, layout in
            let directory = try await TubeDirectory.make(client, layout)
            let place = Place(leaf: 0, offset: 0)
            #expect(try await directory.add(1, at: place, key: ready(1)))
            let lowering = ListedMap.lower(.wake, at: 0, to: .time(5), [1]) + LeafMark.read(.wake)
            let listed = try await directory.calls.change(directory.leafKey(0), lowering, if: place.isLive(1))
            let mark = LeafMark(try #require(listed), .wake)
            #expect(mark.key == nil)
            _ = try await directory.changeRoot(ListedMap.lower(.wake, at: 0, to: .time(5)))
            let entry = try #require(try await directory.best(.wake, limit: 1).first)
            #expect(try await directory.raise(entry, to: nil))
            // Finds the leaf empty, and strikes it.
            #expect(try await directory.look([DirectoryQuestion(.wake, limit: 1)]).answers[0].entries == [])
            #expect(try await directory.setMark(.wake, leaf: 0, .time(5), epoch: mark.epoch) == false)
            #expect(try await directory.list(.wake, at: 0, segment: 1, .time(6)))
            #expect(try await directory.best(.wake, limit: 1).map(\.key) == [.time(6)])
        }
    }

    @Test func aClusterThatLosesRepliesLosesNothing() async throws {
        var faults = RandomFaults(seed: 7)
        faults.swallowReply = 0.01
        faults.delayReply = 0.05
        faults.delayMax = .milliseconds(5)
        faults.answerCode = 0.1
        faults.resultCodes = [.keyBusy]
        try await StoreUnderTest(isReal: false).withClient(faults: faults) { client, layout in
            let directory = try await TubeDirectory.make(client, layout)
            try await withThrowingDiscardingTaskGroup { group in
                for worker in 0..<4 {
                    group.addTask {
                        for index in 0..<8 {
                            let segment = 1 + worker + index * 4
                            let position = try await directory.add(segment, key: ready(UInt32(50 + segment)))
                            _ = try await directory.list(.ready, at: position, segment: segment, ready(UInt32(segment)))
                        }
                    }
                }
            }
            #expect(try await directory.best(.ready, limit: 50).map(\.segment) == Array(1...32))
        }
    }
}

/// A client's calls, of which the first that changes a record goes without an answer.
private final class LosingCalls: RecordCalls {
    private let client: AerospikeClient
    private let loses: Key
    private let meanwhile: @Sendable () async throws -> Void
    private let losses = Atomic(0)

    var hasLost: Bool { losses.load(ordering: .relaxed) > 0 }

    init(client: AerospikeClient, loses: Key, meanwhile: @escaping @Sendable () async throws -> Void) {
        self.client = client
        self.loses = loses
        self.meanwhile = meanwhile
    }

    func operate(_ key: Key, _ operations: [Operation], policy: WritePolicy) async throws(AerospikeError) -> Record {
        let record = try await client.operate(key, operations, policy: policy)
        guard key == loses, policy.exists == .updateOnly, losses.wrappingAdd(1, ordering: .relaxed).oldValue == 0
        else { return record }
        try? await meanwhile()
        throw AerospikeError(.timeout, inDoubt: true)
    }

    func operate(
        _ parts: [(key: Key, operations: [Operation])]
    ) async throws(AerospikeError) -> [Result<Record, AerospikeError>] {
        try await client.operate(parts)
    }
}
