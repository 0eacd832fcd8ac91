package import Aerospike

/// A record as a node keeps it.
package struct StoredRecord: Sendable, Hashable {
    /// Where it is; the application's own key is in it only if it is stored with the record.
    package var key: Key
    /// The bins, in the order in which they came.
    package var bins: [Bin]
    /// How often it was written: from 1 to 65535, and on with 1.
    package var generation: UInt16
    /// When it ends, in seconds since the beginning of 2010; 0 if never.
    package var voidTime: UInt32
    /// When it was last written, in nanoseconds since 1970; whole milliseconds, as a server keeps it.
    package var lastUpdateNanoseconds: Int64
    /// The bytes that it takes on storage, measured whenever it was written.
    package internal(set) var storedBytes = 0

    package init(
        key: Key,
        bins: [Bin] = [],
        generation: UInt16 = 0,
        voidTime: UInt32 = 0,
        lastUpdateNanoseconds: Int64 = 0
    ) {
        self.key = key
        self.bins = bins
        self.generation = generation
        self.voidTime = voidTime
        self.lastUpdateNanoseconds = lastUpdateNanoseconds
        storedBytes = StoredRecord.rounded(measuredBytes())
    }

    /// The value of a bin.
    package func value(of name: String) -> Value? {
        bins.first { $0.name == name }?.value
    }
}

/// What a call changed, so that replicas can be told.
package struct RecordChange: Sendable, Hashable {
    /// The record before; nil if there was none.
    package var old: StoredRecord?
    /// The record now; nil if it was deleted.
    package var new: StoredRecord?
    package var digest: Digest

    package init(digest: Digest, old: StoredRecord?, new: StoredRecord?) {
        self.digest = digest
        self.old = old
        self.new = new
    }
}
