package import Aerospike

/// The records of a namespace that one node keeps, and what calls on them come to.
///
/// It does as aerospike-server 8.1, Community Edition, does. It has no clock and no sockets: time is passed in, in
/// nanoseconds since 1970, and what a call changed is told by ``RecordAnswer/change``, so that replicas can be given it.
package struct NamespaceStore: Sendable {
    /// The beginning of the server's time, in nanoseconds since 1970.
    static let epochNanoseconds = Record.epochUnixSeconds * 1_000_000_000

    package let name: String
    package var configuration: NamespaceConfiguration
    /// The secondary indexes, by name.
    package internal(set) var indexes: [String: SecondaryIndex] = [:]

    var partitions: [[Digest: StoredRecord]]
    var sets: [String: SetStatistics] = [:]
    /// Records last written before this, in nanoseconds since 1970, are gone.
    var truncatedBeforeNanoseconds: Int64 = 0
    var functions: [FunctionName: StoredFunction] = [:]

    /// An empty namespace.
    package init(name: String, configuration: NamespaceConfiguration = NamespaceConfiguration()) {
        self.name = name
        self.configuration = configuration
        partitions = Array(repeating: [:], count: Digest.partitionCount)
    }

    /// Carries out a call on one record.
    ///
    /// - Parameters:
    ///   - request: a request of the kind ``RequestMessage/Kind/record``.
    ///   - nowNanoseconds: the time, in nanoseconds since 1970.
    /// - Returns: what to reply, and what changed.
    package mutating func answer(_ request: RequestMessage, nowNanoseconds: Int64) -> RecordAnswer {
        guard let digest = request.digest else {
            return RecordAnswer(Refusal(.invalidRequest, "a digest that is not of \(Digest.byteCount) bytes"))
        }
        let now = ServerTime(nanoseconds: nowNanoseconds)
        if request.isWrite {
            return write(request, digest, now)
        }
        guard request.header.read.contains(.read) else {
            return RecordAnswer(Refusal(.invalidRequest, "a request that neither reads nor writes"))
        }
        return read(request, digest, now)
    }
}

/// A time in the units that a server has it in.
struct ServerTime: Sendable, Hashable {
    /// Nanoseconds since 1970.
    let nanoseconds: Int64

    /// Nanoseconds since 1970, in whole milliseconds, as a server keeps the time of an update.
    var lastUpdateNanoseconds: Int64 { nanoseconds - nanoseconds % 1_000_000 }

    /// Seconds since the beginning of 2010.
    var seconds: UInt32 {
        let seconds = (nanoseconds - NamespaceStore.epochNanoseconds) / 1_000_000_000
        return UInt32(clamping: seconds)
    }
}

// MARK: Records as they are

extension NamespaceStore {
    /// How many records there are, those among them that are over and not yet removed.
    package var recordCount: Int { partitions.reduce(0) { $0 + $1.count } }

    /// How many records a partition has.
    package func recordCount(inPartition partitionID: Int) -> Int {
        partitions[partitionID].count
    }

    /// The record as it is kept; nil if there is none.
    package func record(_ digest: Digest) -> StoredRecord? {
        partitions[digest.partitionID][digest]
    }

    /// A partition's records, in the order of their digests.
    package func records(inPartition partitionID: Int) -> [StoredRecord] {
        sortedDigests(inPartition: partitionID).compactMap { partitions[partitionID][$0] }
    }

    /// Keeps a record as it is, whatever there was before, as a replica does.
    package mutating func store(_ record: StoredRecord) {
        let digest = record.key.digest
        let old = partitions[digest.partitionID].updateValue(record, forKey: digest)
        account(old: old, new: record)
    }

    /// Drops a record.
    package mutating func remove(_ digest: Digest) {
        guard let old = partitions[digest.partitionID].removeValue(forKey: digest) else { return }
        account(old: old, new: nil)
    }

    /// Does what a call did on another node, as a replica does.
    package mutating func apply(_ change: RecordChange) {
        if let new = change.new {
            store(new)
        } else {
            remove(change.digest)
        }
    }

    /// Keeps the better of a record and the one that there is, as after a time apart.
    ///
    /// - Returns: whether the one given was better, or there was none.
    @discardableResult
    package mutating func store(_ record: StoredRecord, resolving policy: ConflictResolution) -> Bool {
        if let kept = self.record(record.key.digest), !policy.prefers(record, to: kept) {
            return false
        }
        guard !isTruncated(record) else { return false }
        store(record)
        return true
    }

    /// Drops a partition's records.
    package mutating func removeAll(inPartition partitionID: Int) {
        let dropped = partitions[partitionID]
        partitions[partitionID] = [:]
        for record in dropped.values {
            account(old: record, new: nil)
        }
    }

    /// Removes the records that are over or truncated, as a server does from time to time.
    ///
    /// - Returns: how many those were.
    @discardableResult
    package mutating func removeExpired(nowNanoseconds: Int64) -> Int {
        let now = ServerTime(nanoseconds: nowNanoseconds)
        var count = 0
        for partitionID in partitions.indices where !partitions[partitionID].isEmpty {
            for record in partitions[partitionID].values where isDoomed(record, now) {
                remove(record.key.digest)
                count += 1
            }
        }
        return count
    }

    func sortedDigests(inPartition partitionID: Int) -> [Digest] {
        partitions[partitionID].keys.sorted()
    }

    /// Whether a record is over although it is still kept (aerospike-server 8.1, base/datamodel.h,
    /// `as_record_is_doomed`).
    func isDoomed(_ record: StoredRecord, _ now: ServerTime) -> Bool {
        record.voidTime != 0 && record.voidTime < now.seconds || isTruncated(record)
    }

    func isTruncated(_ record: StoredRecord) -> Bool {
        record.lastUpdateNanoseconds < truncationNanoseconds(ofSet: record.key.setName)
    }
}

/// Which of two versions of a record a cluster keeps (aerospike-server 8.1, conflict-resolution-policy).
package enum ConflictResolution: Sendable, Hashable {
    /// The one written more often, by numbers of 16 bits that wrap; the server's default.
    case generation
    /// The one written last.
    case lastUpdateTime

    /// Whether a version that arrived takes the place of the one kept (base/record.c, `as_record_resolve_conflict`).
    package func prefers(_ arrived: StoredRecord, to kept: StoredRecord) -> Bool {
        switch self {
        case .generation:
            return arrived.generation == kept.generation
                ? arrived.lastUpdateNanoseconds > kept.lastUpdateNanoseconds
                : isAhead(arrived, of: kept)
        case .lastUpdateTime:
            return arrived.lastUpdateNanoseconds == kept.lastUpdateNanoseconds
                ? arrived.generation != kept.generation && isAhead(arrived, of: kept)
                : arrived.lastUpdateNanoseconds > kept.lastUpdateNanoseconds
        }
    }

    /// Whether generations tell that a version is the newer one, if neither is more than 32768 ahead.
    private func isAhead(_ arrived: StoredRecord, of kept: StoredRecord) -> Bool {
        kept.generation &- arrived.generation >= 0x8000
    }
}
