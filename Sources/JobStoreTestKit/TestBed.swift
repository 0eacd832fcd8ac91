import BeanspikeCore
import Synchronization

/// One case's store and the clients of it.
final class TestBed: Sendable {
    /// From just before something was asked for until its reply was there.
    struct Span {
        let from: Duration
        let to: Duration
    }

    let fixture: any StoreFixture
    private let client: Mutex<TestClient>
    private let simulated = Mutex(Duration.zero)
    private let start = ContinuousClock.now

    init(_ fixture: any StoreFixture) {
        self.fixture = fixture
        client = Mutex(TestClient(fixture.store))
    }

    private var kind: any StoreFixture.Type { type(of: fixture) }

    /// Whether the fixture can do all of this.
    func can(_ capabilities: FixtureCapabilities) -> Bool { kind.capabilities.isSuperset(of: capabilities) }

    /// Whether what one instance does is seen by another at once.
    var isPrompt: Bool { kind.lateness == .zero }

    /// How a reserve asks for a job that another instance has just made ready.
    var patience: ReserveWait { isPrompt ? .none : .microseconds(10_000_000) }

    // MARK: - Sessions

    /// A session at the port that most sessions of a case share.
    func session() -> TestSession { client.withLock { $0.openSession() } }

    /// A session at a port of its own, in another instance of the store where there can be one.
    func distantSession() async throws -> TestSession {
        let store = can(.sharing) ? try await fixture.secondInstance() : fixture.store
        return TestClient(store).openSession()
    }

    /// A session at a port of its own that waits in one line with those of ``session()``.
    func rivalSession() async throws -> TestSession {
        can(.fairOverInstances) ? try await distantSession() : TestClient(fixture.store).openSession()
    }

    // MARK: - Time

    /// Time since the case began.
    var now: Duration {
        can(.simulatedTime) ? simulated.withLock { $0 } : ContinuousClock.now - start
    }

    /// Does something and tells when: what it starts runs out after as much time from somewhere in the span.
    func timing<T>(_ body: () async throws -> T) async throws -> (T, Span) {
        let from = now
        let result = try await body()
        return (result, Span(from: from, to: now))
    }

    /// Lets so much time pass.
    func advance(seconds: Double) async throws { try await advance(by: .milliseconds(Int64(seconds * 1_000))) }

    /// Lets time pass until just before something happens.
    ///
    /// - Parameters:
    ///   - seconds: How long after the span it happens.
    ///   - span: When it was started.
    ///   - resolution: How exactly the store keeps the instant, where that is not to the microsecond.
    /// - Throws: What the fixture throws.
    func advance(
        toJustBefore seconds: Int64,
        after span: Span,
        resolution: Duration = .zero
    ) async throws {
        try await advance(by: span.from + .seconds(seconds) - max(kind.earliness, resolution) - now)
    }

    /// Lets time pass until everything that was due so long after the span has happened.
    func advance(past seconds: Int64, after span: Span) async throws {
        try await advance(by: span.to + .seconds(seconds) + kind.lateness - now)
    }

    /// Lets so much time pass that a reply comes that is awaited next; awaiting it takes the time where it is real.
    func advanceToReply(seconds: Double) async throws {
        if can(.simulatedTime) { try await advance(seconds: seconds) }
    }

    /// Lets everything that was due certainly happen; nothing where time is simulated.
    func settle() async throws { if !isPrompt { try await advance(by: kind.lateness) } }

    private func advance(by duration: Duration) async throws {
        guard duration > .zero else { return }
        simulated.withLock { $0 += duration }
        try await fixture.advance(by: duration)
    }

    /// Closes the store and opens it again; sessions of before are gone.
    func restart(after downtime: Duration = .zero, wallStep: Duration = .zero) async throws {
        simulated.withLock { $0 += downtime }
        try await fixture.restart(after: downtime, wallStep: wallStep)
        client.withLock { $0 = TestClient(fixture.store) }
    }

    /// Returns when so many sessions wait, as the store sees it.
    func untilWaiting(_ count: UInt64, line: UInt = #line) async throws {
        let session = session()
        defer { session.close() }
        let deadline = ContinuousClock.now + session.client.limit
        while true {
            let waiting = try await session.statistics(line: line).sessionsWaiting
            if waiting == count { return }
            guard ContinuousClock.now < deadline else {
                throw ConformanceFailure("\(waiting) sessions wait, not \(count)", line: line)
            }
            if isPrompt { await Task.yield() } else { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    // MARK: - Numbers that not every store tells alike

    /// Fails unless the ids are those of the next jobs put: each the last one plus 1, or at least greater than it.
    func expectRising(_ ids: [JobID], after last: JobID = 0, line: UInt = #line) throws {
        var last = last
        for id in ids {
            let isFirst = last == 0
            guard can(.consecutiveIDs) || isFirst ? id == last + 1 : id > last && id < 1 << 53 else {
                throw ConformanceFailure("id \(id) after \(last)", line: line)
            }
            last = id
        }
    }

    /// Fails unless a number of seconds that passed is the one, or hardly more where time is real.
    func expectPassed(_ seconds: UInt64, is expected: UInt64, line: UInt = #line) throws {
        let range = expected...(can(.simulatedTime) ? expected : expected + Self.slownessSeconds)
        try expect(range.contains(seconds), is: true, "\(seconds) s have passed, expected \(expected)", line: line)
    }

    /// Fails unless a number of seconds left is the one, or hardly less where time is real.
    func expectLeft(_ seconds: UInt64, is expected: UInt64, line: UInt = #line) throws {
        let slowness = min(Self.slownessSeconds, expected)
        let range = (can(.simulatedTime) ? expected : expected - slowness)...expected
        try expect(range.contains(seconds), is: true, "\(seconds) s are left, expected \(expected)", line: line)
    }

    /// How long a command may take where time is real.
    private static let slownessSeconds: UInt64 = 5
}

extension TubeName {
    /// A tube for tests.
    init(test name: String) {
        guard let tube = TubeName(name) else { preconditionFailure("\(name) is no tube's name") }
        self = tube
    }
}

/// Tubes that cases use.
let alpha = TubeName(test: "alpha")
let beta = TubeName(test: "beta")
let gamma = TubeName(test: "gamma")
