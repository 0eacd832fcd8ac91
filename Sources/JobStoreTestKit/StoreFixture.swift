public import BeanspikeCore

/// What a fixture can do beyond running commands, and what its store promises beyond what every store does.
///
/// A case that cannot be run without a capability is left out; most cases ask for less where one is missing.
///
/// What every store promises: the first job of a fresh store has id 1; ids stay below 2^53, are never used twice, and
/// within one tube rise by arrival, as long as each put waits for the reply of the one before, in whatever instance.
/// What a command names by a job's id takes effect on the job as it is. Everything else is exact within one instance,
/// and over instances when nothing is under way and ``StoreFixture/lateness`` has passed.
public struct FixtureCapabilities: OptionSet, Sendable {
    /// The capabilities as bits.
    public let rawValue: Int

    /// From bits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Time stands still between calls of ``StoreFixture/advance(by:)``, so that every instant can be told exactly.
    public static let simulatedTime = FixtureCapabilities(rawValue: 1)
    /// The store can be closed and opened again and keeps its jobs: ``StoreFixture/restart(after:wallStep:)``.
    public static let restart = FixtureCapabilities(rawValue: 2)
    /// Waits, reservations and jobs can be shared with a second instance of the store.
    public static let sharing = FixtureCapabilities(rawValue: 4)

    /// Ids are 1, 2, 3 and so on over all tubes, so that the order of ids is that of arrival in different tubes too.
    ///
    /// Without it a tube may take its ids in blocks, and there are gaps.
    public static let consecutiveIDs = FixtureCapabilities(rawValue: 8)
    /// Of the sessions that wait in all instances, the one that waits longest is served first.
    ///
    /// Without it that holds for the sessions of each instance; over instances a job goes to exactly one of them.
    public static let fairOverInstances = FixtureCapabilities(rawValue: 16)
    /// A restart can set the wall clock, and the store takes its time from that clock.
    ///
    /// Without it ``StoreFixture/restart(after:wallStep:)`` is only asked for steps of zero.
    public static let wallClockSteps = FixtureCapabilities(rawValue: 32)
    /// What is not a job begins anew with the store and with a tube.
    ///
    /// Counts of what was put, deleted, timed out and paused are zero when a store is opened, and a tube's are when
    /// it comes to exist again; a pause ends with a restart. Without it any of that may go on from where it was.
    public static let freshStart = FixtureCapabilities(rawValue: 64)

    /// What a store that belongs to one process promises.
    public static let oneProcess: FixtureCapabilities = [
        .consecutiveIDs, .fairOverInstances, .wallClockSteps, .freshStart,
    ]
}

/// One fresh, empty store for one conformance case, and what the case may do to its surroundings.
///
/// A store is put under the suite by writing a fixture for it and running every case of
/// ``Conformance/cases(for:)`` with a fixture of its own.
public protocol StoreFixture: AnyObject, Sendable {
    /// The store, empty when the fixture is made; another one after a restart.
    var store: any JobStore { get }

    /// What the fixture can do.
    static var capabilities: FixtureCapabilities { get }

    /// How far before an instant a case may still look and find that nothing happened.
    ///
    /// A microsecond in simulated time; where time is real, as long as a command may take on a busy machine, less
    /// than a second.
    static var earliness: Duration { get }

    /// How long after an instant everything that was due at it has certainly happened, and how long after a reply
    /// every instance knows what it stands for.
    ///
    /// Zero in simulated time; a few hundred milliseconds where time is real.
    static var lateness: Duration { get }

    /// Lets so much time pass and has the store do what came due; a fixture in real time sleeps.
    func advance(by duration: Duration) async throws

    /// Closes the store cleanly, in all instances, and opens it again.
    ///
    /// Afterwards ``store`` and ``secondInstance()`` are others.
    ///
    /// - Parameters:
    ///   - downtime: How long it is closed.
    ///   - wallStep: How far the wall clock is set meanwhile, beside the downtime; negative sets it back.
    /// - Throws: Where the store cannot be closed or opened.
    func restart(after downtime: Duration, wallStep: Duration) async throws

    /// A second store on the same state, as another process would open it; the same one each time.
    func secondInstance() async throws -> any JobStore

    /// Closes what is open and removes what was made.
    func tearDown() async
}

extension StoreFixture {
    /// A microsecond: time is simulated.
    public static var earliness: Duration { .microseconds(1) }

    /// None: time is simulated.
    public static var lateness: Duration { .zero }

    /// Fails: there is nothing that a restart would keep.
    public func restart(after downtime: Duration, wallStep: Duration) async throws {
        throw ConformanceFailure("this fixture cannot restart its store")
    }

    /// Fails: the store belongs to one process.
    public func secondInstance() async throws -> any JobStore {
        throw ConformanceFailure("this fixture has no second instance")
    }
}

/// What a store did that it must not do, or did not do that it must.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// What went wrong and where in the suite.
    public let description: String

    /// A failure.
    public init(_ message: String, file: StaticString = #fileID, line: UInt = #line) {
        description = "\(message) (\(file):\(line))"
    }
}

/// Fails unless the two are equal.
func expect<T: Equatable>(
    _ actual: T,
    is expected: T,
    _ what: String = "",
    file: StaticString = #fileID,
    line: UInt = #line
) throws {
    guard actual == expected else {
        let prefix = what.isEmpty ? "" : "\(what): "
        throw ConformanceFailure("\(prefix)expected \(expected), got \(actual)", file: file, line: line)
    }
}
