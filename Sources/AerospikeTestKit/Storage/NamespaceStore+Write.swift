import Aerospike
import NIOCore

/// Writing one record (aerospike-server 8.1, transaction/write.c, `write_master`).
extension NamespaceStore {
    /// The most operations of one call (transaction/write.c, `MAX_N_OPS`).
    private static let operationsMax = 32 * 1024
    /// The most bins of a record (base/datamodel.h, `RECORD_MAX_BINS`).
    private static let binsMax = 0x7fff
    /// The longest time to live, in seconds (base/datamodel.h, `MAX_ALLOWED_TTL`).
    private static let timeToLiveMax: UInt32 = 3600 * 24 * 365 * 10

    mutating func write(_ request: RequestMessage, _ digest: Digest, _ now: ServerTime) -> RecordAnswer {
        if request.header.write.contains(.delete) {
            return delete(request, digest, now)
        }
        if request.field(.udfPackage) != nil {
            return runFunction(request, digest, now)
        }
        var answer = RecordAnswer(.ok)
        do throws(Refusal) {
            try writeRecord(request, digest, now, &answer)
        } catch {
            answer.code = error.code
            answer.refusal = error
            answer.places = []
        }
        return answer
    }

    private mutating func writeRecord(
        _ request: RequestMessage,
        _ digest: Digest,
        _ now: ServerTime,
        _ answer: inout RecordAnswer
    ) throws(Refusal) {
        try checkWritesGoOn(request)
        let policies = try WritePolicies(request)
        let found = record(digest)
        try request.refuseTransactions()
        if let found {
            answer.generation = UInt32(found.generation)
            answer.voidTime = found.voidTime
        }
        // What is over is as good as gone, though the reply may still tell its generation.
        let old = found.flatMap { isDoomed($0, now) ? nil : $0 }
        if policies.mustExist, old == nil {
            throw Refusal(.notFound)
        }
        if request.header.write.contains(.createOnly), old != nil {
            throw Refusal(.recordExists)
        }
        try checkGeneration(request, old)
        try checkSet(request, old, now)
        var record = old ?? StoredRecord(key: Key(namespace: name, set: request.setName, digest: digest))
        if old == nil {
            // What was never stored counts as one piece of storage all the same (storage/storage.h).
            record.storedBytes = StoredRecord.rounded(1)
        }
        if let old {
            try filter(request, old, now)
        }
        try takeUserKey(from: request, into: &record)
        let timeToLive = try timeToLive(of: request, isNew: old == nil, setName: record.key.setName)
        if policies.replaces {
            record.bins.removeAll()
        }
        let hadBins = !record.bins.isEmpty
        var work = RecordWork(record: record, now: now)
        advance(&work.record, timeToLive: timeToLive, now)
        var places: [RecordAnswer.Place] = []
        record.bins = []
        for operation in request.operations {
            try work.carryOut(operation, of: request, into: &places)
        }
        guard work.record.bins.count <= NamespaceStore.binsMax else { throw Refusal(.invalidRequest, "too many bins") }
        answer.places = places
        if work.record.bins.isEmpty {
            guard hadBins else { throw Refusal(.notFound, "nothing to delete") }
            try refuseDurableDelete(request)
            remove(digest)
            answer.change = RecordChange(digest: digest, old: found, new: nil)
            answer.generation = 0
            answer.voidTime = 0
        } else {
            try finish(&work.record)
            answer.generation = UInt32(work.record.generation)
            answer.voidTime = work.record.voidTime
            store(work.record)
            answer.change = RecordChange(digest: digest, old: found, new: work.record)
        }
    }

    /// Deletes a record, unless it has no longer the generation that was asked for (transaction/delete.c).
    private mutating func delete(_ request: RequestMessage, _ digest: Digest, _ now: ServerTime) -> RecordAnswer {
        do throws(Refusal) {
            try refuseDurableDelete(request)
            try request.refuseTransactions()
            // What is over can be deleted as long as it is still there.
            guard let record = record(digest) else { throw Refusal(.notFound) }
            try checkSetName(request, record)
            try checkGeneration(request, record)
            try filter(request, record, now)
            if let stored = record.key.userKey, let sent = try request.userKey(), sent != stored {
                throw Refusal(.keyMismatch, "another key is stored")
            }
            remove(digest)
            var answer = RecordAnswer(.ok)
            answer.change = RecordChange(digest: digest, old: record, new: nil)
            return answer
        } catch {
            return RecordAnswer(error)
        }
    }
}

// MARK: The steps

extension NamespaceStore {
    func checkWritesGoOn(_ request: RequestMessage) throws(Refusal) {
        guard !configuration.stopsWrites else { throw Refusal(.outOfSpace, "the namespace stops writes") }
        guard !configuration.requiresSetName || !request.setName.isEmpty else {
            throw Refusal(.invalidRequest, "no set, which disallow-null-setname forbids")
        }
    }

    private func refuseDurableDelete(_ request: RequestMessage) throws(Refusal) {
        if request.header.write.contains(.durableDelete) {
            throw Refusal(.enterpriseOnly, "durable deletes")
        }
    }

    private func checkGeneration(_ request: RequestMessage, _ record: StoredRecord?) throws(Refusal) {
        let generation = UInt32(record?.generation ?? 0)
        if request.header.write.contains(.generation) {
            guard request.header.generation == generation else { throw Refusal(.generationMismatch) }
        } else if request.header.write.contains(.generationNewer) {
            guard request.header.generation > generation else { throw Refusal(.generationMismatch) }
        }
    }

    mutating func checkSet(_ request: RequestMessage, _ old: StoredRecord?, _ now: ServerTime) throws(Refusal) {
        let setName = request.setName
        if let old {
            guard setName == old.key.setName else { throw Refusal(.invalidRequest, "the record is in another set") }
        } else {
            try enter(set: setName)
            guard now.lastUpdateNanoseconds >= truncationNanoseconds(ofSet: setName) else {
                throw Refusal(.forbidden, "the set is truncated to a time to come")
            }
        }
        guard !isFull(set: setName) else { throw Refusal(.forbidden, "the set is at its stop-writes-size") }
    }

    /// Compares the key that was sent with the one stored, or takes it to be stored.
    func takeUserKey(from request: RequestMessage, into record: inout StoredRecord) throws(Refusal) {
        guard let sent = try request.userKey() else { return }
        if let stored = record.key.userKey {
            guard sent == stored else { throw Refusal(.keyMismatch, "another key is stored") }
        } else {
            record.key = Key(namespace: name, set: record.key.setName, digest: record.key.digest, userKey: sent)
        }
    }

    func timeToLive(of request: RequestMessage, isNew: Bool, setName: String) throws(Refusal) -> TimeToLive {
        let seconds = request.header.expiration
        let byDefault = configuration.defaultTimeToLiveSeconds(ofSet: setName)
        let timeToLive: TimeToLive
        switch seconds {
        case TimeToLive.never.wireSeconds: timeToLive = .never
        case TimeToLive.unchanged.wireSeconds where !isNew: timeToLive = .unchanged
        case TimeToLive.unchanged.wireSeconds, 0: timeToLive = byDefault == 0 ? .never : .seconds(byDefault)
        case ...NamespaceStore.timeToLiveMax: timeToLive = .seconds(seconds)
        default: throw Refusal(.invalidRequest, "a time to live of \(seconds) s")
        }
        if case .seconds = timeToLive, !configuration.allowsTimeToLive {
            throw Refusal(.forbidden, "a time to live where nsup-period is 0")
        }
        return timeToLive
    }

    /// What every write does besides (transaction/rw_utils.c, `advance_record_version`).
    func advance(_ record: inout StoredRecord, timeToLive: TimeToLive, _ now: ServerTime) {
        let old = record.voidTime
        switch timeToLive {
        case .seconds(let seconds): record.voidTime = now.seconds &+ seconds
        case .never, .namespaceDefault: record.voidTime = 0
        case .unchanged: break
        }
        let isReduction = old == 0 && record.voidTime != 0 || record.voidTime < old
        if record.generation != 0, isReduction, !configuration.appliesTimeToLiveReductions {
            record.voidTime = old
        }
        // It never goes back, whatever the clock does.
        record.lastUpdateNanoseconds = max(record.lastUpdateNanoseconds, now.lastUpdateNanoseconds)
        record.generation = record.generation == .max ? 1 : record.generation + 1
    }

    /// Measures a record that is about to be stored.
    func finish(_ record: inout StoredRecord) throws(Refusal) {
        let bytes = record.measuredBytes()
        guard bytes <= configuration.recordBytesMax else {
            throw Refusal(.recordTooBig, "a record of \(bytes) bytes")
        }
        record.storedBytes = StoredRecord.rounded(bytes)
    }

    /// What the flags and operations of a write ask for (transaction/write.c, `write_master_policies`).
    private struct WritePolicies {
        var mustExist: Bool
        var replaces: Bool

        init(_ request: RequestMessage) throws(Refusal) {
            let header = request.header
            let operations = request.operations
            guard !operations.isEmpty, operations.count <= NamespaceStore.operationsMax else {
                throw Refusal(.invalidRequest, "\(operations.count) operations")
            }
            mustExist = !header.info.isDisjoint(with: [.updateOnly, .replaceOnly])
            replaces = !header.info.isDisjoint(with: [.createOrReplace, .replaceOnly])
            var reads = false
            var readsAll = false
            var answers = false
            for operation in operations {
                if operation.kind == .touch {
                    try refuse(if: replaces, "a touch that replaces the record")
                    mustExist = true
                    continue
                }
                guard operation.hasValidBinName else { throw Refusal(.binName, "a bin's name that no server takes") }
                switch operation.kind {
                case .write: try refuse(if: replaces && operation.type == .null, "a deletion of a bin while replacing")
                case .add, .append, .prepend, .bitModify, .delete:
                    try refuse(if: replaces, "a change of what is being replaced")
                case .collectionModify, .hyperLogLogModify:
                    try refuse(if: replaces, "a change of what is being replaced")
                    answers = true
                case .read where operation.isReadOfAllBins(in: request):
                    try refuse(if: header.write.contains(.respondAllOperations), "a place each, and all bins")
                    try refuse(if: readsAll, "all bins twice")
                    reads = true
                    readsAll = true
                case .read, .bitRead, .collectionRead, .hyperLogLogRead, .expressionRead:
                    reads = true
                    answers = true
                default: break
                }
            }
            try refuse(if: reads && !header.read.contains(.read), "a read in a request that says it has none")
            try refuse(if: readsAll && answers, "all bins, and answers of operations")
            try refuse(if: header.read.contains(.allBins) && !readsAll, "all bins without a read of them")
        }

        private func refuse(if isWrong: Bool, _ reason: String) throws(Refusal) {
            if isWrong {
                throw Refusal(.invalidRequest, reason)
            }
        }
    }
}
