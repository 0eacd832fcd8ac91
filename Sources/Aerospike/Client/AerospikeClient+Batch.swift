import NIOCore
import Synchronization

extension AerospikeClient {
    /// Makes calls on many records, with one message to each node.
    ///
    /// The calls are independent: some may fail and others not, and they are made in no particular order. Two calls on one
    /// record may be made in either order.
    ///
    /// - Parameters:
    ///   - calls: the calls, which may be of different kinds.
    ///   - policy: how the batch is made.
    /// - Returns: what each call came to, in the order of the calls; ``ResultCode/notFound`` for a record that is not there.
    /// - Throws: ``AerospikeError`` if the batch as a whole cannot be made. A call's own failure is in its result.
    public func batch(
        _ calls: [BatchCall],
        policy: BatchPolicy = BatchPolicy()
    ) async throws(AerospikeError) -> [Result<Record, AerospikeError>] {
        guard let first = calls.first else { return [] }
        for call in calls {
            try call.request.check()
        }
        guard instruments.areOn else { return try await batchUnobserved(calls, policy) }
        return try await instruments.observe(.batch, of: first.key) { () throws(AerospikeError) in
            try await batchUnobserved(calls, policy)
        }
    }

    private func batchUnobserved(
        _ calls: [BatchCall],
        _ policy: BatchPolicy
    ) async throws(AerospikeError) -> [Result<Record, AerospikeError>] {
        let requests = calls.map(\.request)
        let isWrite = requests.contains(where: \.isWrite)
        var state = BatchState(requests)
        // Whether a part is in doubt is decided part by part.
        let callPolicy = ResolvedCallPolicy(policy.call, client: configuration.call)
        var attempts = Attempts(callPolicy, isWrite: false, now: .now())
        var refusedCount = 0
        while true {
            let open = state.openParts
            if open.isEmpty { break }
            let lastFailure = await attempt(open, requests, policy, attempts, &state)
            let now = NIODeadline.now()
            guard let lastFailure else {
                state.settle(retriesInDoubt: callPolicy.retriesInDoubt, isOver: true)
                break
            }
            let decision = attempts.failed(
                lastFailure.error,
                wasSent: lastFailure.wasSent && !isForgiven(lastFailure.error.code, &refusedCount),
                now: now,
                chance: Double.random(in: 0...1)
            )
            guard case .retry(let pause) = decision else {
                state.settle(retriesInDoubt: callPolicy.retriesInDoubt, isOver: true)
                break
            }
            state.settle(retriesInDoubt: callPolicy.retriesInDoubt, isOver: false)
            if state.openParts.isEmpty { break }
            do {
                try await Task.sleep(for: .nanoseconds(pause.nanoseconds))
            } catch {
                throw AerospikeError(.cancelled, inDoubt: isWrite)
            }
        }
        return state.finished()
    }

    /// Tries parts once; returns a failure that may be tried again, if there was one.
    private func attempt(
        _ parts: [Int],
        _ requests: [RecordRequest],
        _ policy: BatchPolicy,
        _ attempts: Attempts,
        _ state: inout BatchState
    ) async -> CallFailure? {
        let map = cluster.map
        var byNode: [String: (node: Node, parts: [Int])] = [:]
        var failure: CallFailure?
        for part in parts {
            let request = requests[part]
            let replica = request.isWrite ? 0 : replicaIndex(policy.replica, attempts, map, request.key)
            guard let node = map.node(for: request.key, replica: replica) else {
                let error = map.noNode(forNamespace: request.key.namespace)
                state.failed(part, error, wasSent: false)
                failure = CallFailure(error, wasSent: false)
                continue
            }
            byNode[node.name, default: (node, [])].parts.append(part)
        }
        if failure != nil {
            cluster.requestTend()
        }
        let now = NIODeadline.now()
        let exchanges = byNode.values.map { group in
            BatchExchange(
                parts: group.parts,
                requests: requests,
                node: group.node,
                policy: policy,
                deadline: attempts.tryDeadline(now: now),
                now: now
            )
        }
        let outcomes: [BatchExchange.Outcome]
        if exchanges.count == 1, let only = exchanges.first {
            outcomes = [await only.run()]
        } else {
            outcomes = await withTaskGroup(of: BatchExchange.Outcome.self) { group in
                for exchange in exchanges {
                    group.addTask { await exchange.run() }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        for outcome in outcomes {
            let asked = Set(outcome.parts)
            for message in outcome.messages {
                note(message.resultCode, of: outcome.node, outcome.connection)
                do throws(AerospikeError) {
                    try state.received(message, parts: asked, node: outcome.node.description)
                } catch {
                    failure = CallFailure(error, wasSent: true)
                }
            }
            let answered = Set(outcome.messages.map { Int($0.batchIndex) })
            let missing = outcome.failure ?? CallFailure(AerospikeError(.noResponse), wasSent: true)
            for part in outcome.parts where !answered.contains(part) {
                state.failed(part, missing.error.adding(node: outcome.node.description), wasSent: missing.wasSent)
            }
            if let failed = outcome.failure {
                // Each part is judged by its own failure; any that may be tried again has the batch go on.
                if failure?.error.code.isTransient != true {
                    failure = failed
                }
                cluster.requestTend()
                if let connection = outcome.connection {
                    note(failed.error.code, of: outcome.node, connection)
                    note(failed, of: outcome.node, connection, since: now)
                }
            }
        }
        if failure == nil, let transient = state.transientFailure {
            failure = CallFailure(transient, wasSent: true)
        }
        return failure
    }
}

/// The part of a batch that is for one node.
private struct BatchExchange: Sendable {
    struct Outcome: Sendable {
        var node: Node
        var parts: [Int]
        var messages: [ReplyMessage]
        var failure: CallFailure?
        /// By which connection the node was asked, if it was.
        var connection: NodeConnection?
    }

    var parts: [Int]
    var requests: [RecordRequest]
    var node: Node
    var policy: BatchPolicy
    var deadline: NIODeadline
    var now: NIODeadline

    func run() async -> Outcome {
        let gathered = Mutex<[ReplyMessage]>([])
        var used: NodeConnection?
        do throws(CallFailure) {
            let connection = try node.connectionForCall()
            used = connection
            let timeout = UInt32(clamping: max(1, (deadline - now).nanoseconds / 1_000_000))
            if parts.count == 1, policy.filter == nil {
                var message = try await connection.message(deadline: deadline) { buffer throws(AerospikeError) in
                    try buffer.writeRequest(requests[parts[0]], timeoutMilliseconds: timeout)
                }
                message.header.timeoutOrIndex = UInt32(parts[0])
                return Outcome(node: node, parts: parts, messages: [message], failure: nil, connection: used)
            }
            let last = try await connection.message(expecting: .batch(partsMax: parts.count), deadline: deadline) {
                message in
                gathered.withLock { $0.append(message) }
            } write: { buffer throws(AerospikeError) in
                try message.write(into: &buffer, timeoutMilliseconds: timeout)
            }
            guard last.resultCode == .ok else {
                throw CallFailure(AerospikeError(last.resultCode), wasSent: true)
            }
            return Outcome(node: node, parts: parts, messages: gathered.withLock { $0 }, failure: nil, connection: used)
        } catch {
            let failure = CallFailure(error.error.adding(node: node.description), wasSent: error.wasSent)
            return Outcome(
                node: node,
                parts: parts,
                messages: gathered.withLock { $0 },
                failure: failure,
                connection: used
            )
        }
    }

    private var message: BatchRequest {
        var flags: BatchRequest.Flags = []
        if policy.inlineInMemory { flags.formUnion(.inlineInMemory) }
        if policy.inlineOnDevice { flags.formUnion(.inlineOnDevice) }
        if policy.goesOnAfterFailure { flags.formUnion(.respondAllKeys) }
        return BatchRequest(parts.map { (UInt32($0), requests[$0]) }, flags: flags, filter: policy.filter)
    }
}
