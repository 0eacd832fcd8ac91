import NIOCore
import NIOPosix

extension AerospikeClient {
    /// Makes a call on one record, with as many tries as its policy allows.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - policy: its time and tries, so far as they are its own.
    ///   - replica: which copy is asked; writes are for the master.
    ///   - name: what the call is called in metrics and traces.
    /// - Returns: the reply.
    /// - Throws: ``AerospikeError``, also for every result code but 0.
    func call(
        _ request: RecordRequest,
        policy: CallPolicy,
        replica: ReadReplica = .master,
        name: CallName
    ) async throws(AerospikeError) -> ReplyMessage {
        let policy = ResolvedCallPolicy(policy, client: configuration.call)
        guard instruments.areOn else {
            return try await callUnobserved(request, policy: policy, replica: replica)
        }
        return try await instruments.observe(name, of: request.key) { () throws(AerospikeError) in
            try await callUnobserved(request, policy: policy, replica: replica)
        }
    }

    private func callUnobserved(
        _ request: RecordRequest,
        policy: ResolvedCallPolicy,
        replica: ReadReplica
    ) async throws(AerospikeError) -> ReplyMessage {
        var now = NIODeadline.now()
        var attempts = Attempts(policy, isWrite: request.isWrite, now: now)
        var refusedCount = 0
        while true {
            let failure: CallFailure
            do throws(CallFailure) {
                return try await attempt(request, attempts, replica: replica, now: now)
            } catch {
                failure = error
            }
            now = .now()
            switch attempts.failed(
                failure.error,
                wasSent: failure.wasSent && !isForgiven(failure.error.code, &refusedCount),
                now: now,
                chance: Double.random(in: 0...1)
            ) {
            case .fail(let error): throw error
            case .retry(let pause):
                do {
                    try await Task.sleep(for: .nanoseconds(pause.nanoseconds))
                } catch {
                    throw AerospikeError(.cancelled, inDoubt: attempts.isInDoubt, cause: failure.error)
                }
                now = .now()
            }
        }
    }

    private func attempt(
        _ request: RecordRequest,
        _ attempts: Attempts,
        replica: ReadReplica,
        now: NIODeadline
    ) async throws(CallFailure) -> ReplyMessage {
        let map = cluster.map
        guard let node = map.node(for: request.key, replica: replicaIndex(replica, attempts, map, request.key)) else {
            cluster.requestTend()
            throw CallFailure(map.noNode(forNamespace: request.key.namespace), wasSent: false)
        }
        let connection: NodeConnection
        do {
            connection = try node.connectionForCall()
        } catch {
            cluster.requestTend()
            throw error
        }
        let canAskOthers = replica != .master && map.replicaCount(request.key.namespace) > 1
        let deadline = attempts.tryDeadline(now: now, canAskOthers: canAskOthers)
        let timeout = max(1, (deadline - now).nanoseconds / 1_000_000)
        let message: ReplyMessage
        do {
            message = try await connection.message(deadline: deadline) { buffer throws(AerospikeError) in
                try buffer.writeRequest(request, timeoutMilliseconds: UInt32(clamping: timeout))
            }
        } catch {
            note(error, of: node, connection, since: now)
            throw CallFailure(error.error.adding(node: node.description), wasSent: error.wasSent)
        }
        guard message.resultCode == .ok else {
            note(message.resultCode, of: node, connection)
            let error = AerospikeError(message.resultCode, message.functionFailure, node: node.description)
            throw CallFailure(error, wasSent: true)
        }
        return message
    }

    /// Makes one try of a call on one record, and tells a function what came of it; the caller decides about further tries.
    ///
    /// It is for callers on the event loop that the client's ``executor`` runs on, whose calls need no task then, and for
    /// clients that have one event loop. It is neither timed nor traced.
    ///
    /// - Parameters:
    ///   - request: the request; it goes to the master, and may take as long as a call of the client.
    ///   - earlier: the connection of an earlier request that this one is to arrive behind; where another node is to be
    ///     asked now, or it is closed, it goes by another.
    ///   - completion: is told the reply, or ``AerospikeError`` for every result code but 0, once and on that event loop;
    ///     perhaps before this returns.
    /// - Returns: the connection that it went by; nil if there was none.
    @discardableResult
    package func tryOnce(
        _ request: RecordRequest,
        by earlier: NodeConnection? = nil,
        completion: @escaping @Sendable (Result<ReplyMessage, AerospikeError>) -> Void
    ) -> NodeConnection? {
        let now = NIODeadline.now()
        let timeout = ResolvedCallPolicy(configuration.call).timeout.timeAmount
        let map = cluster.map
        guard let node = map.node(for: request.key, replica: 0) else {
            cluster.requestTend()
            completion(.failure(map.noNode(forNamespace: request.key.namespace)))
            return nil
        }
        let connection: NodeConnection
        do throws(CallFailure) {
            if let earlier, earlier.isOpen, node.has(earlier), !node.isLeftAlone {
                connection = earlier
            } else {
                connection = try node.connectionForCall()
            }
        } catch {
            cluster.requestTend()
            completion(.failure(error.error))
            return nil
        }
        let milliseconds = UInt32(clamping: max(1, timeout.nanoseconds / 1_000_000))
        connection.message(deadline: now + timeout) { buffer throws(AerospikeError) in
            try buffer.writeRequest(request, timeoutMilliseconds: milliseconds)
        } completion: { result in
            switch result {
            case .success(let message) where message.resultCode == .ok: completion(.success(message))
            case .success(let message):
                self.note(message.resultCode, of: node, connection)
                let error = AerospikeError(message.resultCode, message.functionFailure, node: node.description)
                completion(.failure(error.adding(inDoubt: request.isWrite && error.code.leavesWriteInDoubt)))
            case .failure(let failure):
                self.note(failure, of: node, connection, since: now)
                let error = failure.error.adding(node: node.description)
                let isInDoubt = failure.wasSent && request.isWrite && error.code.leavesWriteInDoubt
                completion(.failure(error.adding(inDoubt: isInDoubt)))
            }
        }
        return connection
    }

    /// Whether a try failed for nothing but the session of its connection: the call never began.
    ///
    /// As many such tries as there may be connections of the same session do not count: those that there are to a node, and
    /// those that were being made when it ended.
    ///
    /// - Parameters:
    ///   - code: what the try came to.
    ///   - count: how many such tries there were before; it goes up.
    /// - Returns: whether the try does not count.
    func isForgiven(_ code: ResultCode, _ count: inout Int) -> Bool {
        guard code.tellsOfEndedSession else { return false }
        count += 1
        return count <= 2 * configuration.connectionsPerNode
    }

    /// Takes note of a code that says something about the node or the connection, and not about the call alone.
    ///
    /// - Parameters:
    ///   - code: what the node answered.
    ///   - node: the node asked.
    ///   - connection: the connection it was asked by, if it got that far.
    func note(_ code: ResultCode, of node: Node, _ connection: NodeConnection?) {
        if code.tellsOfMovedPartitions {
            cluster.requestTend()
        }
        if code.tellsOfEndedSession, let connection {
            node.retire(connection)
        }
    }

    /// Takes note of a try that failed without an answer.
    ///
    /// - Parameters:
    ///   - failure: what it came to.
    ///   - node: the node asked.
    ///   - connection: the connection it was asked by.
    ///   - start: when the try began.
    func note(_ failure: CallFailure, of node: Node, _ connection: NodeConnection, since start: NIODeadline) {
        // A caller that gave up says nothing about the node.
        guard failure.wasSent, failure.error.code != .cancelled else { return }
        cluster.requestTend()
        // A connection that broke is replaced, with pauses of its own. Silence is what a node has to be left alone for: if
        // anything came in the meantime, the node was only slow to answer this call.
        if failure.error.code == .timeout, NIODeadline.now() >= start + Node.silenceMin,
            connection.hasBeenSilent(since: start)
        {
            node.noteFailure()
        }
    }

    /// Which copy of a record a try asks.
    func replicaIndex(_ replica: ReadReplica, _ attempts: Attempts, _ map: ClusterMap, _ key: Key) -> Int {
        switch replica {
        case .master: 0
        case .masterFirst:
            attempts.failureCount == 0 ? 0 : attempts.failureCount % max(1, map.replicaCount(key.namespace))
        case .spread:
            (attempts.failureCount + instruments.nextTurn()) % max(1, map.replicaCount(key.namespace))
        }
    }
}

extension ResultCode {
    /// Whether the node that answered so may not hold the partition any more, or not yet.
    fileprivate var tellsOfMovedPartitions: Bool { self == .partitionUnavailable || self == .clusterKeyMismatch }

    /// Whether the connection that was answered so is nobody's any more: a new one has to log in.
    ///
    /// Nothing of the request was carried out.
    var tellsOfEndedSession: Bool { self == .expiredSession || self == .notAuthenticated }
}

extension Node {
    /// A connection to make a call by, near the caller if there is one.
    ///
    /// - Returns: the connection.
    /// - Throws: ``CallFailure`` if the node is left alone or cannot be reached for now.
    func connectionForCall() throws(CallFailure) -> NodeConnection {
        guard !isLeftAlone else {
            throw CallFailure(AerospikeError(.maxErrorRate, node: description), wasSent: false)
        }
        guard let connection = connection(preferring: MultiThreadedEventLoopGroup.currentEventLoop) else {
            let error = AerospikeError(
                .connection,
                "There is no connection to the node at the moment.",
                node: description
            )
            throw CallFailure(error, wasSent: false)
        }
        return connection
    }
}

extension ClusterMap {
    /// Why there is nobody to ask for a partition of a namespace.
    func noNode(forNamespace name: String) -> AerospikeError {
        // It is never another time's matter: whoever tries again would try until his time is up.
        guard !isOver else { return .clientIsClosed }
        guard !nodes.isEmpty else {
            return AerospikeError(.invalidNode, "No node of the cluster is known yet, or none is left.")
        }
        guard hasNamespace(name) else {
            return AerospikeError(.namespaceNotFound, "No node of the cluster has the namespace '\(name)'.")
        }
        return AerospikeError(.invalidNode, "No node is known to hold the partition in the namespace '\(name)'.")
    }
}
