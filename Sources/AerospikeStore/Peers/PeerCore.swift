import BeanspikeCore
import Logging
import NIOCore
import NIOPosix

/// All that a process knows of its peers, and its connections to them.
///
/// Everything happens on one event loop.
final class PeerCore {
    let eventLoop: any EventLoop
    let events: PeerEvents
    let logger: Logger
    var identity: PeerSession.Identity?
    var links: [Int: PeerLink] = [:]
    /// Which peers wait on a tube.
    private(set) var waiting: [TubeName: Set<Int>] = [:]
    /// On which tubes consumers of this process wait.
    private var ownWaits: Set<TubeName> = []
    private var ownVersion: UInt64 = 0
    private var strangers: [ObjectIdentifier: PeerConnection] = [:]
    private var flushing: Set<Int> = []
    private var questions = PeerQuestions()
    private(set) var violationCount = 0
    private var isClosed = false

    init(eventLoop: any EventLoop, events: PeerEvents, logger: Logger) {
        self.eventLoop = eventLoop
        self.events = events
        self.logger = logger
    }

    // MARK: Who is there

    func join(_ identity: PeerSession.Identity) {
        eventLoop.preconditionInEventLoop()
        leave()
        guard !isClosed else { return }
        self.identity = identity
    }

    /// Ends all connections.
    func leave() {
        identity = nil
        for process in Array(links.keys) { remove(process) }
        strangers.values.forEach { $0.close() }
    }

    func close() {
        isClosed = true
        leave()
        questions.endAll()
    }

    func setPeers(_ addresses: [Int: PeerAddress]) {
        guard let identity else { return }
        for (process, link) in links where link.isListed && addresses[process] == nil {
            remove(process)
        }
        for (process, address) in addresses where process != identity.number {
            var link = links[process] ?? PeerLink()
            link.address = address
            link.isListed = true
            links[process] = link
            if !ownWaits.isEmpty { flushSoon(process) }
        }
    }

    private func remove(_ process: Int) {
        guard var link = links.removeValue(forKey: process) else { return }
        ended(link.waits.forget(), by: process)
        questions.lost(process)
        link.connections.forEach { $0.close() }
    }

    // MARK: Telling

    func setWaits(_ tube: TubeName, _ isWaiting: Bool) {
        let isChange = isWaiting ? ownWaits.insert(tube).inserted : ownWaits.remove(tube) != nil
        guard isChange else { return }
        ownVersion += 1
        for process in Array(links.keys) {
            // Without a connection all waits are told once there is one.
            if links[process]?.connections.isEmpty == false {
                links[process]?.outbox.add(wait: tube, isWaiting: isWaiting)
            }
            flushSoon(process)
        }
    }

    func tellWork(_ tube: TubeName, priority: UInt32) {
        guard let processes = waiting[tube] else { return }
        for process in processes {
            tell(process) { $0.add(work: tube, priority: priority) }
        }
    }

    func tellPause(_ tube: TubeName) {
        for process in Array(links.keys) {
            tell(process) { $0.add(pause: tube) }
        }
    }

    /// Puts something into a peer's outbox, unless there is neither a connection nor hope for one.
    private func tell(_ process: Int, _ add: (inout PeerOutbox) -> Void) {
        guard let link = links[process], !link.connections.isEmpty || isReachable(link) else { return }
        add(&links[process, default: PeerLink()].outbox)
        flushSoon(process)
    }

    private func isReachable(_ link: PeerLink) -> Bool {
        link.address != nil && !link.dialling.isPausing
    }

    func ask(_ question: PeerQuestion, timeout: TimeAmount) -> EventLoopFuture<[Int: PeerAnswer]> {
        let id = questions.nextID()
        var asked: Set<Int> = []
        for (process, link) in links where !link.connections.isEmpty || isReachable(link) {
            var outbox = link.outbox
            guard outbox.add(question: question, id: id) else { continue }
            links[process]?.outbox = outbox
            asked.insert(process)
        }
        guard !asked.isEmpty else { return eventLoop.makeSucceededFuture([:]) }
        asked.forEach(flushSoon)
        let promise = eventLoop.makePromise(of: [Int: PeerAnswer].self)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let timer = eventLoop.scheduleTask(in: timeout) { bound.value.questions.end(id) }
        questions.begin(id, question, asked: asked, promise: promise, timer: timer)
        return promise.futureResult
    }

    // MARK: Sending

    /// Sends what a peer is to be told once all that the event loop has at hand has been done.
    func flushSoon(_ process: Int) {
        guard flushing.insert(process).inserted, flushing.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.flushAll() }
    }

    private func flushAll() {
        let processes = flushing
        flushing = []
        processes.forEach(flush)
    }

    private func flush(_ process: Int) {
        guard let link = links[process] else { return }
        guard let connection = link.connections.first else {
            if !link.outbox.isEmpty || !ownWaits.isEmpty { dial(process) }
            return
        }
        guard connection.isWritable, !link.outbox.isEmpty else { return }
        var outbox = link.outbox
        let payloads = outbox.take(waits: ownWaits, version: ownVersion)
        links[process]?.outbox = outbox
        connection.send(payloads)
    }

    // MARK: Connections

    private func dial(_ process: Int) {
        guard let identity, let link = links[process], let address = link.address, link.dialling.canBegin else {
            return
        }
        links[process]?.dialling.begin()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(PeerLimits.connectTimeout)
            .channelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = PeerConnection(bound.value, identity: identity, dialled: process)
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
        // A number needs nobody who resolves it.
        let connecting =
            if let socket = try? SocketAddress(ipAddress: address.host, port: address.port) {
                bootstrap.connect(to: socket)
            } else {
                bootstrap.connect(host: address.host, port: address.port)
            }
        connecting.whenFailure { _ in bound.value.dialFailed(process) }
    }

    private func dialFailed(_ process: Int) {
        guard let pause = links[process]?.dialling.failed(at: .now(), chance: .random(in: 0...1)) else { return }
        if links[process]?.connections.isEmpty == true {
            links[process]?.outbox.dropNews()
            questions.lost(process)
        }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: pause) {
            bound.value.links[process]?.dialling.paused()
            bound.value.flushSoon(process)
        }
    }

    /// Takes a connection that was just made.
    ///
    /// - Returns: whether it may go on.
    func opened(_ connection: PeerConnection) -> Bool {
        // One that was under way when this process took another number speaks for the old one.
        guard identity?.number == connection.number,
            connection.dialled != nil || strangers.count < PeerLimits.strangersMax
        else { return false }
        strangers[ObjectIdentifier(connection)] = connection
        return true
    }

    func authenticated(_ connection: PeerConnection, _ peer: Int) {
        strangers[ObjectIdentifier(connection)] = nil
        if connection.dialled != nil { links[peer]?.dialling.succeeded(at: .now()) }
        guard links[peer] != nil || links.count < StoreLimits.processesMax * 2 else {
            connection.close()
            return
        }
        var link = links[peer] ?? PeerLink()
        guard link.connections.count < PeerLimits.connectionsPerPeerMax else {
            connection.close()
            return
        }
        link.connections.append(connection)
        if link.connections.count == 1, !ownWaits.isEmpty { link.outbox.tellAllWaits() }
        links[peer] = link
        flushSoon(peer)
    }

    func violated(_ connection: PeerConnection, _ violation: PeerViolation) {
        violationCount += 1
        logger.warning(
            "a connection was cut off: it is no peer of this queue, or of another version",
            metadata: ["reason": "\(violation)"]
        )
    }

    func closed(_ connection: PeerConnection) {
        strangers[ObjectIdentifier(connection)] = nil
        defer {
            if let dialled = connection.dialled { dialFailed(dialled) }
        }
        guard let peer = connection.peer, var link = links[peer],
            let index = link.connections.firstIndex(where: { $0 === connection })
        else { return }
        link.connections.remove(at: index)
        if link.connections.isEmpty {
            ended(link.waits.forget(), by: peer)
            link.outbox = PeerOutbox()
            questions.lost(peer)
        } else if index == 0 {
            // What was under way may be lost.
            link.outbox.tellAllWaits()
        }
        // One that dialled before the registry listed it, and is gone before.
        links[peer] = link.connections.isEmpty && !link.isListed ? nil : link
        flushSoon(peer)
    }

    // MARK: Being told

    func received(_ message: PeerMessage, from peer: Int) {
        switch message {
        case .waits(let version, let isBeginning, let waits):
            guard let change = links[peer]?.waits.take(version: version, isBeginning: isBeginning, waits) else {
                return
            }
            ended(change.ended, by: peer)
            for tube in change.began {
                waiting[tube, default: []].insert(peer)
                events.peerWaits(tube)
            }
        case .work(let tube, let priority): events.work(tube, priority)
        case .pause(let tube): events.paused(tube)
        case .ask(let id, let question): answer(question, id, peer)
        case .answer(let id, let answer, let isLast):
            questions.answered(id, by: peer, answer, isLast: isLast)
        }
    }

    private func ended(_ tubes: [TubeName], by peer: Int) {
        for tube in tubes {
            waiting[tube]?.remove(peer)
            if waiting[tube]?.isEmpty == true { waiting[tube] = nil }
        }
    }

    private func answer(_ question: PeerQuestion, _ id: UInt64, _ peer: Int) {
        guard let open = links[peer]?.openQuestions, open < PeerLimits.openQuestionsMax else { return }
        links[peer]?.openQuestions += 1
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        events.answer(question).hop(to: eventLoop).whenComplete { result in
            let core = bound.value
            core.links[peer]?.openQuestions -= 1
            guard case .success(let answer) = result, core.links[peer]?.connections.isEmpty == false else { return }
            core.links[peer]?.outbox.add(answer: answer, id: id)
            core.flushSoon(peer)
        }
    }
}
