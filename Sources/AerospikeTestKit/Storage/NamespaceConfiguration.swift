/// What a namespace is told to do, by the names of the server's configuration.
package struct NamespaceConfiguration: Sendable, Hashable {
    /// What is particular to a set.
    package struct SetConfiguration: Sendable, Hashable {
        /// The most records, stop-writes-count; 0 for any number.
        package var recordsMax = 0
        /// The most bytes, stop-writes-size; 0 for any number.
        package var bytesMax = 0
        /// default-ttl, in seconds; nil as the namespace's, 0 for ever.
        package var defaultTimeToLiveSeconds: UInt32?

        package init() {}
    }

    /// default-ttl, in seconds; 0 for ever.
    package var defaultTimeToLiveSeconds: UInt32 = 0
    /// Whether records may end: nsup-period is not 0, or allow-ttl-without-nsup is on.
    ///
    /// Otherwise writes that say so answer 22.
    package var allowsTimeToLive = true
    /// max-record-size, in bytes.
    package var recordBytesMax = 1024 * 1024
    /// Whether every write answers 8.
    package var stopsWrites = false
    /// default-read-touch-ttl-pct.
    package var readTouchPercent: UInt32 = 0
    /// apply-ttl-reductions.
    package var appliesTimeToLiveReductions = true
    /// disallow-null-setname.
    package var requiresSetName = false
    /// The most sets; records of any more answer 4 (base/datamodel.h, `AS_SET_MAX_COUNT`).
    package var setsMax = 4095
    /// The most secondary indexes (sindex/sindex.h, `MAX_N_SINDEXES`).
    package var indexesMax = 256
    package var sets: [String: SetConfiguration] = [:]

    package init() {}

    /// default-ttl of the records of a set, in seconds; 0 for ever.
    package func defaultTimeToLiveSeconds(ofSet setName: String) -> UInt32 {
        sets[setName]?.defaultTimeToLiveSeconds ?? defaultTimeToLiveSeconds
    }
}
