import Aerospike

/// What a node's disk knows beyond its memory: the last changes, which a crash may lose, and the records that were
/// deleted, which the Community Edition finds again at a cold start.
package struct SimulatedDisk: Sendable {
    private struct Entry: Sendable {
        var namespace: String
        var digest: Digest
        var old: StoredRecord?
        var atNanoseconds: Int64
    }

    /// The most changes that can be taken back.
    private static let entriesMax = 100_000

    private var entries: [Entry] = []
    private var firstEntry = 0
    private var deleted: [String: [Digest: StoredRecord]] = [:]
    /// How long a change can be taken back.
    package var forgettableNanoseconds: Int64 = 0

    package init() {}

    /// Remembers a change.
    package mutating func note(_ change: RecordChange, _ namespace: String, _ nowNanoseconds: Int64) {
        if change.new == nil, let old = change.old {
            deleted[namespace, default: [:]][change.digest] = old
        }
        guard forgettableNanoseconds > 0 else { return }
        entries.append(
            Entry(namespace: namespace, digest: change.digest, old: change.old, atNanoseconds: nowNanoseconds)
        )
        let horizon = nowNanoseconds &- forgettableNanoseconds
        while firstEntry < entries.count,
            entries[firstEntry].atNanoseconds < horizon || entries.count - firstEntry > SimulatedDisk.entriesMax
        {
            firstEntry += 1
        }
        if firstEntry > entries.count / 2 {
            entries.removeFirst(firstEntry)
            firstEntry = 0
        }
    }

    /// Takes back what was changed since a time.
    package mutating func forget(sinceNanoseconds horizon: Int64, in stores: inout [String: NamespaceStore]) {
        while entries.count > firstEntry, let entry = entries.last, entry.atNanoseconds >= horizon {
            entries.removeLast()
            if let old = entry.old {
                stores[entry.namespace]?.store(old)
            } else {
                stores[entry.namespace]?.remove(entry.digest)
            }
        }
    }

    /// Brings back the records that were deleted and not written again.
    package mutating func resurrect(in stores: inout [String: NamespaceStore]) {
        for (namespace, records) in deleted {
            stores[namespace]?.undoTruncation(set: nil)
            for (digest, record) in records where stores[namespace]?.record(digest) == nil {
                stores[namespace]?.undoTruncation(set: record.key.setName)
                stores[namespace]?.store(record)
            }
        }
        deleted = [:]
    }
}
