import NIOCore
import Synchronization

/// What one round of asking all nodes brought.
struct QueryPage: Sendable {
    enum Item: Sendable {
        case record(Key, Record, indexedValue: UInt64)
        /// A partition was looked through.
        case done(UInt16)
    }

    var items: [Item] = []
    var recordCount = 0
    var byteCount = 0
    /// Partitions that the node does not serve at the moment.
    private var unavailable: Set<UInt16> = []
    /// Why one of the nodes did not finish, if one did not.
    var failure: AerospikeError?

    /// The node has no more to tell: it has looked through all partitions that it serves, or found as many records as it
    /// was to.
    mutating func ended(partitions: [UInt16], recordsMax: Int) {
        guard recordCount < recordsMax else { return }
        items += partitions.filter { !unavailable.contains($0) }.map(Item.done)
    }

    /// Takes in one message of a node's reply.
    ///
    /// A node says of a partition only that it does not serve it (aerospike-server 8.1, query/query.c).
    mutating func received(_ message: ReplyMessage, namespace: String) throws(AerospikeError) {
        if let partition = message.donePartitionID {
            guard partition < UInt32(Digest.partitionCount) else {
                throw .malformed("partition \(partition), of \(Digest.partitionCount)")
            }
            // Any code means that the node cannot tell for now: it has just lost the partition, or is about to get it.
            if message.resultCode != .ok {
                unavailable.insert(UInt16(partition))
                failure = AerospikeError(.partitionUnavailable)
            }
            return
        }
        guard message.resultCode == .ok else { throw AerospikeError(message.resultCode) }
        let (key, indexedValue) = try message.key()
        items.append(.record(key, try message.record(), indexedValue: indexedValue ?? 0))
        recordCount += 1
        byteCount += message.body.readableBytes + MessageHeader.byteCount
    }
}

extension AerospikeClient {
    /// Asks all nodes for the next records of their partitions.
    func fetch(
        _ query: Query,
        _ cursor: QueryCursor,
        recordsMax: Int,
        _ connections: SideConnections
    ) async throws(AerospikeError) -> QueryPage {
        let map = cluster.map
        var byNode: [String: (node: Node, partitions: [UInt16])] = [:]
        var page = QueryPage()
        for partition in cursor.open {
            guard let node = map.master(ofPartition: Int(partition), namespace: query.namespace) else {
                page.failure = map.noNode(forNamespace: query.namespace)
                continue
            }
            byNode[node.name, default: (node, [])].partitions.append(partition)
        }
        let share = max(1, recordsMax / max(1, byNode.count))
        // No more than were asked for, whatever the nodes' number.
        let asked = byNode.values.sorted { $0.node.name < $1.node.name }.prefix(max(1, recordsMax))
        let pages = await withTaskGroup(of: QueryPage.self) { group in
            for (node, partitions) in asked {
                group.addTask {
                    await self.fetch(query, cursor, partitions, of: node, recordsMax: share, connections)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for part in pages {
            page.items += part.items
            page.recordCount += part.recordCount
            page.byteCount += part.byteCount
            if let failure = part.failure, page.failure?.code.isTransient != false {
                page.failure = failure
            }
        }
        return page
    }

    private func fetch(
        _ query: Query,
        _ cursor: QueryCursor,
        _ partitions: [UInt16],
        of node: Node,
        recordsMax: Int,
        _ connections: SideConnections
    ) async -> QueryPage {
        var request = QueryRequest(
            namespace: query.namespace,
            set: query.setName,
            // A number that is in use already would never be answered.
            taskID: UInt64.random(in: 1 ... .max)
        )
        cursor.ask(partitions, in: &request)
        request.range = query.range?.wire
        request.filter = query.filter
        request.binNames = query.bins
        request.recordsMax = UInt64(recordsMax)
        request.recordsPerSecond = UInt32(clamping: query.recordsPerSecond)
        request.isShort = query.isShort
        let timeout = ResolvedCallPolicy(query.call, client: configuration.call).timeout.timeAmount
        request.socketTimeoutMilliseconds = UInt32(clamping: timeout.nanoseconds / 1_000_000)
        let gathered = Mutex(QueryPage())
        let broken = Mutex<AerospikeError?>(nil)
        var used: NodeConnection?
        do {
            let connection = try await connections.take(node, cluster, stall: timeout)
            used = connection
            let message = request
            let last = try await connection.message(expecting: .query, deadline: .distantFuture) { part in
                gathered.withLock { page in
                    do throws(AerospikeError) {
                        try page.received(part, namespace: query.namespace)
                        if page.byteCount > AerospikeLimits.messageBytesMax {
                            throw AerospikeError(.client, "A node sent more records than it was asked for.")
                        }
                    } catch {
                        broken.withLock { $0 = $0 ?? error }
                        connection.close(error)
                    }
                }
            } write: { buffer throws(AerospikeError) in
                try message.write(into: &buffer, timeoutMilliseconds: 0)
            }
            guard last.resultCode == .ok else { throw CallFailure(AerospikeError(last.resultCode), wasSent: true) }
            gathered.withLock { $0.ended(partitions: partitions, recordsMax: recordsMax) }
            connections.giveBack(connection, of: node)
        } catch {
            // More may be on its way by it, or it is nobody's any more.
            used?.close()
            var page = gathered.withLock { $0 }
            let cause =
                (error as? CallFailure)?.error ?? (error as? AerospikeError) ?? AerospikeError(.client, cause: error)
            page.failure = (broken.withLock { $0 } ?? cause).adding(node: node.description)
            return page
        }
        return gathered.withLock { $0 }
    }
}
