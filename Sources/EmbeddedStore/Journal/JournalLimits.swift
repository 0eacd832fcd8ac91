/// How much room a ``SQLiteJournal`` takes beside what is live; tests make it smaller.
struct JournalLimits: Sendable {
    /// The write-ahead log's length, written out when the journal is opened so that later commits need no room on the
    /// disk.
    ///
    /// A commit of more makes it longer until the next checkpoint but one.
    var logBytes: Int64 = 16 << 20
    /// The file grows by pieces of this size, and before the log mentions pages that would not fit.
    var fileChunkBytes: Int32 = 1 << 20
    /// Room in the file that new jobs leave to changes of old ones.
    var fileSlackBytes: Int64 = 512 << 10
    /// SQLite's page cache.
    var cacheBytes: Int64 = 8 << 20
    /// Free pages are given back when they are more than this, and more than half of what is live.
    var freeBytesMax: Int64 = 32 << 20
    /// Giving back ends when this much is free, or a quarter of what is live.
    var freeBytesKept: Int64 = 8 << 20
    /// Where pages in use have to move before the file can be cut, they move by steps, each as long as this.
    var stepDuration: Duration = .milliseconds(4)
    /// How long to wait between two steps.
    var stepPause: Duration = .milliseconds(8)
    /// Pages moved between two looks at the clock.
    var pagesPerMove = 4
    /// Steps between two looks whether everything can be given back at once.
    var stepsBetweenLooks: Int64 = 16

    static let pageBytes: Int64 = 4096
    /// A frame of the log: a page and its header.
    static let frameBytes: Int64 = pageBytes + 24

    /// Commits checkpoint when the log is this full, so that one of the other half fits.
    var logFramesMax: Int { Int(logBytes / Self.frameBytes / 2) }
    /// Maintenance checkpoints when the log is this full.
    var logFramesIdleMax: Int { logFramesMax / 2 }

    /// Whether the limits agree with each other; asserted by a test.
    var areConsistent: Bool {
        logFramesIdleMax > 0 && fileSlackBytes > 0 && fileChunkBytes > 0 && freeBytesKept < freeBytesMax
            && pagesPerMove > 0
            && stepsBetweenLooks > 0
    }
}
