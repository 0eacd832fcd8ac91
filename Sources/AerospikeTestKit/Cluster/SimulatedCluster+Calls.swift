import Aerospike

/// Calls on single records: to the node that holds them, and from there to the replicas.
extension SimulatedCluster {
    /// Takes a call as far as it goes now.
    mutating func advance(_ call: inout PendingCall, nowNanoseconds: Int64) {
        for index in call.parts.indices {
            switch call.parts[index] {
            case .asked(let request):
                call.parts[index] = ask(request, node: call.node, nowNanoseconds)
            case .replicating(let replication):
                call.parts[index] = goOn(with: replication, nowNanoseconds)
            case .done: break
            }
        }
    }

    /// Sends a call to the node that is to carry it out.
    private mutating func ask(_ request: RequestMessage, node: Int, _ nowNanoseconds: Int64) -> PendingCall.Part {
        guard let namespace = request.namespace, nodes[node].stores[namespace] != nil else {
            return .done(note(RecordAnswer(Refusal(.namespaceNotFound, "a namespace that is not there")), of: node))
        }
        guard let table = nodes[node].view?.tables[namespace] else {
            return .done(note(RecordAnswer(.partitionUnavailable), of: node))
        }
        guard let partitionID = request.partitionID else {
            return .done(carryOut(request, at: node, namespace, nowNanoseconds))
        }
        let row = table[partitionID]
        // Replicas read for themselves; only the master writes.
        let isLocal = row.workingMaster == node || !request.isWrite && row.full.contains(node)
        let target = isLocal ? node : row.workingMaster
        if target != node {
            guard sees(node, target), nodes[target].view != nil else { return .asked(request) }
            nodes[node].counters.proxied += 1
        }
        if !row.duplicates.isEmpty, request.isWrite || request.header.read.contains(.consistencyAll),
            let digest = request.digest
        {
            resolveDuplicates(of: digest, namespace, at: target, row)
        }
        let answer = carryOut(request, at: target, namespace, nowNanoseconds)
        guard let change = answer.change else { return .done(answer) }
        nodes[target].disk.note(change, namespace, nowNanoseconds)
        let missing = replicate(change, namespace, from: target, row, nowNanoseconds)
        guard !missing.isEmpty, !request.header.info.contains(.commitMaster), let view = nodes[target].view else {
            return .done(answer)
        }
        let replication = PendingCall.Replication(
            answer: answer,
            namespace: namespace,
            digest: change.digest,
            master: target,
            clusterKey: view.clusterKey,
            missing: missing
        )
        return .replicating(replication)
    }

    private mutating func carryOut(
        _ request: RequestMessage,
        at node: Int,
        _ namespace: String,
        _ nowNanoseconds: Int64
    ) -> RecordAnswer {
        let time = nowNanoseconds &+ nodes[node].clockOffsetNanoseconds
        guard let answer = nodes[node].stores[namespace]?.answer(request, nowNanoseconds: time) else {
            return RecordAnswer(.namespaceNotFound)
        }
        nodes[node].counters.calls += 1
        nodes[node].counters.operations += request.operations.count
        return note(answer, of: node)
    }

    private mutating func note(_ answer: RecordAnswer, of node: Int) -> RecordAnswer {
        nodes[node].counters.resultCodes[answer.code, default: 0] += 1
        if let unknown = answer.unknown {
            complain(node, unknown.reason)
        }
        return answer
    }

    /// Gives a changed record to the replicas that can be reached.
    ///
    /// - Returns: those that cannot.
    mutating func replicate(
        _ change: RecordChange,
        _ namespace: String,
        from master: Int,
        _ row: PartitionTable.Row,
        _ nowNanoseconds: Int64
    ) -> [Int] {
        var missing: [Int] = []
        for replica in row.replicas where replica != master {
            if sees(master, replica), agrees(master, replica) {
                nodes[replica].apply(change, inNamespace: namespace, nowNanoseconds: nowNanoseconds)
                nodes[replica].counters.replicaWrites += 1
            } else {
                missing.append(replica)
            }
        }
        return missing
    }

    /// Looks whether a write has come to its replicas, or the cluster goes on without those that miss it.
    private mutating func goOn(
        with replication: PendingCall.Replication,
        _ nowNanoseconds: Int64
    ) -> PendingCall.Part {
        let master = replication.master
        guard nodes[master].state == .running, let view = nodes[master].view else { return .replicating(replication) }
        // A new cluster has given the record to whom it is to be given to.
        guard view.clusterKey == replication.clusterKey else { return .done(replication.answer) }
        guard replication.missing.allSatisfy({ sees(master, $0) && agrees(master, $0) }) else {
            return .replicating(replication)
        }
        let change = RecordChange(
            digest: replication.digest,
            old: nil,
            new: nodes[master].stores[replication.namespace]?.record(replication.digest)
        )
        for replica in replication.missing {
            nodes[replica].apply(change, inNamespace: replication.namespace, nowNanoseconds: nowNanoseconds)
            nodes[replica].counters.replicaWrites += 1
        }
        return .done(replication.answer)
    }

    /// Takes the best version of a record from those that may have another.
    private mutating func resolveDuplicates(
        of digest: Digest,
        _ namespace: String,
        at master: Int,
        _ row: PartitionTable.Row
    ) {
        let policy = conflictPolicy(of: namespace)
        for node in nodes.indices where row.duplicates.contains(node) && sees(master, node) {
            guard let record = nodes[node].stores[namespace]?.record(digest) else { continue }
            nodes[master].stores[namespace]?.store(record, resolving: policy)
        }
    }
}
