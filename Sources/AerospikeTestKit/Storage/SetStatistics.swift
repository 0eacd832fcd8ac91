import Aerospike

/// What a namespace counts for one of its sets.
package struct SetStatistics: Sendable, Hashable {
    /// How many records there are, those among them that are over and not yet removed.
    package var recordCount = 0
    /// The bytes that they take.
    package var bytes = 0
    /// Records last written before this, in nanoseconds since 1970, are gone; 0 if it was never truncated.
    package var truncatedBeforeNanoseconds: Int64 = 0

    package init() {}
}

extension NamespaceStore {
    /// The sets that a record was ever put in, and those counted for; the empty name is for records in no set.
    package var setStatistics: [String: SetStatistics] { sets }

    /// Keeps count of a record that came, went or changed.
    mutating func account(old: StoredRecord?, new: StoredRecord?) {
        if let old {
            sets[old.key.setName, default: SetStatistics()].recordCount -= 1
            sets[old.key.setName, default: SetStatistics()].bytes -= old.storedBytes
        }
        if let new {
            sets[new.key.setName, default: SetStatistics()].recordCount += 1
            sets[new.key.setName, default: SetStatistics()].bytes += new.storedBytes
        }
    }

    /// Makes a set known, as the first record put in it does.
    ///
    /// - Throws: ``Refusal`` if there are too many sets, if its name is too long, or if it may have no more records.
    mutating func enter(set setName: String) throws(Refusal) {
        guard !setName.isEmpty else { return }
        if sets[setName] == nil {
            guard setName.utf8.count <= AerospikeLimits.setNameBytesMax else {
                throw Refusal(.invalidRequest, "a set's name of \(setName.utf8.count) bytes")
            }
            let count = sets.count - (sets[""] == nil ? 0 : 1)
            guard count < configuration.setsMax else { throw Refusal(.invalidRequest, "a set too many") }
            sets[setName] = SetStatistics()
        }
        if let most = configuration.sets[setName]?.recordsMax, most > 0, sets[setName]?.recordCount ?? 0 >= most {
            throw Refusal(.forbidden, "the set has \(most) records, its stop-writes-count")
        }
    }

    /// Whether a set has as many bytes as it may have.
    func isFull(set setName: String) -> Bool {
        guard let most = configuration.sets[setName]?.bytesMax, most > 0 else { return false }
        return sets[setName]?.bytes ?? 0 > most
    }
}

// MARK: Truncation

extension NamespaceStore {
    /// Removes the records last written before a time, of one set or of all.
    ///
    /// Like a server it does nothing for a set that never had a record (base/truncate.c, `truncate_action_do`).
    ///
    /// - Parameters:
    ///   - setName: the set; nil for the whole namespace.
    ///   - nanoseconds: the time, in nanoseconds since 1970.
    /// - Returns: how many records went.
    @discardableResult
    package mutating func truncate(set setName: String?, beforeNanoseconds nanoseconds: Int64) -> Int {
        // A server has times in milliseconds.
        let threshold = nanoseconds - nanoseconds % 1_000_000
        if let setName {
            guard let statistics = sets[setName], threshold > statistics.truncatedBeforeNanoseconds else { return 0 }
            sets[setName]?.truncatedBeforeNanoseconds = threshold
        } else {
            guard threshold > truncatedBeforeNanoseconds else { return 0 }
            truncatedBeforeNanoseconds = threshold
        }
        var count = 0
        for partitionID in partitions.indices where !partitions[partitionID].isEmpty {
            for record in partitions[partitionID].values where isTruncated(record) {
                remove(record.key.digest)
                count += 1
            }
        }
        return count
    }

    /// Takes a truncation back, for what was not removed.
    package mutating func undoTruncation(set setName: String?) {
        if let setName {
            sets[setName]?.truncatedBeforeNanoseconds = 0
        } else {
            truncatedBeforeNanoseconds = 0
        }
    }

    /// The time before which records of a set are gone.
    func truncationNanoseconds(ofSet setName: String) -> Int64 {
        max(truncatedBeforeNanoseconds, sets[setName]?.truncatedBeforeNanoseconds ?? 0)
    }
}
