package import Aerospike
package import BeanspikeCore
package import Logging
package import NIOCore
import Synchronization

/// This process's life in the cluster: its number, its heartbeat, its footprint, and its watch over the others.
///
/// ```swift
/// let registry = try await ProcessRegistry.open(client: client, layout: layout, address: network.address)
/// try await withThrowingDiscardingTaskGroup { group in
///     group.addTask { await registry.run(events) }
///     try await registry.enter(segments: [7])
///     // Reserve from segment 7.
/// }
/// try await registry.close()
/// ```
package final class ProcessRegistry: Sendable {
    /// One life of the process: from taking a number to closing, or to being found dead.
    struct Life: Sendable {
        let number: Int
        let nonce: [UInt8]
        let footprint: Footprint
    }

    struct State: Sendable {
        var life: Life
        var heart: Heart
        var clock: ClusterClock
        var watch: ProcessWatch
        var tubePages = 0
        /// The other processes that the queue's record lists.
        var others: Set<Int> = []
        /// Those of them whose records were not read yet.
        var strangers: Set<Int> = []
        var addresses: [Int: PeerAddress] = [:]
        var isClosed = false
        /// The greatest number of a segment that the process has met.
        var lastSegment = 0
        /// How often in a row the queue's record was not there.
        var queueAbsences = 0
    }

    /// The queue's secret, by which its processes know each other.
    package let secret: [UInt8]
    /// Others may take this process for dead when its heartbeat did not change for so long.
    package let deathInterval: Duration

    let records: ProcessRecords
    let logger: Logger
    let state: Mutex<State>
    private let address: PeerAddress?

    private init(
        records: ProcessRecords,
        secret: [UInt8],
        address: PeerAddress?,
        deathInterval: Duration,
        state: State,
        logger: Logger
    ) {
        self.records = records
        self.secret = secret
        self.address = address
        self.deathInterval = deathInterval
        self.logger = logger
        self.state = Mutex(state)
    }

    // MARK: Beginning and ending

    /// Opens the queue, making its record if there is none, and enters the process into it.
    ///
    /// - Parameters:
    ///   - client: the client, which runs.
    ///   - layout: where the queue's records are.
    ///   - address: where the process takes messages of its peers; nil if it takes none.
    ///   - deathInterval: after which silence others take the process for dead, from 200 ms to an hour; 2 s by default.
    ///   - logger: what is told of deaths.
    /// - Returns: the registry; it beats once, and from then on in ``run(_:)``.
    /// - Throws: ``JobStoreError``: `cannotOpen`, `notAStore`, `unknownVersion`, or `limitReached` if there are too many
    ///   processes.
    package static func open(
        client: AerospikeClient,
        layout: StoreLayout,
        address: PeerAddress?,
        deathInterval: Duration = .seconds(2),
        logger: Logger = Logger(label: "aerospike-store")
    ) async throws(JobStoreError) -> ProcessRegistry {
        let interval = min(max(deathInterval, .milliseconds(200)), .seconds(3_600))
        let records = ProcessRecords(client: client, layout: layout, timeout: callTimeout(interval))
        let secret = try await records.openQueue()
        let state = try await begin(records, address, interval)
        return ProcessRegistry(
            records: records,
            secret: secret,
            address: address,
            deathInterval: interval,
            state: state,
            logger: logger
        )
    }

    /// A call that takes longer than this would hold up the next heartbeat.
    private static func callTimeout(_ interval: Duration) -> Duration {
        min(max(interval / 5, .milliseconds(200)), .seconds(2))
    }

    private static func begin(
        _ records: ProcessRecords,
        _ address: PeerAddress?,
        _ interval: Duration
    ) async throws(JobStoreError) -> State {
        do throws(AerospikeError) {
            // A number that there is a record of was given twice, by a cluster that lost what it had acknowledged.
            for _ in 0..<100 {
                let number = try await records.takeNumber()
                var random = SystemRandomNumberGenerator()
                let nonce = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                let sentAt = NIODeadline.now()
                guard try await records.create(number, nonce: nonce, interval: interval, address: address) else {
                    continue
                }
                return try await enter(number, nonce, sentAt, records, interval)
            }
            throw AerospikeError(.recordExists)
        } catch {
            if error.code == .noMoreConnections {
                throw JobStoreError(
                    .limitReached,
                    """
                    \(StoreLimits.processesMax) processes share the queue already, and there can be no more: stop some, \
                    or wait until those that died have been found dead.
                    """
                )
            }
            throw JobStoreError(opening: error, records.layout)
        }
    }

    private static func enter(
        _ number: Int,
        _ nonce: [UInt8],
        _ sentAt: NIODeadline,
        _ records: ProcessRecords,
        _ interval: Duration
    ) async throws(AerospikeError) -> State {
        guard try await records.list(number) else {
            try? await records.clear(number)
            throw AerospikeError(.noMoreConnections)
        }
        guard let sight = try await records.readQueue() else {
            throw AerospikeError(.invalidArgument, "The record of the queue has gone.")
        }
        let clock = ClusterClock(
            milliseconds: sight.nowMilliseconds,
            sentAt: sight.sentAt,
            receivedAt: sight.receivedAt
        )
        var watch = ProcessWatch(defaultInterval: interval.timeAmount)
        watch.note(listed: sight.processes, own: number, now: sight.receivedAt)
        return State(
            life: Life(
                number: number,
                nonce: nonce,
                footprint: Footprint(process: number, nonce: nonce, records: records)
            ),
            heart: Heart(interval: interval.timeAmount, beatAt: sentAt),
            clock: clock,
            watch: watch,
            tubePages: sight.tubePages
        )
    }

    /// Starts again under a new number, with nothing entered; the clock goes on.
    func reopen() async throws(JobStoreError) {
        let next = try await Self.begin(records, address, deathInterval)
        let isLate = state.withLock { state in
            state.life.footprint.end()
            guard !state.isClosed else { return true }
            state.life = next.life
            state.heart = next.heart
            state.watch = next.watch
            state.tubePages = next.tubePages
            return false
        }
        if isLate { try? await records.clear(next.life.number) }
    }

    /// Takes the process out of the queue, after its owner has given back all that it held.
    ///
    /// To be called after ``run(_:)`` has returned. Whatever it leaves undone, the others do when they find the process
    /// silent.
    ///
    /// - Throws: ``JobStoreError`` if the process could not be taken out.
    package func close() async throws(JobStoreError) {
        let life = state.withLock { state in
            state.isClosed = true
            return state.life
        }
        let wasOver = life.footprint.isOver
        life.footprint.end()
        // Those who found the process dead see to the rest themselves.
        guard !wasOver else { return }
        do {
            try await records.clear(life.number)
        } catch {
            throw JobStoreError(writingProcess: error)
        }
    }

    // MARK: Looking

    /// The process's number; another one after it was found dead.
    package var number: Int { state.withLock { $0.life.number } }

    /// The cluster's time.
    package var clock: ClusterClock { state.withLock { $0.clock } }

    /// The greatest number of a segment that the process has met: a lesser one is never given any more.
    var lastSegment: Int { state.withLock { $0.lastSegment } }

    /// Takes note of a segment's number.
    func note(segment: Int) { state.withLock { $0.lastSegment = max($0.lastSegment, segment) } }

    /// So many numbers are passed over where the cluster has lost how many it had given: others may have got some.
    static let numbersSkipped = 65_536

    /// How many pages of the list of all tubes there were when the heart last beat.
    package var tubePages: Int { state.withLock { $0.tubePages } }

    /// Whether others may soon take the process for dead, so that it should hand out nothing new.
    package func isDoubtful(at now: NIODeadline = .now()) -> Bool {
        state.withLock { $0.life.footprint.isOver || $0.heart.isDoubtful(at: now) }
    }

    // MARK: The footprint

    /// Writes segments down as those from which the process may reserve; to be done before it first does.
    ///
    /// Segments that are written down already cost nothing, and calls that meet leave as one write.
    ///
    /// - Parameter segments: the segments.
    /// - Throws: ``JobStoreError``: `closed` if the process was found dead, `limitReached`, or `writeFailed`; then the
    ///   process must not reserve from them.
    package func enter(segments: [Int]) async throws(JobStoreError) {
        try await footprint.enter(segments)
    }

    /// Takes note that nothing of a segment is held, and nothing is being reserved there: a later write strikes it off.
    package func leave(segment: Int) {
        footprint.leave(segment)
    }

    /// Whether the process may reserve from a segment.
    package func isEntered(_ segment: Int) -> Bool {
        footprint.isEntered(segment)
    }

    /// Whether the process may reserve from a segment: if it is written down, it is not struck off from now on.
    package func use(segment: Int) -> Bool {
        footprint.use(segment)
    }

    private var footprint: Footprint { state.withLock { $0.life.footprint } }

    /// The segments from which a process may have reserved, as written down at the moment.
    ///
    /// - Parameters:
    ///   - process: the process.
    ///   - client: the client.
    ///   - layout: where the queue's records are.
    /// - Returns: the segments, rising.
    /// - Throws: ``JobStoreError`` if they cannot be read.
    package static func footprint(
        of process: Int,
        client: AerospikeClient,
        layout: StoreLayout
    ) async throws(JobStoreError) -> [Int] {
        do {
            return try await ProcessRecords(client: client, layout: layout, timeout: .seconds(1)).footprint(of: process)
        } catch {
            throw JobStoreError(.readFailed, "The footprint of process \(process) could not be read: \(error)")
        }
    }
}
