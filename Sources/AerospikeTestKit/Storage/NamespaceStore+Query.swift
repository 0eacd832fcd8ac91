import Aerospike
import NIOCore

/// Queries of partitions (aerospike-server 8.1, query/query.c).
extension NamespaceStore {
    /// Carries out a query of partitions.
    ///
    /// A query that writes is carried out before it is answered, which a server does after.
    ///
    /// - Parameters:
    ///   - request: a request of the kind ``RequestMessage/Kind/query``.
    ///   - nowNanoseconds: the time, in nanoseconds since 1970.
    ///   - serves: whether the node may answer for a partition; of those that it may not the reply says so.
    /// - Returns: the reply, and what the query changed.
    package mutating func answerQuery(
        _ request: RequestMessage,
        nowNanoseconds: Int64,
        serves: (Int) -> Bool
    ) -> QueryAnswer {
        let now = ServerTime(nanoseconds: nowNanoseconds)
        do throws(Refusal) {
            let query = try QueryMessage(request)
            let index: SecondaryIndex? =
                if let range = query.range { try index(for: range, setName: query.setName) } else { nil }
            if query.purpose != .records {
                return try changeAll(query, request, index, now, serves: serves)
            }
            return try answerRecords(query, index, now, serves: serves)
        } catch {
            var answer = QueryAnswer(reply: ByteBuffer())
            // It has not begun, so this is no last message of many.
            answer.reply.writeReply(error.code, isLast: false)
            if error.isUnknown {
                answer.unknown.append(error)
            }
            return answer
        }
    }

    private func answerRecords(
        _ query: QueryMessage,
        _ index: SecondaryIndex?,
        _ now: ServerTime,
        serves: (Int) -> Bool
    ) throws(Refusal) -> QueryAnswer {
        var reply = QueryReply(isShort: query.isShort)
        var left = query.recordsMax == 0 ? UInt64.max : query.recordsMax
        for partition in query.partitions ?? [] {
            guard serves(partition.id) else {
                reply.addFailure(ofPartition: partition.id, .partitionUnavailable)
                continue
            }
            guard left > 0 else { continue }
            let found = try found(by: query, index, in: partition, now)
            for (record, position) in found.prefix(Int(clamping: left)) {
                reply.add(record, indexedValue: position, query)
                left -= 1
            }
        }
        return QueryAnswer(reply: reply.finish())
    }

    /// The records of a partition that a query finds, with their places in the index, in the order of the reply.
    private func found(
        by query: QueryMessage,
        _ index: SecondaryIndex?,
        in partition: QueryMessage.Partition,
        _ now: ServerTime
    ) throws(Refusal) -> [(record: StoredRecord, position: Int64?)] {
        var found: [(record: StoredRecord, position: Int64?)] = []
        for record in partitions[partition.id].values {
            guard query.setName.isEmpty || query.setName == record.key.setName, !isDoomed(record, now) else {
                continue
            }
            if let index, let range = query.range {
                for position in try positions(of: record, index, range, after: partition.resumption, now) {
                    found.append((record, position))
                }
            } else if let last = partition.resumption?.digest, record.key.digest >= last {
                continue
            } else {
                found.append((record, nil))
            }
        }
        if let filter = query.filter {
            var matching: [(record: StoredRecord, position: Int64?)] = []
            for hit in found where try RecordWork(record: hit.record, now: now).matches(filter) {
                matching.append(hit)
            }
            found = matching
        }
        // A server goes from the greatest digest to the least, and by an index from the least value to the greatest.
        return found.sorted { left, right in
            left.position == right.position
                ? index == nil
                    ? left.record.key.digest > right.record.key.digest
                    : left.record.key.digest < right.record.key.digest
                : left.position ?? 0 < right.position ?? 0
        }
    }

    /// The places in an index at which a query finds a record: one for each value asked for, but one in all where
    /// several may be.
    private func positions(
        of record: StoredRecord,
        _ index: SecondaryIndex,
        _ range: QueryMessage.Range,
        after last: QueryRequest.Resumption?,
        _ now: ServerTime
    ) throws(Refusal) -> [Int64] {
        var positions: [Int64] = []
        for value in try index.values(of: record, now) where range.contains(value) {
            let position = SecondaryIndex.position(of: value)
            if let last, (position, record.key.digest) <= (Int64(bitPattern: last.indexedValue), last.digest) {
                continue
            }
            positions.append(position)
        }
        positions.sort()
        return Array(positions.prefix(1))
    }
}

// MARK: Queries that write

extension NamespaceStore {
    /// Applies a query's operations, or its program, to each record that it finds; those that fail are left as they are.
    private mutating func changeAll(
        _ query: QueryMessage,
        _ request: RequestMessage,
        _ index: SecondaryIndex?,
        _ now: ServerTime,
        serves: (Int) -> Bool
    ) throws(Refusal) -> QueryAnswer {
        guard query.setName.isEmpty || sets[query.setName] != nil else {
            throw Refusal(.notFound, "no such set")
        }
        if query.purpose == .program {
            _ = try function(of: request)
        } else {
            try checkBackgroundOperations(request)
        }
        var answer = QueryAnswer(reply: ByteBuffer())
        for partitionID in partitions.indices where serves(partitionID) && !partitions[partitionID].isEmpty {
            let partition = QueryMessage.Partition(id: partitionID)
            var unfiltered = query
            unfiltered.filter = nil
            for (record, _) in try found(by: unfiltered, index, in: partition, now) {
                let part = request.part(forRecordInBackground: record, purpose: query.purpose)
                let partAnswer = self.answer(part, nowNanoseconds: now.nanoseconds)
                if let change = partAnswer.change {
                    answer.changes.append(change)
                }
                if let unknown = partAnswer.unknown {
                    answer.unknown.append(unknown)
                }
            }
        }
        answer.reply.writeReply(.ok, isLast: true)
        return answer
    }

    private func checkBackgroundOperations(_ request: RequestMessage) throws(Refusal) {
        guard !request.header.read.contains(.read), !request.operations.isEmpty,
            request.operations.allSatisfy(\.kind.isWrite)
        else { throw Refusal(.invalidRequest, "a query that writes, with operations that read, or none") }
        for operation in request.operations where operation.kind == .expressionModify {
            _ = try ExpressionOperation(operation)
        }
    }
}

extension RequestMessage {
    /// What a query that writes asks of one of its records.
    fileprivate func part(forRecordInBackground record: StoredRecord, purpose: QueryMessage.Purpose) -> RequestMessage {
        var part = self
        part.header.read = []
        part.header.write = header.write.intersection([.write, .durableDelete])
        part.header.write.formUnion(.write)
        part.header.info = header.info.intersection(.replaceOnly)
        if purpose == .operations {
            part.header.info.formUnion(.updateOnly)
        } else {
            part.operations = []
        }
        part.fields.removeAll { $0.type == .set || $0.type == .userKey }
        part.fields.append(Field(.set, ByteBuffer(string: record.key.setName)))
        part.partDigest = record.key.digest
        return part
    }
}
