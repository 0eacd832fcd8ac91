import Synchronization

/// Measures how late a machine resumes its tasks: where time is real, what happens meanwhile proves nothing.
final class StallWatch: Sendable {
    private struct State {
        var worst = Duration.zero
        var lastBeat = ContinuousClock.now
    }

    private let state = Mutex(State())
    private static let beat = Duration.milliseconds(20)

    /// The longest time so far by which a task was late; it may be late still.
    var longest: Duration {
        state.withLock { max($0.worst, ContinuousClock.now - $0.lastBeat - Self.beat) }
    }

    /// Does something and measures meanwhile.
    func watch(_ body: () async throws -> Void) async throws {
        let heart = Task { [self] in
            while !Task.isCancelled { await self.measure() }
        }
        defer { heart.cancel() }
        try await body()
    }

    /// Returns when tasks were resumed in time for a second, or after a limit.
    static func untilCalm(within limit: Duration) async {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end, !Task.isCancelled {
            let watch = StallWatch()
            for _ in 0..<50 { await watch.measure() }
            if watch.longest < beat * 5 { return }
        }
    }

    private func measure() async {
        try? await Task.sleep(for: Self.beat)
        state.withLock { state in
            let now = ContinuousClock.now
            state.worst = max(state.worst, now - state.lastBeat - Self.beat)
            state.lastBeat = now
        }
    }
}

extension Conformance {
    /// Does something with a fresh fixture, and again with another one where it failed while the machine stood still.
    ///
    /// A failure in real time counts when tasks were resumed within half of ``StoreFixture/earliness`` and of
    /// ``StoreFixture/lateness``, and at the last attempt in any case. Where time is simulated every failure counts.
    static func untilConclusive(
        _ make: () async throws -> any StoreFixture,
        _ body: (any StoreFixture) async throws -> Void
    ) async throws {
        for attempt in 1... {
            let fixture = try await make()
            let kind = type(of: fixture)
            let watch = StallWatch()
            do {
                return try await watch.watch { try await body(fixture) }
            } catch let error as ConformanceFailure {
                let stallMax = min(kind.earliness, kind.lateness) / 2
                let isReal = !kind.capabilities.contains(.simulatedTime)
                guard isReal, watch.longest > stallMax, attempt < attemptsMax else { throw error }
            }
            await StallWatch.untilCalm(within: calmLimit)
        }
    }

    private static let attemptsMax = 5
    private static let calmLimit = Duration.seconds(120)
}
