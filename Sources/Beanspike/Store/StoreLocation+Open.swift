import Aerospike
import AerospikeStore
public import BeanspikeCore
import EmbeddedStore
public import Logging
public import NIOCore

extension StoreLocation {
    /// Opens the store.
    ///
    /// - Parameters:
    ///   - options: How.
    ///   - eventLoop: What a store on a cluster runs on: whoever calls it on that loop has no other thread to wake. It has to
    ///     outlive the store. nil for a thread of the store's own.
    ///   - logger: What is told of a cluster: what it promises, and of its nodes and processes that come and go.
    /// - Returns: The open store; whoever opened it closes it.
    /// - Throws: `JobStoreError` with what is wrong with the place and how to mend it.
    public func open(
        _ options: StoreOptions = StoreOptions(),
        on eventLoop: (any EventLoop)? = nil,
        logger: Logger = Logger(label: "beanspike")
    ) async throws(JobStoreError) -> any JobStore {
        switch self {
        case .memory:
            return try EmbeddedStore.inMemory()
        case .embedded(let directory):
            var embedded = EmbeddedStore.Options()
            embedded.durability =
                switch options.durability {
                case .committed: .committed
                case .every(let milliseconds): .everyMilliseconds(milliseconds)
                case .never: .never
                }
            if let bytes = options.journalFileBytesMax { embedded.fileBytesMax = bytes }
            return try EmbeddedStore.open(directory: directory, options: embedded)
        case .aerospike(let nodes, let namespace):
            let store = try await openWhenReachable(nodes, namespace, options, eventLoop, logger)
            logger.notice("the namespace's settings promise", metadata: ["promise": "\(store.settings.promise)"])
            for finding in store.settings.findings where finding.level > .fine {
                logger.warning("the namespace's settings are a risk", metadata: ["finding": "\(finding)"])
            }
            return store
        }
    }

    /// Opens the queue on a cluster, which may still be starting.
    private func openWhenReachable(
        _ nodes: [Node],
        _ namespace: String,
        _ options: StoreOptions,
        _ eventLoop: (any EventLoop)?,
        _ logger: Logger
    ) async throws(JobStoreError) -> AerospikeStore {
        let deadline = ContinuousClock.now + options.openTimeout
        var told: String?
        while true {
            let isLast: Bool
            let failure: JobStoreError
            do throws(JobStoreError) {
                var aerospike = AerospikeStore.Options()
                aerospike.connectTimeout = min(.seconds(5), max(.milliseconds(100), deadline - .now))
                aerospike.deathInterval = options.deathInterval
                aerospike.setPrefix = options.setPrefix
                aerospike.acceptsRisks = options.acceptsRisks
                // Names are looked up by a call that blocks: nobody else needs the thread yet.
                let listening = try options.peerListening.resolve(
                    towards: nodes,
                    advertisedHost: options.advertisedPeerHost
                )
                aerospike.peerHost = listening?.host
                aerospike.peerPort = listening?.port ?? 0
                aerospike.advertisedPeerHost = listening?.advertisedHost
                let seeds = nodes.map { AerospikeClientConfiguration.Host($0.host, port: $0.port) }
                return try await AerospikeStore.open(
                    seeds: seeds,
                    namespace: namespace,
                    options: aerospike,
                    on: eventLoop,
                    logger: logger
                )
            } catch {
                failure = error
                isLast = ContinuousClock.now + Self.retryPause >= deadline
            }
            // What is wrong with the place does not mend itself; that nobody answers may.
            guard failure.code == .cannotOpen, !isLast else {
                throw JobStoreError(failure.code, "Cannot open \(self): \(failure.message)")
            }
            if told != failure.message {
                logger.warning("the store cannot be opened yet", metadata: ["reason": "\(failure.message)"])
                told = failure.message
            }
            do {
                try await Task.sleep(for: Self.retryPause)
            } catch {
                throw JobStoreError(failure.code, "Cannot open \(self): \(failure.message)")
            }
        }
    }

    /// Between two attempts to open a store on a cluster.
    private static let retryPause = Duration.milliseconds(500)
}
