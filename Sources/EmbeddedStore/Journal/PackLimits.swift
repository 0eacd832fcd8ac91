/// Which new jobs share a row, and how large such a row gets.
enum PackLimits {
    /// Ids from the first of a pack to its last: a bit each in a word.
    static let idsMax: UInt64 = 64
    /// Bytes of a pack with which it is ended: four pages and little more, so that few are read for one job.
    static let bytesMax = 16 << 10
    /// Record and body of a job in a pack.
    ///
    /// A larger one costs as much to copy as a row of its own.
    static let jobBytesMax = 1 << 10
    /// A shorter run of jobs is written as single rows: a pack changes pages of two tables, which at eight jobs costs
    /// a quarter more than it saves.
    static let jobsMin = 16
    /// Packs of which at most a quarter is live and that are left alone.
    ///
    /// Jobs that go in order of their ids soon take the rest of such a pack with them. Where there are more, what is live
    /// in the oldest moves to single rows.
    static let sparseMax = 16
}
