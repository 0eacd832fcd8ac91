import NIOCore
import Synchronization

/// What joins the sockets of a cluster's nodes with the cluster's value: one lock, and who is to be woken or closed.
final class ClusterHost: Sendable {
    /// A connection, among all of the cluster.
    struct LinkID: Hashable, Sendable {
        var number: Int
    }

    /// How to reach a connection from outside its event loop.
    fileprivate struct Link: Sendable {
        var node: Int
        /// Which start of the node it was made to.
        var incarnation: Int
        var channel: any Channel
        var wake: @Sendable () -> Void
        /// Ends the connection on its event loop, and all that has come by it.
        var cut: @Sendable () -> Void
    }

    /// How a node treats its connections.
    fileprivate struct Manners: Sendable {
        var connectionsMax: Int
        var openCount = 0
        var lastNumber = 0
        /// How long it waits before each read, in nanoseconds; not at all if nil.
        var readPauseNanoseconds: Int64?
        var bytesPerRead = 0
    }

    fileprivate struct State: Sendable {
        var cluster: SimulatedCluster
        var links: [LinkID: Link] = [:]
        var lastLink = 0
        var manners: [Manners] = []
        var isOver = false
        /// Who waits until the nodes agree.
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// When the cluster is to be looked at, as was asked for already.
        var ticksAtNanoseconds: Int64?
    }

    private let state: Mutex<State>
    private let clock: TestClock
    private let eventLoop: any EventLoop
    let requestBytesMax: Int
    let requestsServedAfterClose: Int

    init(_ cluster: SimulatedCluster, eventLoop: any EventLoop) {
        let configuration = cluster.configuration
        clock = configuration.clock
        requestBytesMax = configuration.requestBytesMax
        requestsServedAfterClose = configuration.requestsServedAfterClose
        self.eventLoop = eventLoop
        state = Mutex(State(cluster: cluster))
    }

    // MARK: The cluster

    var nowNanoseconds: Int64 { clock.nowNanoseconds }

    /// Looks at the cluster, or changes it; whoever waits for a change is then woken.
    func withCluster<Result: Sendable>(_ body: @Sendable (inout SimulatedCluster, Int64) -> sending Result) -> Result {
        let now = nowNanoseconds
        let result = state.withLock { state in
            let result = body(&state.cluster, now)
            state.resumeWaitersIfAgreed()
            return result
        }
        scheduleTick()
        wakeAll()
        return result
    }

    /// Looks at the cluster.
    func readCluster<Result: Sendable>(_ body: (borrowing SimulatedCluster) -> sending Result) -> Result {
        state.withLock { body($0.cluster) }
    }

    func addNode(port: Int, tlsPort: Int) -> Int {
        state.withLock { state in
            state.manners.append(Manners(connectionsMax: state.cluster.configuration.connectionsMax))
            return state.cluster.addNode(port: port, tlsPort: tlsPort)
        }
    }

    /// Ends everything: nothing is scheduled or woken any more.
    func end() -> [any Channel] {
        state.withLock { state in
            state.isOver = true
            state.resumeWaiters()
            return state.links.values.map(\.channel)
        }
    }

    /// Waits until the nodes have noticed what has changed.
    func agreed() async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                state.waiters.append(continuation)
                state.resumeWaitersIfAgreed()
            }
        }
    }

    func schedule(
        atNanoseconds instant: Int64,
        on eventLoop: any EventLoop,
        _ body: @escaping @Sendable () -> Void
    ) {
        clock.schedule(atNanoseconds: instant, on: eventLoop) { [self] in
            guard !state.withLock({ $0.isOver }) else { return }
            body()
        }
    }

    private func scheduleTick() {
        let due = state.withLock { state -> Int64? in
            guard let due = state.cluster.reclusterAtNanoseconds, state.ticksAtNanoseconds != due else { return nil }
            state.ticksAtNanoseconds = due
            return due
        }
        guard let due else { return }
        schedule(atNanoseconds: due, on: eventLoop) { [self] in
            let now = nowNanoseconds
            let isChanged = state.withLock { state in
                state.ticksAtNanoseconds = nil
                defer { state.resumeWaitersIfAgreed() }
                return state.cluster.tick(now)
            }
            if isChanged {
                wakeAll()
            } else {
                scheduleTick()
            }
        }
    }

    private func wakeAll() {
        let wakes = state.withLock { $0.isOver ? [] : $0.links.values.map(\.wake) }
        for wake in wakes {
            wake()
        }
    }

    // MARK: Requests

    func serve(
        _ frame: RequestFramer.Frame,
        on connection: inout NodeConnection,
        nowNanoseconds: Int64
    ) -> SimulatedCluster.Outcome {
        var copy = connection
        let (outcome, complaints) = state.withLock { state in
            let outcome = state.cluster.serve(frame, on: &copy, nowNanoseconds: nowNanoseconds)
            return (outcome, state.takeComplaints())
        }
        connection = copy
        complaints.forEach(StandardError.print)
        return outcome
    }

    func resume(
        _ call: PendingCall,
        on connection: NodeConnection,
        nowNanoseconds: Int64
    ) -> SimulatedCluster.Outcome {
        let (outcome, complaints) = state.withLock { state in
            let outcome = state.cluster.resume(call, on: connection, nowNanoseconds: nowNanoseconds)
            return (outcome, state.takeComplaints())
        }
        complaints.forEach(StandardError.print)
        return outcome
    }

    // MARK: Connections

    /// Takes note of a connection.
    ///
    /// - Returns: by which it is known, and its number on the node; nil if it is to be closed at once.
    func connectionOpened(
        to node: Int,
        channel: any Channel,
        wake: @escaping @Sendable () -> Void,
        cut: @escaping @Sendable () -> Void
    ) -> (link: LinkID, number: Int)? {
        state.withLock { state in
            state.manners[node].lastNumber += 1
            let number = state.manners[node].lastNumber
            state.cluster.noteConnection(node: node, isRefused: false)
            guard !state.isOver, state.cluster.nodes[node].state != .killed,
                state.manners[node].openCount < state.manners[node].connectionsMax
            else {
                state.cluster.noteConnection(node: node, isRefused: true)
                return nil
            }
            state.manners[node].openCount += 1
            state.lastLink += 1
            let link = LinkID(number: state.lastLink)
            state.links[link] = Link(
                node: node,
                incarnation: state.cluster.nodes[node].incarnation,
                channel: channel,
                wake: wake,
                cut: cut
            )
            return (link, number)
        }
    }

    func connectionClosed(_ link: LinkID) {
        state.withLock { state in
            guard let node = state.links.removeValue(forKey: link)?.node else { return }
            state.manners[node].openCount -= 1
        }
    }

    /// Ends a node's connections, and waits until their sockets are closed.
    func cutConnections(ofNode node: Int) async {
        let links = state.withLock { state in state.links.values.filter { $0.node == node } }
        for link in links {
            link.channel.eventLoop.execute(link.cut)
        }
        for link in links {
            try? await link.channel.closeFuture.get()
        }
    }

    /// How many connections are open to a node.
    func connectionCount(ofNode node: Int) -> Int {
        state.withLock { $0.manners[node].openCount }
    }

    /// Whether the process that a connection was made to is there, running or not.
    func isAlive(_ link: LinkID) -> Bool {
        state.withLock { state in
            guard let link = state.links[link], !state.isOver else { return false }
            let node = state.cluster.nodes[link.node]
            return node.state != .killed && node.incarnation == link.incarnation
        }
    }

    func isRunning(_ node: Int) -> Bool {
        state.withLock { $0.cluster.isRunning(node) }
    }

    func noteBytes(node: Int, received: Int, sent: Int) {
        state.withLock { $0.cluster.noteBytes(node: node, received: received, sent: sent) }
    }

    func noteViolation(node: Int) {
        state.withLock { $0.cluster.noteViolation(node: node) }
    }

    // MARK: Manners

    func setConnectionsMax(_ count: Int, node: Int) {
        state.withLock { $0.manners[node].connectionsMax = count }
    }

    /// Lets a node wait before each read and read so many bytes at most; nil lets it read as it can.
    func setReadPace(_ pace: (bytes: Int, pauseNanoseconds: Int64)?, node: Int) {
        state.withLock { state in
            state.manners[node].readPauseNanoseconds = pace?.pauseNanoseconds
            state.manners[node].bytesPerRead = pace?.bytes ?? 0
        }
    }

    func readPause(node: Int) -> Int64? {
        state.withLock { $0.manners[node].readPauseNanoseconds }
    }

    /// How many bytes a node reads at once; 0 for any number.
    func bytesPerRead(node: Int) -> Int {
        state.withLock { $0.manners[node].bytesPerRead }
    }
}

extension ClusterHost.State {
    fileprivate mutating func resumeWaitersIfAgreed() {
        if cluster.reclusterAtNanoseconds == nil {
            resumeWaiters()
        }
    }

    fileprivate mutating func resumeWaiters() {
        for waiter in waiters {
            waiter.resume()
        }
        waiters = []
    }

    fileprivate mutating func takeComplaints() -> [String] {
        guard !cluster.complaints.isEmpty else { return [] }
        defer { cluster.complaints = [] }
        return cluster.complaints
    }
}
