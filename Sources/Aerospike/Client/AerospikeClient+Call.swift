import NIOCore
import NIOPosix

extension AerospikeClient {
    /// Makes a call on one record, with as many tries as its policy allows.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - policy: its time and tries; nil for the client's.
    ///   - replica: which copy is asked; writes are for the master.
    ///   - name: what the call is called in metrics and traces.
    /// - Returns: the reply.
    /// - Throws: ``AerospikeError``, also for every result code but 0.
    func call(
        _ request: RecordRequest,
        policy: CallPolicy?,
        replica: ReadReplica = .master,
        name: CallName
    ) async throws(AerospikeError) -> ReplyMessage {
        let policy = policy ?? configuration.call
        guard instruments.areOn else {
            return try await callUnobserved(request, policy: policy, replica: replica)
        }
        return try await instruments.observe(name, of: request.key) { () throws(AerospikeError) in
            try await callUnobserved(request, policy: policy, replica: replica)
        }
    }

    private func callUnobserved(
        _ request: RecordRequest,
        policy: CallPolicy,
        replica: ReadReplica
    ) async throws(AerospikeError) -> ReplyMessage {
        var now = NIODeadline.now()
        var attempts = Attempts(policy, isWrite: request.isWrite, now: now)
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
                wasSent: failure.wasSent,
                now: now,
                chance: Double.random(in: 0...1)
            ) {
            case .fail(let error): throw error
            case .retry(let pause):
                do {
                    try await Task.sleep(for: .nanoseconds(pause.nanoseconds))
                } catch {
                    throw AerospikeError(.cancelled, inDoubt: failure.error.inDoubt, cause: failure.error)
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
            throw CallFailure(map.noNode(for: request.key), wasSent: false)
        }
        guard !node.isLeftAlone else {
            throw CallFailure(AerospikeError(.maxErrorRate, node: node.description), wasSent: false)
        }
        guard let connection = node.connection(preferring: MultiThreadedEventLoopGroup.currentEventLoop) else {
            cluster.requestTend()
            let error = AerospikeError(
                .connection,
                "There is no connection to the node at the moment.",
                node: node.description
            )
            throw CallFailure(error, wasSent: false)
        }
        let deadline = attempts.tryDeadline(now: now)
        let timeout = max(1, (deadline - now).nanoseconds / 1_000_000)
        let frame: ReplyDecoder.Frame
        do {
            frame = try await connection.request(expecting: .message, deadline: deadline) {
                (buffer) throws(AerospikeError) in
                try buffer.writeRequest(request, timeoutMilliseconds: UInt32(clamping: timeout))
            }
        } catch {
            cluster.heed(error, of: node)
            throw CallFailure(error.error.adding(node: node.description), wasSent: error.wasSent)
        }
        guard case .message(let message, _) = frame else {
            throw CallFailure(.malformed("a reply of another kind than was asked for"), wasSent: true)
        }
        guard message.resultCode == .ok else {
            let error = AerospikeError(message.resultCode, message.functionFailure, node: node.description)
            throw CallFailure(error, wasSent: true)
        }
        return message
    }

    /// Which copy of a record a try asks.
    func replicaIndex(_ replica: ReadReplica, _ attempts: Attempts, _ map: ClusterMap, _ key: Key) -> Int {
        switch replica {
        case .master: 0
        case .masterFirst: attempts.sentCount == 0 ? 0 : attempts.sentCount % max(1, map.replicaCount(key.namespace))
        case .spread:
            (attempts.sentCount + instruments.nextTurn()) % max(1, map.replicaCount(key.namespace))
        }
    }
}

extension Cluster {
    /// Takes a failure for what it tells about the node.
    func heed(_ failure: CallFailure, of node: Node) {
        switch failure.error.code {
        // The caller's doing.
        case .cancelled, .invalidArgument, .queueFull: return
        default: break
        }
        if failure.wasSent {
            node.noteFailure()
        }
        requestTend()
    }
}

extension ClusterMap {
    /// Why there is nobody to ask for a record.
    func noNode(for key: Key) -> AerospikeError {
        noNode(forNamespace: key.namespace)
    }

    /// Why there is nobody to ask for a partition of a namespace.
    func noNode(forNamespace name: String) -> AerospikeError {
        guard !nodes.isEmpty else {
            return AerospikeError(.invalidNode, "No node of the cluster is known yet, or none is left.")
        }
        guard hasNamespace(name) else {
            return AerospikeError(.namespaceNotFound, "No node of the cluster has the namespace '\(name)'.")
        }
        return AerospikeError(.invalidNode, "No node is known to hold the partition in the namespace '\(name)'.")
    }
}
