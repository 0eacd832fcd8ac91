import Aerospike
import AerospikeTestKit
import BeanspikeCore
import NIOCore
import Synchronization
import Testing

@testable import AerospikeStore

@Suite(.timeLimit(.minutes(3))) struct ProcessRegistryTests {
    private enum Event: Sendable, Equatable {
        case recover(Int, [Int])
        case died
        case reborn(Int)
        case peers([Int: PeerAddress])
    }

    private func events(
        _ happenings: Happenings<Event>,
        recover: @escaping @Sendable (Int, [Int]) async throws -> Void = { _, _ in }
    ) -> ProcessEvents {
        ProcessEvents(
            recover: { process, footprint in
                try await recover(process, footprint)
                happenings.add(.recover(process, footprint))
            },
            died: { happenings.add(.died) },
            reborn: { happenings.add(.reborn($0)) },
            peers: { happenings.add(.peers($0)) }
        )
    }

    private func open(
        _ server: StoreServer,
        address: PeerAddress? = nil,
        interval: Duration = .milliseconds(600)
    ) async throws -> ProcessRegistry {
        try await ProcessRegistry.open(
            client: server.client,
            layout: server.layout,
            address: address,
            deathInterval: interval,
            logger: StoreServer.quiet
        )
    }

    private func listed(_ server: StoreServer) async throws -> [Int64] {
        let record = try #require(try await server.client.get(server.layout.queueKey))
        return record["procs"]?.map?.compactMap { $0.key.integer } ?? []
    }

    // MARK: What holds on every server

    private func livesAndDies(_ server: StoreServer) async throws {
        let happenings = Happenings<Event>()
        let address = try #require(PeerAddress(host: "127.0.0.1", port: 4_711))
        let first = try await open(server)
        let second = try await open(server, address: address)
        #expect(first.number < second.number)
        #expect(first.secret == second.secret)
        #expect(first.secret.count == 32)
        try await second.enter(segments: [5, 7, 5])
        try await second.enter(segments: Array(1...300))
        #expect(second.isEntered(7))
        #expect(second.isEntered(300))
        #expect(!first.isEntered(7))
        let footprint = try await ProcessRegistry.footprint(
            of: second.number,
            client: server.client,
            layout: server.layout
        )
        #expect(footprint == Array(1...300))
        await withTaskGroup { group in
            let events = events(happenings)
            group.addTask { await first.run(events) }
            do {
                let number = second.number
                #expect(try await happenings.next() == .peers([number: address]))
                // The second never beats.
                #expect(try await happenings.next() == .recover(number, Array(1...300)))
                #expect(try await happenings.next() == .peers([:]))
                let rest = try await server.client.batch([
                    .exists(server.layout.processKey(number)),
                    .exists(server.layout.footprintKey(process: number, page: 0)),
                    .exists(server.layout.footprintKey(process: number, page: 1)),
                ])
                #expect(rest.allSatisfy { $0.code == .notFound })
                #expect(try await listed(server) == [Int64(first.number)])
                // What it wrote now would be found by nobody.
                await #expect(throws: JobStoreError.processIsDead) { try await second.enter(segments: [999]) }
                #expect(!second.isEntered(7))
                #expect(second.isDoubtful())
            } catch {
                Issue.record(error)
            }
            group.cancelAll()
        }
        try await first.close()
        try await second.close()
        #expect(try await listed(server) == [])
    }

    @Test(arguments: [1, 3]) func livesAndDiesInProcess(_ nodes: Int) async throws {
        try await StoreServer.withNodes(nodes) { try await livesAndDies($0) }
    }

    @Test(.enabled(if: StoreServer.hasNamedServer, "AEROSPIKE_HOST names no server"))
    func livesAndDiesOnARealServer() async throws {
        try await StoreServer.withNamedServer { try await livesAndDies($0) }
    }

    @Test func manyBeatSideBySideAndNobodyDies() async throws {
        try await StoreServer.withNodes { server in
            let happenings = Happenings<Event>()
            var registries: [ProcessRegistry] = []
            for _ in 0..<6 {
                registries.append(try await open(server, interval: .milliseconds(1_500)))
            }
            await withTaskGroup { group in
                for registry in registries {
                    let events = events(happenings)
                    group.addTask { await registry.run(events) }
                }
                let numbers = registries.map { Int64($0.number) }
                do {
                    for registry in registries {
                        let key = server.layout.processKey(registry.number)
                        try await eventually("beats") {
                            try await server.client.get(key)?["beat"]?.integer ?? 0 > 12
                        }
                    }
                    #expect(try await listed(server) == numbers)
                } catch {
                    Issue.record(error)
                }
                #expect(zip(registries, numbers).allSatisfy { $0.number == $1 })
                let clocks = registries.map { $0.clock.nowMilliseconds() }
                #expect(clocks.allSatisfy { abs($0 - clocks[0]) < 200 })
                group.cancelAll()
            }
        }
    }

    // MARK: Death and rebirth

    @Test func whoIsFoundDeadStartsAgain() async throws {
        try await StoreServer.withNodes { server in
            let happenings = Happenings<Event>()
            let registry = try await open(server)
            let before = registry.number
            try await registry.enter(segments: [1])
            await withTaskGroup { group in
                let events = events(happenings)
                group.addTask { await registry.run(events) }
                do {
                    #expect(try await happenings.next() == .peers([:]))
                    let records = ProcessRecords(client: server.client, layout: server.layout, timeout: .seconds(5))
                    // A late guard does nothing; the one of the present beat does.
                    #expect(try await !records.markDead(before, beat: 0))
                    _ = try await server.client.put(server.layout.processKey(before), ["dead": 1])
                    #expect(try await happenings.next() == .died)
                    guard case .reborn(let after) = try await happenings.next() else {
                        Issue.record("not born again")
                        return
                    }
                    #expect(after > before)
                    #expect(registry.number == after)
                    #expect(!registry.isEntered(1))
                    try await registry.enter(segments: [2])
                    #expect(registry.isEntered(2))
                    // It takes the jobs of its former self back, like anyone else's.
                    #expect(
                        try await happenings.next { if case .recover = $0 { true } else { false } }
                            == .recover(before, [1])
                    )
                } catch {
                    Issue.record(error)
                }
                group.cancelAll()
            }
        }
    }

    @Test func whoIsNoLongerListedStartsAgain() async throws {
        try await StoreServer.withNodes { server in
            let happenings = Happenings<Event>()
            let registry = try await open(server)
            let before = registry.number
            await withTaskGroup { group in
                let events = events(happenings)
                group.addTask { await registry.run(events) }
                do {
                    try await server.client.operate(
                        server.layout.queueKey,
                        [.map("procs").remove(.key(.integer(Int64(before))))]
                    )
                    #expect(try await happenings.next { $0 == .died } == .died)
                    guard case .reborn(let after) = try await happenings.next() else {
                        Issue.record("not born again")
                        return
                    }
                    #expect(try await listed(server) == [Int64(after)])
                } catch {
                    Issue.record(error)
                }
                group.cancelAll()
            }
        }
    }

    @Test func aRecoveryThatFailsIsTriedAgain() async throws {
        try await StoreServer.withNodes { server in
            let happenings = Happenings<Event>()
            let registry = try await open(server, interval: .milliseconds(300))
            let dead = try await open(server, interval: .milliseconds(300))
            try await dead.enter(segments: [3])
            let tries = Tries()
            let events = events(happenings) { _, _ in
                if tries.next() <= 2 { throw AerospikeError(.timeout) }
            }
            await withTaskGroup { group in
                group.addTask { await registry.run(events) }
                do {
                    let event = try await happenings.next { if case .recover = $0 { true } else { false } }
                    #expect(event == .recover(dead.number, [3]))
                    #expect(tries.next() == 4)
                    try await eventually("unlisted") { try await listed(server) == [Int64(registry.number)] }
                } catch {
                    Issue.record(error)
                }
                group.cancelAll()
            }
        }
    }

    @Test func aProcessWithoutARecordIsClearedUpByItsPages() async throws {
        try await StoreServer.withNodes { server in
            let happenings = Happenings<Event>()
            let registry = try await open(server, interval: .milliseconds(300))
            let dead = try await open(server, interval: .milliseconds(300))
            try await dead.enter(segments: Array(1...600))
            // As after a cluster that lost the last of what it had acknowledged.
            _ = try await server.client.delete(server.layout.processKey(dead.number))
            await withTaskGroup { group in
                let events = events(happenings)
                group.addTask { await registry.run(events) }
                do {
                    let event = try await happenings.next { if case .recover = $0 { true } else { false } }
                    #expect(event == .recover(dead.number, Array(1...600)))
                } catch {
                    Issue.record(error)
                }
                group.cancelAll()
            }
        }
    }

    @Test func whatIsWrittenAfterDeathIsFoundOrRefused() async throws {
        try await StoreServer.withNodes { server in
            let records = ProcessRecords(client: server.client, layout: server.layout, timeout: .seconds(5))
            let first = try await open(server)
            try await first.enter(segments: [1])
            #expect(try await records.markDead(first.number, beat: 1))
            // Nobody has read the page yet.
            try await first.enter(segments: [2])
            #expect(try await records.closeFootprint(of: first.number) == [1, 2])
            await #expect(throws: JobStoreError.processIsDead) { try await first.enter(segments: [3]) }
            #expect(try await records.footprint(of: first.number) == [1, 2])
            // Nobody can know of a page that was not counted before the death.
            let second = try await open(server)
            try await second.enter(segments: Array(1...StoreLimits.footprintPageSegments))
            #expect(try await records.markDead(second.number, beat: 1))
            await #expect(throws: JobStoreError.processIsDead) { try await second.enter(segments: [999]) }
        }
    }

    // MARK: Opening

    @Test func refusesAnotherFormatAndWhatIsNoQueue() async throws {
        try await StoreServer.withNodes { server in
            _ = try await server.client.put(server.layout.queueKey, ["v": 3])
            let newer = await #expect(throws: JobStoreError.self) { _ = try await open(server) }
            #expect(newer?.code == .unknownVersion)
            #expect(newer?.message.contains("format 3") == true)
            _ = try await server.client.put(server.layout.queueKey, ["v": "x"])
            let other = await #expect(throws: JobStoreError.self) { _ = try await open(server) }
            #expect(other?.code == .notAStore)
        }
    }

    @Test func thereIsABoundOnProcesses() async throws {
        try await StoreServer.withNodes { server in
            let first = try await open(server)
            let others = (1_000..<(1_000 + StoreLimits.processesMax - 1)).map {
                (Value.integer(Int64($0)), Value.integer(1))
            }
            try await server.client.operate(server.layout.queueKey, [.map("procs").put(contentsOf: Value.Map(others))])
            let error = await #expect(throws: JobStoreError.self) { _ = try await open(server) }
            #expect(error?.code == .limitReached)
            #expect(try await server.client.get(server.layout.processKey(first.number + 1)) == nil)
        }
    }

    @Test func aNumberThatWasGivenBeforeIsNotTaken() async throws {
        try await StoreServer.withNodes { server in
            let first = try await open(server)
            let second = try await open(server)
            // The queue's record comes back as it was before.
            _ = try await server.client.put(server.layout.queueKey, ["proc": .integer(Int64(first.number - 1))])
            let third = try await open(server)
            #expect(third.number == second.number + 1)
        }
    }

    // MARK: Faults

    /// Replies that are lost, requests that are lost, and refusals, at every call: all is as if nothing had been.
    @Test(arguments: 0..<12 as Range<UInt64>) func lostRepliesChangeNothing(seed: UInt64) async throws {
        try await StoreServer.withNodes { server in
            let cluster = try #require(server.cluster)
            var faults = RandomFaults(seed: seed)
            faults.swallowReply = 0.1
            faults.dropRequest = 0.05
            faults.answerCode = 0.05
            faults.resultCodes = [.keyBusy, .deviceOverload]
            cluster.setRandomFaults(faults)
            func patiently<Result>(_ body: () async throws -> Result) async throws -> Result {
                for _ in 0..<100 {
                    do { return try await body() } catch is JobStoreError {}
                }
                return try await body()
            }
            let registry = try await patiently { try await open(server, interval: .seconds(3_600)) }
            var dice = Dice(seed: seed, 1)
            var entered: Set<Int> = []
            for _ in 0..<15 {
                let segments = (0..<40).map { _ in Int.random(in: 1...500, using: &dice) }
                try await patiently { try await registry.enter(segments: segments) }
                entered.formUnion(segments)
                #expect(entered.allSatisfy(registry.isEntered))
                for segment in entered.sorted().prefix(10) {
                    registry.leave(segment: segment)
                    entered.remove(segment)
                }
            }
            cluster.setRandomFaults(nil)
            let written = try await patiently {
                try await ProcessRegistry.footprint(
                    of: registry.number,
                    client: server.client,
                    layout: server.layout
                )
            }
            #expect(entered.isSubset(of: written))
            #expect(try await listed(server).contains(Int64(registry.number)))
            try await patiently { try await registry.close() }
            #expect(try await !listed(server).contains(Int64(registry.number)))
        }
    }

    @Test func entersThatMeetLeaveTogether() async throws {
        try await StoreServer.withNodes { server in
            let cluster = try #require(server.cluster)
            let registry = try await open(server)
            try await registry.enter(segments: [1])
            cluster.resetCounters()
            try await withThrowingTaskGroup { group in
                for segment in 2...101 {
                    group.addTask { try await registry.enter(segments: [segment]) }
                }
                try await group.waitForAll()
            }
            #expect((1...101).allSatisfy(registry.isEntered))
            // Not one for each: those that come while a write is under way share the next.
            #expect(cluster.counters.requests[.write] ?? 0 < 50)
        }
    }
}

extension Result where Failure == AerospikeError {
    fileprivate var code: ResultCode? {
        if case .failure(let error) = self { error.code } else { nil }
    }
}

/// Counts how often something was tried.
private final class Tries: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
