import Aerospike
import NIOCore

/// What goes wrong with requests.
extension SimulatedCluster {
    /// Counts a request.
    mutating func count(_ summary: RequestSummary) {
        nodes[summary.node].counters.requests[summary.kind, default: 0] += 1
        for name in summary.infoNames {
            let command = InfoRequest(name).name
            let isNew = nodes[summary.node].counters.infoNames[command] == nil
            // Names come from the peer, so that there may be any number of them.
            let isRoom = nodes[summary.node].counters.infoNames.count < NodeCounters.unknownRequestsMax
            nodes[summary.node].counters.infoNames[isNew && !isRoom ? "" : command, default: 0] += 1
        }
    }

    /// What goes wrong with a request; every rule that matches it counts it, and the first that is due hits it.
    mutating func takeFault(for summary: RequestSummary, _ connection: NodeConnection) -> Fault.Effect? {
        var effect: Fault.Effect?
        for index in faults.indices {
            let fault = faults[index]
            guard fault.nodes?.contains(summary.node) ?? true, fault.matches(summary) else { continue }
            if fault.skipping > 0 {
                faults[index].skipping -= 1
            } else if effect == nil, fault.count > 0 {
                faults[index].count -= 1
                effect = fault.effect
            }
        }
        faults.removeAll { $0.count <= 0 }
        if effect == nil, summary.isCall {
            effect = randomFaults?.effect(
                node: summary.node,
                connection: connection.number,
                request: connection.requestCount
            )
        }
        if let effect {
            nodes[summary.node].counters.faults[effect.name, default: 0] += 1
        }
        return effect
    }

    /// Carries out a request that is answered at once, unless a fault keeps it from that.
    mutating func served(
        _ summary: RequestSummary,
        _ connection: NodeConnection,
        _ nowNanoseconds: Int64,
        _ body: (inout SimulatedCluster) -> ByteBuffer
    ) -> Outcome {
        count(summary)
        guard let effect = takeFault(for: summary, connection) else { return .answered(Reply(bytes: body(&self))) }
        var bytes = ByteBuffer()
        if effect.isApplied {
            bytes = body(&self)
        }
        if case .answer = effect {
            bytes = refusal(of: effect, isBatch: false)
        }
        return .answered(spoil(bytes, by: effect, nowNanoseconds))
    }

    /// Answers a request with a code alone.
    mutating func refuse(
        _ code: ResultCode,
        _ summary: RequestSummary,
        _ connection: NodeConnection,
        _ nowNanoseconds: Int64,
        isLast: Bool = false
    ) -> Outcome {
        nodes[summary.node].counters.resultCodes[code, default: 0] += 1
        return served(summary, connection, nowNanoseconds) { _ in
            var bytes = ByteBuffer()
            bytes.writeReply(code, isLast: isLast)
            return bytes
        }
    }

    /// The reply that a fault gives in the place of the real one.
    func refusal(of effect: Fault.Effect, isBatch: Bool) -> ByteBuffer {
        var bytes = ByteBuffer()
        if case .answer(let code, _) = effect {
            bytes.writeReply(code, isLast: isBatch)
        }
        return bytes
    }

    /// What a fault makes of a reply.
    func spoil(_ bytes: ByteBuffer, by effect: Fault.Effect, _ nowNanoseconds: Int64) -> Reply {
        switch effect {
        case .answer: return Reply(bytes: bytes)
        case .swallowReply(let aftermath), .dropRequest(let aftermath): return Reply(aftermath: aftermath)
        case .delayReply(let duration):
            return Reply(bytes: bytes, heldUntilNanoseconds: nowNanoseconds &+ duration.inNanoseconds)
        case .cutReply(let count):
            let kept = bytes.getSlice(at: bytes.readerIndex, length: min(max(0, count), bytes.readableBytes))
            return Reply(bytes: kept ?? ByteBuffer(), aftermath: .close)
        case .sendBytes(let instead, let aftermath):
            return Reply(bytes: ByteBuffer(bytes: instead), aftermath: aftermath)
        }
    }
}

extension RequestMessage {
    /// What faults' rules see of the request.
    func summary(node: Int, batch: BatchMessage?) -> RequestSummary {
        var summary = RequestSummary(kind: .read, node: node)
        summary.namespace = namespace ?? ""
        summary.setName = setName
        summary.digest = digest
        summary.operationCount = batch?.parts.count ?? operations.count
        switch kind {
        case .batch: summary.kind = .batch
        case .query: summary.kind = .query
        case .record where field(.udfFunction) != nil: summary.kind = .program
        case .record where header.write.contains(.delete): summary.kind = .delete
        case .record where isWrite: summary.kind = .write
        case .record: break
        }
        return summary
    }
}
