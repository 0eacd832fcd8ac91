import Logging
import NIOCore

/// Carries out what ``ClusterStateMachine`` says, as long as ``Cluster/run()`` lasts.
///
/// Events are handled one at a time; what takes long is done in tasks, which report with an event.
struct ClusterTender {
    private let cluster: Cluster
    private var machine: ClusterStateMachine
    private var nodes: [Node.ID: Node] = [:]
    /// Nodes whose first connection is being opened.
    private var unsettled: Set<Node.ID> = []
    /// What is to be published when no node is unsettled.
    private var unpublished: (tables: [PartitionTable], nodes: [Node.ID])?
    private var isReady = false
    private var nextTick: Scheduled<Void>?
    private var windowEnd = NIODeadline.now()
    /// Addresses of whose failure the log tells already.
    private var reported: Set<AerospikeClientConfiguration.Host> = []

    init(cluster: Cluster) {
        self.cluster = cluster
        machine = ClusterStateMachine(
            settings: .init(cluster.configuration, usesTLS: cluster.connector.speaksTLS)
        )
    }

    /// Tends until the task is cancelled; then no connection is open any more, or is opened.
    mutating func tend(_ group: inout DiscardingTaskGroup) async {
        cluster.eventContinuation.yield(.tick)
        for await event in cluster.events {
            handle(event, &group)
        }
        nextTick?.cancel()
        for node in nodes.values {
            node.close(AerospikeError(.connection, "The client is being closed."))
        }
    }

    private mutating func handle(_ event: Cluster.Event, _ group: inout DiscardingTaskGroup) {
        let now = NIODeadline.now()
        switch event {
        case .tick: carryOut(machine.tick(now: now), &group)
        case .tendRequested: carryOut(machine.requestTend(now: now), &group)
        case .answered(let id, let result):
            if case .failure(let error) = result, let node = nodes[id] {
                cluster.logger.debug("a node did not answer", metadata: ["node": "\(node)", "error": "\(error)"])
            }
            carryOut(machine.answered(id, result, now: now), &group)
        case .probed(let host, let result):
            carryOut(machine.probed(host, result, now: now), &group)
            report(host, result)
        case .settled(let id):
            unsettled.remove(id)
            publish()
        }
        if now >= windowEnd {
            windowEnd = now + machine.interval
            for node in nodes.values {
                node.beginFailureWindow()
            }
        }
        if !isReady, unpublished == nil, machine.isInitialized {
            isReady = true
            cluster.becomeReady()
        }
        scheduleTick(now)
    }

    private mutating func scheduleTick(_ now: NIODeadline) {
        nextTick?.cancel()
        nextTick = cluster.eventLoops.first?.scheduleTask(deadline: machine.nextTick(after: now)) {
            [continuation = cluster.eventContinuation] in
            continuation.yield(.tick)
        }
    }

    // MARK: Actions

    private mutating func carryOut(_ actions: [ClusterStateMachine.Action], _ group: inout DiscardingTaskGroup) {
        for action in actions {
            switch action {
            case .probe(let host, let names): probe(host, names, &group)
            case .ask(let id, let names): ask(id, names, &group)
            case .add(let id, let name, let host): add(Node(id: id, name: name, host: host), &group)
            case .drop(let id, let departure): drop(id, departure)
            case .publish(let tables, let nodes):
                unpublished = (tables, nodes)
                publish()
            }
        }
    }

    private func probe(
        _ host: AerospikeClientConfiguration.Host,
        _ names: [String],
        _ group: inout DiscardingTaskGroup
    ) {
        guard let eventLoop = cluster.eventLoops.first else { return }
        group.addTask { [cluster] in
            let result: Result<[String: String], AerospikeError>
            do throws(AerospikeError) {
                let connection = try await cluster.connector.connect(to: host, on: eventLoop)
                defer { connection.close() }
                let deadline = NIODeadline.now() + cluster.connector.connectTimeout
                result = .success(try await connection.info(names, deadline: deadline))
            } catch {
                result = .failure(error)
            }
            cluster.eventContinuation.yield(.probed(host, result))
        }
    }

    private func ask(_ id: Node.ID, _ names: [String], _ group: inout DiscardingTaskGroup) {
        guard let node = nodes[id] else { return }
        let eventLoop = eventLoop(Int(id))
        group.addTask { [cluster] in
            let result: Result<[String: String], AerospikeError>
            do throws(AerospikeError) {
                let connector = cluster.connector
                result = .success(
                    try await node.ask(names, timeout: connector.connectTimeout, connector, on: eventLoop)
                )
            } catch {
                result = .failure(error)
            }
            cluster.eventContinuation.yield(.answered(id, result))
        }
    }

    private mutating func add(_ node: Node, _ group: inout DiscardingTaskGroup) {
        cluster.logger.info("found a node", metadata: ["node": "\(node)"])
        nodes[node.id] = node
        unsettled.insert(node.id)
        let count = max(1, cluster.configuration.connectionsPerNode)
        // Each node begins where the last ended, so that few connections are spread over all event loops too.
        let first = Int(node.id - 1) * count
        let supply = Node.Supply(
            connector: cluster.connector,
            eventLoops: (first..<first + count).map(eventLoop)
        )
        group.addTask { [continuation = cluster.eventContinuation] in
            await node.keepConnections(supply) { continuation.yield(.settled(node.id)) }
        }
    }

    private func eventLoop(_ number: Int) -> any EventLoop {
        cluster.eventLoops[number % cluster.eventLoops.count]
    }

    private mutating func drop(_ id: Node.ID, _ departure: ClusterStateMachine.Departure) {
        guard let node = nodes.removeValue(forKey: id) else { return }
        cluster.logger.warning("lost a node", metadata: ["node": "\(node)", "reason": "\(departure)"])
        unsettled.remove(id)
        // It is closed, so what callers are told must not have it any more.
        publish()
        node.close(AerospikeError(.connection, departure.explanation))
    }

    /// Tells callers of what there is, once new nodes can be asked.
    private mutating func publish() {
        guard unsettled.isEmpty, let (tables, ids) = unpublished else { return }
        unpublished = nil
        cluster.publish(ClusterMap(nodes: ids.compactMap { nodes[$0] }, tables: tables))
    }

    private mutating func report(
        _ host: AerospikeClientConfiguration.Host,
        _ result: Result<[String: String], AerospikeError>
    ) {
        if !isReady {
            cluster.noteSeedErrors(machine.seedErrors)
        }
        switch result {
        case .success: reported.remove(host)
        case .failure(let error):
            guard reported.insert(host).inserted else { return }
            cluster.logger.warning(
                "an address cannot be used",
                metadata: ["host": "\(host.name):\(host.port)", "error": "\(error)"]
            )
        }
    }
}

extension ClusterStateMachine.Departure {
    fileprivate var explanation: String {
        switch self {
        case .dead: "The node does not answer, and its cluster has gone on without it."
        case .left: "The node has left its cluster."
        case .renamed(let name): "The node is gone; \(name) answers at its address."
        case .moved(let host): "The node has moved to \(host.name):\(host.port)."
        }
    }
}
