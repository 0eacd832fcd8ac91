import BeanspikeCore
import Synchronization

/// One case's store and the clients of it.
final class TestBed: Sendable {
    let fixture: any StoreFixture
    private let client: Mutex<TestClient>

    init(_ fixture: any StoreFixture) {
        self.fixture = fixture
        client = Mutex(TestClient(fixture.store))
    }

    private var kind: any StoreFixture.Type { type(of: fixture) }

    /// A session at the port that most sessions of a case share.
    func session() -> TestSession { client.withLock { $0.openSession() } }

    /// A session at a port of its own, in another instance of the store where there can be one.
    func distantSession() async throws -> TestSession {
        let store = kind.capabilities.contains(.sharing) ? try await fixture.secondInstance() : fixture.store
        return TestClient(store).openSession()
    }

    /// Lets so much time pass.
    func advance(seconds: Double) async throws { try await fixture.advance(by: .milliseconds(Int64(seconds * 1_000))) }

    /// Lets so much time pass, but for the last moment.
    ///
    /// - Parameter seconds: Time from now to an instant at which something is to happen.
    /// - Throws: What the fixture throws.
    func advance(almost seconds: Int64) async throws {
        try await fixture.advance(by: .seconds(seconds) - kind.earliness)
    }

    /// After ``advance(almost:)``: lets the moment come, and everything that is due at it happen.
    func advanceToInstant() async throws { try await fixture.advance(by: kind.earliness + kind.lateness) }

    /// Lets everything that was due certainly happen; nothing where time is simulated.
    func settle() async throws { if kind.lateness > .zero { try await fixture.advance(by: kind.lateness) } }

    /// Closes the store and opens it again; sessions of before are gone.
    func restart(after downtime: Duration = .zero, wallStep: Duration = .zero) async throws {
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
            await Task.yield()
        }
    }
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
