import Aerospike
import BeanspikeCore
import Foundation
import JobStoreTestKit
import Testing

@_spi(Measuring) @testable import AerospikeStore

/// What each command costs the cluster in the steady state: how many requests, of how many bytes, and how large the record is
/// that the server writes for it.
///
/// With a million jobs waiting too where ROUND_TRIP_DEPTHS says so, as `1,1000,1000000`.
@Suite struct RoundTripTests {
    private static let depths: [Int] = {
        let text = ProcessInfo.processInfo.environment["ROUND_TRIP_DEPTHS"] ?? "1,1000"
        return text.split(separator: ",").compactMap { Int($0) }
    }()

    private static let body = [UInt8](repeating: 7, count: 64)
    private static let longBody = [UInt8](repeating: 7, count: 4_096)
    private static let rounds = 40

    @Test(.timeLimit(.minutes(10)), arguments: depths) func areOneEach(depth: Int) async throws {
        try await Self.with { store in
            let cost = Cost(store)
            let session = TestClient(store, limit: .seconds(120)).openSession()
            try await Self.fill(session, depth)
            for _ in 0..<Self.rounds {
                let id = try await cost.of("put", 1) { try await session.put(Self.body) }
                _ = try await cost.of("put, delayed", 1) { try await session.put(Self.body, delay: 3_600) }
                let first = try await cost.of("reserve", 1) { try await session.reserve().id }
                try await cost.of("touch", 0) { try await session.expect(.touch(first), .touched) }
                try await cost.of("release", 1) {
                    try await session.expect(.release(first, priority: 0, delaySeconds: 0), .released)
                }
                // Whichever is best by then, and one more, so that as many are left as there were.
                let again = try await session.reserve().id
                try await cost.of("bury", 1) { try await session.expect(.bury(again, priority: 0), .buried) }
                let last = try await session.reserve().id
                try await cost.of("delete", 1) { try await session.expect(.delete(last), .deleted) }
                try await session.expect(.kickJob(again), .kickedJob)
                try await cost.noteRecord(of: id)
            }
            cost.check(waiting: depth)
        }
    }

    @Test(.timeLimit(.minutes(2))) func isOneForADeleteWithTheNextReserve() async throws {
        try await Self.with { store in
            let cost = Cost(store)
            let session = TestClient(store).openSession()
            try await Self.fill(session, 100)
            var job = try await session.reserve().id
            for _ in 0..<Self.rounds {
                job = try await cost.of("delete and reserve", 1) {
                    session.submit(.delete(job), .reserve(.none))
                    #expect(try await session.reply() == .deleted)
                    return try await session.reserved().id
                }
            }
            cost.check(waiting: 100)
        }
    }

    @Test(.timeLimit(.minutes(2))) func areTwoWithALongBody() async throws {
        try await Self.with { store in
            let cost = Cost(store)
            let session = TestClient(store).openSession()
            for _ in 0..<Self.rounds { try await session.put(Self.longBody) }
            for _ in 0..<Self.rounds {
                let id = try await cost.of("put", 2) { try await session.put(Self.longBody) }
                let job = try await cost.of("reserve", 2) { try await session.reserve().id }
                try await cost.of("release", 1) {
                    try await session.expect(.release(job, priority: 0, delaySeconds: 0), .released)
                }
                let again = try await session.reserve().id
                try await session.expect(.delete(again), .deleted)
                try await cost.noteRecord(of: id)
            }
            cost.check(waiting: Self.rounds)
        }
    }

    private static func with(_ body: (AerospikeStore) async throws -> Void) async throws {
        let cluster = try await StoreCluster.start()
        let store = try await cluster.openStore("t\(UInt32.random(in: 0...UInt32.max))") { options in
            // Its heartbeats are few, then.
            options.deathInterval = .seconds(60)
            // What a reserve costs by itself is asked here.
            options.returnsMin = .max
        }
        do {
            try await body(store)
        } catch {
            try? await store.close()
            await cluster.stop()
            throw error
        }
        try await store.close()
        await cluster.stop()
    }

    private static func fill(_ session: TestSession, _ count: Int) async throws {
        var left = count
        while left > 0 {
            let some = min(left, 4_096)
            session.submit((0..<some).map { _ in Request.put(body, priority: 0, delay: 0, ttr: 60) })
            for _ in 0..<some {
                guard case .inserted = try await session.reply() else { throw ConformanceFailure("not inserted") }
            }
            left -= some
        }
    }
}

/// Counts requests and bytes by command.
private final class Cost {
    private let store: AerospikeStore
    private var counts: [(name: String, expected: Int, requests: [Int], bytes: [Int])] = []
    private var recordBytes: [Int] = []

    init(_ store: AerospikeStore) { self.store = store }

    @discardableResult
    func of<Result>(_ name: String, _ expected: Int, _ body: () async throws -> Result) async throws -> Result {
        let before = store.client.statistics
        let result = try await body()
        let after = store.client.statistics
        let index =
            counts.firstIndex { $0.name == name }
            ?? {
                counts.append((name, expected, [], []))
                return counts.count - 1
            }()
        counts[index].requests.append(after.requestCount - before.requestCount)
        counts[index].bytes.append(after.requestBytes - before.requestBytes)
        return result
    }

    /// Notes how large the record is that a job is in.
    func noteRecord(of job: JobID) async throws {
        guard let place = JobPlace(job) else { return }
        let key = await store.engine.layout.segmentKey(place.segment)
        let record = try await store.client.operate(key, [.read(Exp<Int>.recordSize, as: "size")])
        if case .integer(let size) = record["size"] { recordBytes.append(Int(size)) }
    }

    /// Checks that commands cost what they are to, but for what goes on beside them: now and then a tail is full, a heartbeat
    /// is due, or it is looked whether others have better jobs, the more often in a call the slower the machine is.
    func check(waiting: Int) {
        for (name, expected, requests, bytes) in counts {
            let usual = requests.count { $0 == expected }
            #expect(usual * 4 >= requests.count, "\(name) with \(waiting) waiting: \(requests)")
            #expect(requests.allSatisfy { $0 >= expected }, "\(name) with \(waiting) waiting: \(requests)")
            let median = bytes.sorted()[bytes.count / 2]
            print("\(waiting) waiting, \(name): \(expected) requests, \(median) bytes")
            // The work and its guard, and a body.
            #expect(median <= expected * 512 + (expected > 1 ? 4_096 : 0))
        }
        guard let largest = recordBytes.max() else { return }
        print("\(waiting) waiting: the record that is written has at most \(largest) bytes")
        #expect(largest <= 2 * StoreLimits.segmentBytesMax)
    }
}
