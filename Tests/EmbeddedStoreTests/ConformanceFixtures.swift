import BeanspikeCore
import EmbeddedStore
import Foundation
import JobStoreTestKit
import Synchronization

/// An ``EmbeddedStore`` that keeps nothing, in simulated time.
final class MemoryFixture: StoreFixture {
    static let capabilities: FixtureCapabilities = [.simulatedTime, .oneProcess]

    private let clock = ManualClock()
    private let embedded: EmbeddedStore

    init() throws { embedded = try EmbeddedStore.inMemory(clock: clock) }

    var store: any JobStore { embedded }

    func advance(by duration: Duration) async throws {
        clock.advance(by: duration)
        embedded.tick()
    }

    func tearDown() async { try? await embedded.close() }
}

/// An ``EmbeddedStore`` that keeps nothing, in real time, as if shared by two instances.
final class RealTimeFixture: StoreFixture {
    static let capabilities: FixtureCapabilities = [.sharing, .oneProcess]
    static let earliness = Duration.milliseconds(700)
    static let lateness = Duration.milliseconds(100)

    private let embedded: EmbeddedStore

    init() throws { embedded = try EmbeddedStore.inMemory() }

    var store: any JobStore { embedded }

    func secondInstance() async throws -> any JobStore { embedded }

    func advance(by duration: Duration) async throws { try await Task.sleep(for: duration) }

    func tearDown() async { try? await embedded.close() }
}

/// An ``EmbeddedStore`` in a directory of its own, in simulated time.
final class DirectoryFixture: StoreFixture {
    static let capabilities: FixtureCapabilities = [.simulatedTime, .restart, .oneProcess]

    private struct State {
        var store: EmbeddedStore
        var clock: ManualClock
    }

    private let directory: URL
    private let options: EmbeddedStore.Options
    private let state: Mutex<State>

    /// A store in a fresh directory.
    ///
    /// - Parameters:
    ///   - durability: When what is acknowledged is on disk.
    ///   - bodyMemoryBytesMax: Bodies beyond this many bytes are read from disk.
    /// - Throws: What opening the store throws.
    init(durability: JournalDurability = .committed, bodyMemoryBytesMax: Int = 1 << 30) throws {
        var options = EmbeddedStore.Options()
        options.durability = durability
        options.bodyMemoryBytesMax = bodyMemoryBytesMax
        let clock = ManualClock()
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("beanspike-conformance-\(UUID().uuidString)")
        let store = try EmbeddedStore.open(directory: directory.path, options: options, clock: clock)
        self.directory = directory
        self.options = options
        state = Mutex(State(store: store, clock: clock))
    }

    var store: any JobStore { embedded }

    private var embedded: EmbeddedStore { state.withLock { $0.store } }

    func advance(by duration: Duration) async throws {
        state.withLock { $0.clock }.advance(by: duration)
        embedded.tick()
    }

    func restart(after downtime: Duration, wallStep: Duration) async throws {
        try await embedded.close()
        try state.withLock { state in
            let clock = ManualClock.afterBoot(state.clock, downtime: downtime, wallStep: wallStep)
            let store = try EmbeddedStore.open(directory: directory.path, options: options, clock: clock)
            state = State(store: store, clock: clock)
            store.tick()
        }
    }

    func tearDown() async {
        try? await embedded.close()
        try? FileManager.default.removeItem(at: directory)
    }
}
