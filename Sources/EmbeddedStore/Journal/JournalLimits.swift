/// How much room a ``SQLiteJournal`` takes beside what is live; tests make it smaller.
struct JournalLimits: Sendable {
    /// The write-ahead log's length, written out when the journal is opened so that later commits need no room on the
    /// disk. A commit of more makes it longer until the next checkpoint but one.
    var logBytes: Int64 = 16 << 20
    /// The file grows by pieces of this size, and before the log mentions pages that would not fit.
    var fileChunkBytes: Int32 = 1 << 20
    /// Room in the file that new jobs leave to changes of old ones.
    var fileSlackBytes: Int64 = 512 << 10
    /// SQLite's page cache.
    var cacheBytes: Int64 = 8 << 20
    /// Free pages are given back when they are more than this, and more than what is live;
    var freeBytesMax: Int64 = 32 << 20
    /// ... until they are at most this, or half of what is live.
    var freeBytesKept: Int64 = 8 << 20
    /// Below this much that is live, all free pages are given back at once.
    var liveBytesMovedAtOnce: Int64 = 4 << 20
    /// Pages given back by one step.
    var pagesPerStep: Int64 = 64

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
            && pagesPerStep > 0
    }
}
