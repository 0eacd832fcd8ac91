import BeanspikeCore
import JobStoreTestKit
import Synchronization
import Testing

/// Two instances of the weakest store that the suite allows, in real time.
final class WeakFixture: StoreFixture {
    static let capabilities: FixtureCapabilities = [.restart, .sharing]
    static let earliness = Duration.milliseconds(700)
    static let lateness = Duration.milliseconds(200)

    private struct State {
        var model: ModelStore
        var first: WeakStore
        var second: WeakStore

        init(_ model: ModelStore) {
            self.model = model
            first = WeakStore(model)
            second = WeakStore(model.instance(1))
        }
    }

    private let state: Mutex<State>
    private let ticking: Mutex<Task<Void, Never>?> = Mutex(nil)

    init(model type: WeakQueue.Type = WeakQueue.self) {
        state = Mutex(State(ModelStore(clock: SystemClock(), delivery: .after(.milliseconds(1)), model: type)))
        ticking.withLock { ticking in
            ticking = Task { [weak self] in
                while !Task.isCancelled, let model = self?.state.withLock({ $0.model }) {
                    model.tick()
                    try? await Task.sleep(for: .milliseconds(10))
                }
            }
        }
    }

    var store: any JobStore { state.withLock { $0.first } }

    func secondInstance() async throws -> any JobStore { state.withLock { $0.second } }

    func advance(by duration: Duration) async throws { try await Task.sleep(for: duration) }

    func restart(after downtime: Duration, wallStep: Duration) async throws {
        #expect(wallStep == .zero)
        // Calls that are under way are carried out before.
        try await Task.sleep(for: downtime + Self.lateness)
        state.withLock { $0 = State($0.model.reopened(clock: SystemClock())) }
    }

    func tearDown() async { ticking.withLock { $0?.cancel() } }
}
