import Aerospike
import Logging
import NIOCore
import Testing

@testable import AerospikeStore

/// How new segments are made, several at once.
@Suite struct SegmentMakerTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func with(
        _ body: (AerospikeClient, SegmentMaker, TubeDirectory) async throws -> Void
    ) async throws {
        try await StoreCluster.with { client, layout in
            let registry = try await ProcessRegistry.open(client: client, layout: layout, address: nil, logger: quiet)
            let records = SegmentRecords(client: client, layout: layout)
            let maker = SegmentMaker(records: records, registry: registry, logger: quiet)
            try await body(client, maker, try await TubeDirectory.make(client, layout))
            try await registry.close()
        }
    }

    /// Checks that segments are as a tail has to be: listed where they say that they are.
    private static func check(
        _ spares: [SpareSegments.Spare],
        _ maker: SegmentMaker,
        _ directory: TubeDirectory
    ) async throws {
        let listed = try await directory.best(.ready, limit: 600)
        for spare in spares {
            let state = try #require(try await maker.records.read(spare.number))
            #expect(state.position == spare.position)
            #expect(state.tube == directory.tube)
            #expect(state.nextSlot == 0 && state.entries.isEmpty && !state.isClosed)
            #expect(try await directory.isLive(spare.number, at: spare.position))
            let key = ReadyKey.least(of: spare.number).directoryKey
            #expect(try await maker.records.marks(spare.number)?[.ready] == SegmentMark(key: key))
            let entry = try #require(listed.first { $0.segment == spare.number })
            #expect(entry.position == spare.position && entry.key == key)
        }
    }

    @Test func eightTakeAsManyRoundTripsAsOne() async throws {
        try await Self.with { client, maker, directory in
            // The first makes the leaf, and has the tube listed.
            _ = try await maker.make(1, in: directory)
            for count in [1, 8] {
                try await client.expect(requests: 5) {
                    let spares = try await maker.make(count, in: directory)
                    #expect(spares.count == count)
                }
            }
            let spares = try await maker.make(8, in: directory)
            #expect(spares.map(\.number) == Array(11...18))
            #expect(spares.map(\.position) == Array(10...17))
            try await Self.check(spares, maker, directory)
        }
    }

    /// Where the next leaf begins there are two to write, each with its entry in the root.
    @Test func thoseOfTwoLeavesTakeTwoCallsMore() async throws {
        try await Self.with { client, maker, directory in
            _ = try await maker.make(1, in: directory)
            let edge = StoreLimits.leafSegments
            #expect(try await directory.add(1_000, at: Place(leaf: 1, offset: 100), key: .ready(priority: 0, job: 1)))
            try await client.put(directory.tubeKey, ["next": .integer(Int64(edge - 3))])
            try await client.expect(requests: 7) {
                let spares = try await maker.make(8, in: directory)
                #expect(spares.map(\.position) == Array(edge - 3..<edge + 5))
            }
        }
    }

    @Test func placesThatAreTakenAreLeftOutWhenTheRingComesRound() async throws {
        try await Self.with { client, maker, directory in
            let made = try await maker.make(8, in: directory)
            // The third is still there.
            for spare in made where spare.position != 2 {
                try await directory.retire(spare.number, at: spare.position, totals: RetiredTotals())
            }
            try await client.put(directory.tubeKey, ["next": .integer(Int64(Place.count))])
            try await client.expect(requests: 6) {
                let spares = try await maker.make(8, in: directory)
                #expect(spares.map(\.number) == Array(9...15))
                #expect(spares.map(\.position) == [0, 1, 3, 4, 5, 6, 7])
            }
            let free = (8..<StoreLimits.leafSegments - 3).map { (Value.integer(Int64($0)), Value.integer(1_000)) }
            try await client.operate(directory.leafKey(0), [.map("live").put(contentsOf: Value.Map(free))])
            // Of the next eight none is free, but three others of the leaf are.
            let spares = try await maker.make(8, in: directory)
            #expect(spares.map(\.position).sorted() == Array(StoreLimits.leafSegments - 3..<StoreLimits.leafSegments))
            try await Self.check(spares, maker, directory)
            #expect(try await directory.isLive(3, at: 2))
        }
    }

    /// The cluster lost how far the ring was: places are given again, and the whole leaf is taken.
    @Test func placesThatAreGivenTwiceAreLeftToTheFirst() async throws {
        try await Self.with { client, maker, directory in
            let made = try await maker.make(8, in: directory)
            let rest = (8..<StoreLimits.leafSegments).map { (Value.integer(Int64($0)), Value.integer(1_000)) }
            try await client.operate(directory.leafKey(0), [.map("live").put(contentsOf: Value.Map(rest))])
            try await client.put(directory.tubeKey, ["next": 0])
            let spares = try await maker.make(8, in: directory)
            #expect(spares.map(\.position) == Array(StoreLimits.leafSegments..<StoreLimits.leafSegments + 8))
            try await Self.check(made + spares, maker, directory)
        }
    }

    @Test func numbersThatAreInUseAreLeftOut() async throws {
        try await Self.with { client, maker, directory in
            _ = try await maker.make(1, in: directory)
            for number in [3, 5] { try await client.put(maker.records.key(number), ["t": "another's"]) }
            let spares = try await maker.make(4, in: directory)
            #expect(spares.map(\.number) == [2, 4])
            try await Self.check(spares, maker, directory)
            for number in 6...8 { try await client.put(maker.records.key(number), ["t": "another's"]) }
            let more = try await maker.make(3, in: directory)
            #expect(more.map(\.number) == [9, 10, 11])
            try await Self.check(more, maker, directory)
        }
    }

    @Test func numbersThatTheClusterLostAreNotGivenTwice() async throws {
        try await Self.with { client, maker, directory in
            _ = try await maker.make(8, in: directory)
            try await client.put(maker.records.layout.queueKey, ["seg": 6])
            // The last of these would be new, and the first is not.
            let spares = try await maker.make(4, in: directory)
            let first = 8 + ProcessRegistry.numbersSkipped + 1
            #expect(spares.map(\.number) == Array(first..<first + 4))
            try await Self.check(spares, maker, directory)
        }
    }

    /// Two that make segments at once have different ones, whose numbers and places are theirs.
    @Test func twoAtOnceDoNotMeet() async throws {
        try await Self.with { _, maker, directory in
            let spares = try await withThrowingTaskGroup(of: [SpareSegments.Spare].self) { group in
                for _ in 0..<6 { group.addTask { try await maker.make(8, in: directory) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(Set(spares.map(\.number)) == Set(1...48))
            #expect(Set(spares.map(\.position)) == Set(0..<48))
            try await Self.check(spares, maker, directory)
        }
    }

    // MARK: How many are kept

    @Test func moreAreMadeWhenHalfOfThemAreGone() {
        var spares = SpareSegments()
        #expect(spares.missing == 1)
        let begin = NIODeadline.now()
        for turn in 0..<4 { spares.tailIsFull(begin + .milliseconds(Int64(turn))) }
        #expect(spares.wanted == 8)
        #expect(spares.missing == 8)
        spares.add((1...8).map { SpareSegments.Spare(number: $0, position: $0) })
        var missing: [Int] = []
        for tail in 0..<8 {
            #expect(spares.take(after: tail)?.number == tail + 1)
            missing.append(spares.missing)
        }
        #expect(missing == [0, 0, 0, 0, 5, 6, 7, 8])
    }
}
