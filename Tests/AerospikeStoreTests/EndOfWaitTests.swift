import Aerospike
import BeanspikeCore
import JobStoreTestKit
import NIOCore
import Synchronization
import Testing

@testable import AerospikeStore

/// Waits for the end of what the engine has under way, where that end comes just as the wait begins.
///
/// A caller that prefers another executor than the engine's own begins each call a turn of the event loop late. The end comes
/// a turn later each time, and so once between the look whether to wait and the wait.
struct EndOfWaitTests {
    private static func with(_ test: (StoreEngine) async throws -> Void) async throws {
        let cluster = try await StoreCluster.start()
        let store = try await cluster.openStore("t\(UInt32.random(in: 0...UInt32.max))")
        do {
            try await test(store.engine)
        } catch {
            await cluster.stop()
            throw error
        }
        try await store.close()
        await cluster.stop()
    }

    @Test(.timeLimit(.minutes(1)), arguments: 0..<20) func ofASweep(turns: Int) async throws {
        try await Self.with { engine in
            try await engine.expectEnd(
                after: turns,
                begin: { $0.tube(.default).isSweeping = true },
                wait: { await $0.sweepIfDue($0.tube(.default)) },
                end: { $0.endSweep($0.tube(.default)) }
            )
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: 0..<20) func ofAllThatIsUnderWay(turns: Int) async throws {
        try await Self.with { engine in
            try await engine.expectEnd(
                after: turns,
                begin: { $0.underWay += 1 },
                wait: { await $0.untilIdle() },
                end: {
                    $0.endedCount += 1
                    $0.endTurn()
                }
            )
        }
    }
}

extension StoreEngine {
    /// Begins something, has somebody wait for its end, and ends it after so many turns of the event loop.
    fileprivate func expectEnd(
        after turns: Int,
        begin: @Sendable (isolated StoreEngine) -> Void,
        wait: @escaping @Sendable (isolated StoreEngine) async -> Void,
        end: @escaping @Sendable (isolated StoreEngine) -> Void
    ) async throws {
        begin(self)
        let flag = Flag()
        Task(executorPreference: client.executor) {
            await self.run(wait)
            flag.isOver.store(true, ordering: .relaxed)
        }
        perform(after: turns, end)
        try await eventually("the wait is over") { flag.isOver.load(ordering: .relaxed) }
    }

    private func run(_ body: @Sendable (isolated StoreEngine) async -> Void) async { await body(self) }

    private nonisolated func perform(after turns: Int, _ action: @escaping @Sendable (isolated StoreEngine) -> Void) {
        eventLoop.execute {
            if turns == 0 { self.assumeIsolated(action) } else { self.perform(after: turns - 1, action) }
        }
    }

    private final class Flag: Sendable {
        let isOver = Atomic<Bool>(false)
    }
}
