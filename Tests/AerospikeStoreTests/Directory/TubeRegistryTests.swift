import Aerospike
import AerospikeTestKit
import BeanspikeCore
import Testing

@testable import AerospikeStore

/// The list of all tubes.
struct TubeRegistryTests {
    @Test(arguments: StoreUnderTest.all) func tubesAreListedAndForgotten(_ server: StoreUnderTest) async throws {
        try await server.withClient { client, layout in
            let registry = TubeRegistry(calls: GuardedCalls(client), layout: layout)
            #expect(try await registry.names() == [])
            let a = try await TubeDirectory.make(client, layout, "a")
            let b = try await TubeDirectory.make(client, layout, "b")
            #expect(try await registry.names() == [])
            try await b.register()
            try await b.register()
            let position = try await a.add(1, key: .ready(priority: 1, job: 1))
            #expect(try await registry.names().map(\.description) == ["a", "b"])
            #expect(try await a.state().isListed)
            // Not while it has a segment.
            #expect(try await !a.forget())
            #expect(try await b.forget())
            #expect(try await registry.names().map(\.description) == ["a"])
            try await a.pause(untilMilliseconds: 5, seconds: 5)
            try await a.retire(1, at: position, totals: RetiredTotals(puts: 7, deletes: 6, timeouts: 5))
            #expect(try await a.totals() == RetiredTotals(puts: 7, deletes: 6, timeouts: 5))
            #expect(try await a.forget())
            #expect(try await registry.names() == [])
            #expect(try await a.totals() == RetiredTotals())
            #expect(try await a.state().pause == nil)
            let next = try await a.add(2, key: .ready(priority: 1, job: 129))
            #expect(try await registry.names().map(\.description) == ["a"])
            try await a.retire(2, at: next, totals: RetiredTotals(puts: 1))
            #expect(try await a.totals() == RetiredTotals(puts: 1))
        }
    }

    @Test func aListOfManyTubesHasManyPages() async throws {
        try await StoreUnderTest(isReal: false).withClient { client, layout in
            let registry = TubeRegistry(calls: GuardedCalls(client), layout: layout)
            let names = (0..<450).map { "tube-\($0)" }
            try await withThrowingDiscardingTaskGroup { group in
                for worker in 0..<6 {
                    group.addTask {
                        for index in stride(from: worker, to: names.count, by: 6) {
                            let tube = try #require(TubeName(names[index]))
                            _ = try await registry.list(tube, home: nil)
                        }
                    }
                }
            }
            let listings = try await registry.listings()
            #expect(listings.map(\.tube.description).sorted() == names.sorted())
            let pages = Dictionary(grouping: listings, by: \.page)
            #expect(pages.values.allSatisfy { $0.count <= TubeRegistry.pageNamesMax })
            #expect((3...4).contains(pages.count))
        }
    }

    /// A tube that gets a segment while it is forgotten is listed afterwards.
    @Test(arguments: 0..<150 as Range<UInt64>) func noTubeWithSegmentsIsForgotten(_ seed: UInt64) async throws {
        let schedule = Schedule(seed: seed, faults: .init(crash: .max)) { _, _ in nil }
        await schedule.run(3) { client in
            guard let work = try await ScheduledWork(client) else { return }
            for round in 0..<3 {
                if client.number == 0 {
                    _ = try await work.directory.forget()
                } else {
                    let segment = 1 + client.number * 10 + round
                    let position = try await work.directory.add(segment, key: .ready(priority: 1, job: 1))
                    let isLast = round == 2 && client.number == 1
                    if !isLast { try await work.directory.retire(segment, at: position, totals: RetiredTotals()) }
                }
            }
        }
        schedule.calmDown()
        await schedule.run(1) { client in
            let names = try await TubeRegistry(calls: client.calls, layout: ScheduledWork.layout).names()
            _ = try await client.change { segments, _ in
                segments[names.count] = ModelSegment(position: 0)
            }
        }
        #expect(schedule.segments.keys.sorted() == [1])
        #expect(schedule.violation == nil)
    }
}
