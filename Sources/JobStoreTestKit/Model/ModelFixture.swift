public import BeanspikeCore
import Synchronization

/// A fixture for ``ModelStore``, in simulated time, with restarts and several instances of the one queue.
public final class ModelFixture: StoreFixture {
    /// Everything: the model knows no disk and no processes.
    public static let capabilities: FixtureCapabilities = [.simulatedTime, .restart, .sharing, .oneProcess]

    private let state: Mutex<(store: ModelStore, clock: ManualClock)>

    /// A fixture with an empty queue.
    ///
    /// - Parameters:
    ///   - delivery: When replies can be collected.
    ///   - type: The model to run on.
    public init(
        delivery: ModelStore.Delivery = .atOnce,
        model type: ReferenceQueue.Type = ReferenceQueue.self
    ) {
        let clock = ManualClock()
        state = Mutex((ModelStore(clock: clock, delivery: delivery, model: type), clock))
    }

    /// The store on the queue.
    public var store: any JobStore { state.withLock { $0.store } }

    /// Moves the clock and has the store look at it.
    public func advance(by duration: Duration) async throws {
        state.withLock { state in
            state.clock.advance(by: duration)
            return state.store
        }.tick()
    }

    /// Makes another store of what a durable one would have kept.
    public func restart(after downtime: Duration, wallStep: Duration) async throws {
        state.withLock { state in
            state.clock = ManualClock.afterBoot(state.clock, downtime: downtime, wallStep: wallStep)
            state.store = state.store.reopened(clock: state.clock)
        }
    }

    /// The store itself: its ports share all there is.
    public func secondInstance() async throws -> any JobStore { store }

    /// Nothing to do.
    public func tearDown() async {}
}

extension ManualClock {
    /// The clock of a machine that was down for so long: the wall clock went on, the monotonic one began anew.
    ///
    /// - Parameters:
    ///   - clock: The clock when the machine went down.
    ///   - downtime: How long it was down.
    ///   - wallStep: How far the wall clock was set beside that.
    /// - Returns: Another clock.
    public static func afterBoot(_ clock: ManualClock, downtime: Duration, wallStep: Duration) -> ManualClock {
        let step = (downtime + wallStep).wholeMicroseconds / 1_000
        return ManualClock(microseconds: 90_000_000, wallMilliseconds: clock.wallMilliseconds() + step)
    }
}
