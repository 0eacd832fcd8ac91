import Aerospike
package import NIOCore

/// Requests in, replies out.
extension SimulatedCluster {
    /// What a connection is to do about a reply.
    package struct Reply: Sendable, Hashable {
        /// The bytes to send; empty if there is no answer.
        package var bytes: ByteBuffer
        /// Until when the reply and all after it are held back, in nanoseconds since 1970.
        package var heldUntilNanoseconds: Int64?
        /// What becomes of the connection.
        package var aftermath: Fault.Aftermath

        package init(
            bytes: ByteBuffer = ByteBuffer(),
            heldUntilNanoseconds: Int64? = nil,
            aftermath: Fault.Aftermath = .goOn
        ) {
            self.bytes = bytes
            self.heldUntilNanoseconds = heldUntilNanoseconds
            self.aftermath = aftermath
        }
    }

    /// What came of a request.
    package enum Outcome: Sendable {
        /// The node stands still: the request is to be given again when it goes on.
        case notRunning
        /// It is answered.
        case answered(Reply)
        /// It waits for other nodes: it is to be looked at again when the cluster changes or its time is over.
        case waiting(PendingCall)
    }

    /// Carries out a request.
    ///
    /// - Parameters:
    ///   - frame: the request.
    ///   - connection: what the node knows of the connection.
    ///   - nowNanoseconds: the time, in nanoseconds since 1970.
    /// - Returns: the reply, or why there is none yet.
    package mutating func serve(
        _ frame: RequestFramer.Frame,
        on connection: inout NodeConnection,
        nowNanoseconds: Int64
    ) -> Outcome {
        let node = connection.node
        guard nodes[node].state == .running else { return .notRunning }
        connection.requestCount += 1
        switch frame {
        case .info(let body):
            let names = InfoRequest.commands(in: body)
            var summary = RequestSummary(kind: .info, node: node)
            summary.infoNames = names
            return served(summary, connection, nowNanoseconds) { cluster in
                cluster.answerInfo(names, on: &connection, nowNanoseconds: nowNanoseconds)
            }
        case .security(let body):
            return served(RequestSummary(kind: .security, node: node), connection, nowNanoseconds) { cluster in
                cluster.answerSecurity(body, on: &connection, nowNanoseconds: nowNanoseconds)
            }
        case .message(let body): return serveMessage(body, on: connection, nowNanoseconds)
        case .compressed:
            return refuse(.enterpriseOnly, RequestSummary(kind: .malformed, node: node), connection, nowNanoseconds)
        }
    }

    /// Looks again at a request that waits for other nodes.
    package mutating func resume(
        _ call: PendingCall,
        on connection: NodeConnection,
        nowNanoseconds: Int64
    ) -> Outcome {
        guard nodes[call.node].state == .running else { return .notRunning }
        var call = call
        advance(&call, nowNanoseconds: nowNanoseconds)
        if call.answers == nil, nowNanoseconds >= call.deadlineNanoseconds {
            call.giveUp()
            nodes[call.node].counters.resultCodes[.timeout, default: 0] += 1
        }
        return finish(call, nowNanoseconds)
    }

    // MARK: Calls on records

    private mutating func serveMessage(
        _ body: ByteBuffer,
        on connection: NodeConnection,
        _ nowNanoseconds: Int64
    ) -> Outcome {
        let node = connection.node
        let message: RequestMessage
        do {
            message = try RequestMessage(body: body)
        } catch {
            if error.isUnknown {
                complain(node, error.reason)
            }
            let summary = RequestSummary(kind: .malformed, node: node)
            return refuse(error.code, summary, connection, nowNanoseconds, isLast: RequestMessage.isBatch(body: body))
        }
        var batch: BatchMessage?
        if message.kind == .batch {
            do {
                let names = namespaceNames
                batch = try BatchMessage(message, partsMax: configuration.batchRecordsMax) { names.contains($0) }
            } catch {
                let summary = RequestSummary(kind: .batch, node: node)
                return refuse(error.code, summary, connection, nowNanoseconds, isLast: true)
            }
        }
        let summary = message.summary(node: node, batch: batch)
        if let refusal = checkSession(of: connection, nowNanoseconds) {
            return refuse(refusal, summary, connection, nowNanoseconds, isLast: message.kind == .batch)
        }
        guard message.kind != .query else {
            return served(summary, connection, nowNanoseconds) { $0.query(message, on: connection, nowNanoseconds) }
        }
        let effect = takeFault(for: summary, connection)
        count(summary)
        if let effect, !effect.isApplied {
            return .answered(spoil(refusal(of: effect, isBatch: batch != nil), by: effect, nowNanoseconds))
        }
        let timeout = Int64(message.header.timeoutOrIndex) &* 1_000_000
        var call = PendingCall(
            node: node,
            batch: batch,
            parts: batch?.parts.map { .asked($0.request) } ?? [.asked(message)],
            deadlineNanoseconds: nowNanoseconds
                &+ (timeout == 0 ? configuration.transactionTimeout.inNanoseconds : timeout),
            effect: effect
        )
        if batch != nil {
            spoilParts(of: &call)
        }
        advance(&call, nowNanoseconds: nowNanoseconds)
        return finish(call, nowNanoseconds)
    }

    private func finish(_ call: PendingCall, _ nowNanoseconds: Int64) -> Outcome {
        guard let answers = call.answers else { return .waiting(call) }
        var bytes = ByteBuffer()
        if let batch = call.batch {
            var reply = BatchReply(to: batch)
            for (part, answer) in zip(batch.parts, answers) {
                reply.add(answer, index: part.index)
            }
            bytes = reply.finish()
        } else if let answer = answers.first {
            bytes.writeReply(answer)
        }
        guard let effect = call.effect else { return .answered(Reply(bytes: bytes)) }
        if case .answer = effect {
            bytes = refusal(of: effect, isBatch: call.batch != nil)
        }
        return .answered(spoil(bytes, by: effect, nowNanoseconds))
    }

    private mutating func query(
        _ message: RequestMessage,
        on connection: NodeConnection,
        _ nowNanoseconds: Int64
    ) -> ByteBuffer {
        let node = connection.node
        var bytes = ByteBuffer()
        guard let namespace = message.namespace, var store = nodes[node].stores[namespace] else {
            bytes.writeReply(.namespaceNotFound, isLast: false)
            return bytes
        }
        let table = nodes[node].view?.tables[namespace]
        // The store is not to be copied because it is read while it is changed.
        nodes[node].stores[namespace] = nil
        let answer = store.answerQuery(
            message,
            nowNanoseconds: nowNanoseconds &+ nodes[node].clockOffsetNanoseconds,
            serves: { partitionID in
                guard let row = table?[partitionID] else { return false }
                return row.workingMaster == node || row.full.contains(node)
            }
        )
        nodes[node].stores[namespace] = store
        for change in answer.changes {
            nodes[node].disk.note(change, namespace, nowNanoseconds)
            guard let row = table?[change.digest.partitionID] else { continue }
            _ = replicate(change, namespace, from: node, row, nowNanoseconds)
        }
        for unknown in answer.unknown {
            complain(node, unknown.reason)
        }
        if let query = try? QueryMessage(message) {
            nodes[node].jobs.note(
                query,
                namespace: namespace,
                changeCount: answer.changes.count,
                from: connection.clientAddress,
                nowNanoseconds: nowNanoseconds
            )
        }
        return answer.reply
    }
}
