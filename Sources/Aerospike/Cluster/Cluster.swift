package import Logging
package import NIOCore
import Synchronization

/// The cluster of a client: finds its nodes, follows what they do, and tells which one to ask.
///
/// ``ClusterStateMachine`` decides; this class and ``ClusterTender`` carry out what it says.
package final class Cluster: Sendable {
    let configuration: AerospikeClientConfiguration
    let connector: Connector
    /// The event loops over which connections are spread.
    let eventLoops: [any EventLoop]
    let logger: Logger

    private let state = Mutex(State())
    let events: AsyncStream<Event>
    let eventContinuation: AsyncStream<Event>.Continuation
    /// When a caller last asked for a tend, in nanoseconds of `NIODeadline`.
    private let lastRequest = Atomic<UInt64>(0)

    /// Something that the state machine is to hear of.
    ///
    /// At most a few for each node are under way at a time.
    enum Event: Sendable {
        case tick
        case tendRequested
        case answered(Node.ID, Result<[String: String], AerospikeError>)
        case probed(AerospikeClientConfiguration.Host, Result<[String: String], AerospikeError>)
        /// The first connection to a node is open, or none can be opened for now.
        case settled(Node.ID)
    }

    private struct State {
        var map = ClusterMap()
        var phase = Phase.new
        var seedErrors: [AerospikeClientConfiguration.Host: AerospikeError] = [:]
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var lastWaiter: UInt64 = 0
    }

    private enum Phase {
        /// Can become `running`.
        case new
        /// Can become `ready` or `over`.
        case running
        /// The first map was there. Can become `over`.
        case ready
        case over
    }

    /// A cluster that nobody tends yet.
    ///
    /// - Parameters:
    ///   - configuration: where the cluster is.
    ///   - connector: opens connections.
    ///   - eventLoops: where the connections' I/O is to happen; at least one.
    ///   - logger: told of nodes that come and go.
    package init(
        configuration: AerospikeClientConfiguration,
        connector: Connector,
        eventLoops: [any EventLoop],
        logger: Logger
    ) {
        self.configuration = configuration
        self.connector = connector
        self.eventLoops = eventLoops
        self.logger = logger
        (events, eventContinuation) = AsyncStream.makeStream(of: Event.self)
    }

    /// Which nodes there are and what they hold, as of now; empty before the first was found.
    package var map: ClusterMap { state.withLock(\.map) }

    /// Tends the cluster until the task is cancelled, and closes all connections then.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/client`` if it runs already, or did.
    package func run() async throws {
        let isFirst = state.withLock { state in
            guard state.phase == .new else { return false }
            state.phase = .running
            return true
        }
        guard isFirst else { throw AerospikeError(.client, "A client runs once only.") }
        await withDiscardingTaskGroup { group in
            var tender = ClusterTender(cluster: self)
            await tender.tend(&group)
            group.cancelAll()
        }
        close()
    }

    /// Has the nodes asked soon whether anything changed, because a call failed in a manner that makes it likely.
    ///
    /// It may be called for each such failure: within 100 ms of the last it does nothing.
    package func requestTend() {
        let now = NIODeadline.now().uptimeNanoseconds
        let last = lastRequest.load(ordering: .relaxed)
        guard now >= last &+ Cluster.requestNanosecondsMin,
            lastRequest.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
        else { return }
        eventContinuation.yield(.tendRequested)
    }

    private static let requestNanosecondsMin: UInt64 = 100_000_000

    // MARK: Waiting for the first map

    /// Waits until the nodes are known and can be asked; ``run()`` has to run meanwhile.
    ///
    /// It ends early if each seed was refused for a reason that time does not cure, such as the name of its cluster.
    ///
    /// - Parameter timeout: how long to wait at most.
    /// - Throws: ``AerospikeError`` that tells for each seed why it could not be used, with the code that all have in
    ///   common, or else ``ResultCode/connection``; ``ResultCode/cancelled``; or ``ResultCode/client`` if the client was
    ///   closed.
    package func waitUntilReady(timeout: Duration) async throws(AerospikeError) {
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let expiry = eventLoops.first?.scheduleTask(in: timeout.timeAmount) { self.resume(id) }
        let isReady = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    switch state.phase {
                    case .ready: return true
                    case .over: return false
                    case .new, .running: break
                    }
                    state.waiters[id] = continuation
                    return nil
                }
                if let answer {
                    continuation.resume(returning: answer)
                } else if Task.isCancelled {
                    // The handler may have run before there was anyone to resume.
                    resume(id)
                }
            }
        } onCancel: {
            resume(id)
        }
        expiry?.cancel()
        guard !isReady else { return }
        guard !Task.isCancelled else { throw AerospikeError(.cancelled) }
        throw notReadyError()
    }

    private func resume(_ id: UInt64) {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: false)
    }

    private func notReadyError() -> AerospikeError {
        let (isOver, errors) = state.withLock { ($0.phase == .over, $0.seedErrors) }
        guard !isOver else { return .clientIsClosed }
        guard !configuration.seeds.isEmpty else { return .invalid("The configuration names no seeds.") }
        let reasons = configuration.seeds.map { seed in
            "\(seed.name):\(seed.port): \(errors[seed]?.description ?? "no answer yet")"
        }
        // The reason of one that all share is the whole's.
        let codes = Set(configuration.seeds.map { errors[$0]?.code ?? .connection })
        return AerospikeError(
            codes.count == 1 ? codes.first ?? .connection : .connection,
            "No node of the cluster could be used. \(reasons.joined(separator: " "))",
            cause: configuration.seeds.lazy.compactMap { errors[$0] }.first
        )
    }

    // MARK: For the tender

    func publish(_ map: ClusterMap) {
        state.withLock { $0.map = map }
    }

    /// Why seeds cannot be used; if none ever can as things are, those who wait are told.
    func noteSeedErrors(_ errors: [AerospikeClientConfiguration.Host: AerospikeError]) {
        let isHopeless = configuration.seeds.allSatisfy { seed in
            errors[seed].map { !Cluster.curable.contains($0.code) } ?? false
        }
        let waiters = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
            state.seedErrors = errors
            guard isHopeless else { return [] }
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        for waiter in waiters {
            waiter.resume(returning: false)
        }
    }

    /// Reasons that may soon be none any more.
    private static let curable: Set<ResultCode> = [
        .connection, .timeout, .partitionUnavailable, .invalidHost, .invalidNode, .malformedReply, .tls, .cancelled,
        .server,
    ]

    /// The first map is there, and complete as far as can be.
    func becomeReady() {
        enter(.ready, if: .running)
    }

    private func close() {
        enter(.over, if: nil)
        eventContinuation.finish()
        publish(ClusterMap(isOver: true))
    }

    private func enter(_ phase: Phase, if expected: Phase?) {
        let waiters = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
            guard expected == nil || state.phase == expected else { return [] }
            state.phase = phase
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        for waiter in waiters {
            waiter.resume(returning: phase == .ready)
        }
    }
}

extension ClusterStateMachine.Settings {
    /// As a client is configured.
    init(_ configuration: AerospikeClientConfiguration, usesTLS: Bool) {
        self.init(seeds: configuration.seeds)
        dialect = NodeReport.Dialect(
            clusterName: configuration.clusterName,
            usesTLS: usesTLS,
            usesAlternateAddresses: configuration.usesAlternateAddresses
        )
        addressTranslation = configuration.addressTranslation
        interval = max(configuration.tendInterval.timeAmount, .milliseconds(10))
        urgentInterval = min(urgentInterval, interval)
        requestInterval = min(requestInterval, interval)
    }
}
