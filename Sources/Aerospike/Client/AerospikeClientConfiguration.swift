package import NIOCore
public import NIOSSL
public import Metrics
public import Tracing

/// How a client finds its cluster, and what it may use.
public struct AerospikeClientConfiguration: Sendable {
    /// Where a node listens.
    public struct Host: Sendable, Hashable {
        /// The host's name or address.
        public var name: String
        /// The port of the node's `service` (or `tls-port`), from 1 to 65535.
        public var port: Int
        /// The name that the node's certificate is for; nil if it is the host's name.
        public var tlsName: String?

        /// A host.
        public init(_ name: String, port: Int = 3000, tlsName: String? = nil) {
            self.name = name
            self.port = port
            self.tlsName = tlsName
        }
    }

    /// Nodes to ask for the others; one that answers is enough.
    public var seeds: [Host]

    /// The name that the cluster must have; nil if any will do.
    public var clusterName: String?

    /// Whether nodes are reached under their `alternate-access-address`.
    public var usesAlternateAddresses = false

    /// Addresses to use in the place of those that nodes tell, for instance behind a translating router.
    public var addressTranslation: [String: String] = [:]

    /// How connections are made safe, with the certificates to trust and the client's own; nil for connections without TLS.
    ///
    /// A node's certificate has to be for its ``Host/tlsName`` or the one that its cluster tells, or for the address at
    /// which the node is reached. Nodes of the Community Edition know no TLS.
    public var tls: TLSConfiguration?

    /// Who the client is to clusters with users; nil for nobody.
    ///
    /// A cluster that has no users lets everybody in, with credentials or without.
    public var credentials: Credentials?

    /// How many pipelined connections to each node there are, from 1 up.
    ///
    /// A node works on one request of a connection at a time, so several let it use its cores. A write that waits for a
    /// replica which has stopped holds up what comes behind it on its connection; reads that must not wait for that are made
    /// by a client of their own.
    public var connectionsPerNode = 4

    /// How many event loops the connections are spread over, from 1 up to those of the client's group.
    ///
    /// One thread does the I/O of some 100,000 small calls a second, and what it does is only that, unless tasks run on
    /// ``AerospikeClient/executor``. One is best as long as it is not busy all the time: fewer threads have to be woken, and
    /// more calls leave in one write. It is worth raising where a client makes more calls than that, moves hundreds of
    /// megabytes a second, or speaks TLS at such rates. Each loop needs a connection of its own to each node: raise
    /// ``connectionsPerNode`` too if it is less.
    public var eventLoopCount = 1

    /// How long a connection may take to be made, everything included.
    public var connectTimeout = Duration.seconds(1)

    /// How long a call may take and how often it is tried, where its own policy says nothing of it.
    public var call = CallPolicy()

    /// How often the nodes are asked for changes of the cluster.
    public var tendInterval = Duration.seconds(1)

    /// The most requests in flight on one connection; more wait for room.
    public var requestsInFlightMax = AerospikeLimits.requestsInFlightMax

    /// The most bytes of requests in flight on one connection; a request that is larger goes alone.
    public var bytesInFlightMax = AerospikeLimits.bytesInFlightMax

    /// The most calls that wait for room on one connection; more fail with ``ResultCode/queueFull``.
    public var callsWaitingMax = AerospikeLimits.callsWaitingMax

    /// How long requests may be in flight on a connection without any reply before it is closed and replaced.
    public var stallTimeout = Duration.seconds(5)

    /// Who is told of calls as spans; nil for the application's own tracer, if it has bootstrapped one.
    public var tracer: (any Tracer)?

    /// Who makes the timers of calls; nil for the application's own, if it has bootstrapped metrics.
    public var metrics: (any MetricsFactory)?

    /// A configuration of the defaults.
    ///
    /// - Parameter seeds: nodes to ask for the others.
    public init(seeds: [Host]) {
        self.seeds = seeds
    }
}

extension Duration {
    /// The same time for SwiftNIO, which counts nanoseconds in 64 bits.
    package var timeAmount: TimeAmount {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return .nanoseconds(seconds < 0 ? 0 : .max / 4) }
        return .nanoseconds(min(product &+ attoseconds / 1_000_000_000, .max / 4))
    }
}
