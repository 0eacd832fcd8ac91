import Aerospike
import NIOCore

/// Reading one record (aerospike-server 8.1, transaction/read.c, `read_local`).
extension NamespaceStore {
    mutating func read(_ request: RequestMessage, _ digest: Digest, _ now: ServerTime) -> RecordAnswer {
        var answer = RecordAnswer(.ok)
        do throws(Refusal) {
            try request.refuseTransactions()
            guard let record = record(digest) else { throw Refusal(.notFound) }
            answer.generation = UInt32(record.generation)
            answer.voidTime = record.voidTime
            try checkSetName(request, record)
            guard !isDoomed(record, now) else { throw Refusal(.notFound) }
            let touched = try touchedByRead(record, request, now)
            try filter(request, record, now)
            // A key is compared only if one is stored.
            if let stored = record.key.userKey, let sent = try request.userKey(), sent != stored {
                throw Refusal(.keyMismatch, "another key is stored")
            }
            if !request.header.read.contains(.noBins) {
                answer.places = try places(request, record, now)
            }
            if let touched {
                store(touched)
                answer.change = RecordChange(digest: digest, old: record, new: touched)
            }
        } catch {
            answer.code = error.code
            answer.refusal = error
            answer.places = []
        }
        return answer
    }

    /// The record with its time to live renewed, if the read is to do that (transaction/read_touch.c).
    ///
    /// A server does so a moment after it has answered; what is answered is the record as it was.
    private func touchedByRead(
        _ record: StoredRecord,
        _ request: RequestMessage,
        _ now: ServerTime
    ) throws(Refusal) -> StoredRecord? {
        var percent = request.header.expiration
        guard record.voidTime != 0, percent != .max else { return nil }
        if percent == 0 {
            percent = configuration.readTouchPercent
        }
        guard percent != 0 else { return nil }
        guard percent <= 100 else { throw Refusal(.invalidRequest, "a touch after \(percent)% of the time to live") }
        let writtenAt = ServerTime(nanoseconds: record.lastUpdateNanoseconds).seconds
        let timeToLive = record.voidTime &- writtenAt
        let threshold = record.voidTime &- UInt32(truncatingIfNeeded: UInt64(timeToLive) * UInt64(percent) / 100)
        let voidTime = now.seconds &+ timeToLive
        guard now.seconds >= threshold, voidTime > record.voidTime else { return nil }
        var touched = record
        touched.voidTime = voidTime
        touched.lastUpdateNanoseconds = max(record.lastUpdateNanoseconds, now.lastUpdateNanoseconds)
        return touched
    }

    private func places(
        _ request: RequestMessage,
        _ record: StoredRecord,
        _ now: ServerTime
    ) throws(Refusal) -> [RecordAnswer.Place] {
        if request.header.read.contains(.allBins) {
            return record.bins.map { RecordAnswer.Place(.read, $0) }
        }
        guard !request.operations.isEmpty else { throw Refusal(.invalidRequest, "a read of no bins") }
        let answersEach = request.header.write.contains(.respondAllOperations)
        // In a batch every answer says that it is a plain read (base/batch.c, `as_batch_add_result`).
        let isPart = request.partDigest != nil
        let work = RecordWork(record: record, now: now)
        var places: [RecordAnswer.Place] = []
        places.reserveCapacity(request.operations.count)
        for operation in request.operations {
            guard operation.hasValidBinName else { throw Refusal(.binName, "a bin's name that no server takes") }
            let value = try work.read(operation) ?? .null
            if answersEach || !value.isNull {
                places.append(RecordAnswer.Place(isPart ? .read : operation.kind, Bin(operation.binName, value)))
            }
        }
        return places
    }

    /// Refuses a set's name that is not the record's; none at all is right.
    func checkSetName(_ request: RequestMessage, _ record: StoredRecord) throws(Refusal) {
        let setName = request.setName
        guard setName.isEmpty || setName == record.key.setName else {
            throw Refusal(.invalidRequest, "the record is in another set")
        }
    }

    /// Refuses a record that the request's filter does not let through.
    func filter(_ request: RequestMessage, _ record: StoredRecord, _ now: ServerTime) throws(Refusal) {
        guard let filter = request.filter else { return }
        guard try RecordWork(record: record, now: now).matches(filter) else { throw Refusal(.filteredOut) }
    }
}

extension RequestMessage {
    /// Refuses what belongs to a transaction of several records, which the Community Edition has not.
    func refuseTransactions() throws(Refusal) {
        if fields.contains(where: { $0.type.rawValue == 5 }) {
            throw Refusal(.enterpriseOnly, "transactions of several records")
        }
        if header.transaction & 0x1f != 0 {
            throw .unknown("flags of transactions of several records")
        }
    }
}
