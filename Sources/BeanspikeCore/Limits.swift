/// Every limit of the queue, in one place, with the relations that must hold between them.
///
/// A limit that a peer can reach has an error with a name; see ``JobStoreError`` and `docs/guarantees.md`.
public enum Limits {
    /// The longest tube name in bytes (protocol.txt, "Tubes").
    public static let tubeNameBytesMax = 200
    /// The longest command line in bytes, CRLF included (prot.c, `LINE_BUF_SIZE`).
    public static let commandLineBytesMax = 224
    /// The largest job body that a server takes unless told otherwise, in bytes (`-z`).
    public static let bodyBytesMaxDefault = 65_535
    /// The largest value of `-z`, in bytes: a little less than the longest value that SQLite takes (1e9).
    public static let bodyBytesMaxCeiling = 999_000_000
    /// Jobs with a priority value below this one count as urgent (protocol.txt, "stats").
    public static let urgentPriorityBelow: UInt32 = 1024
    /// How long before its first reservation's deadline a waiting consumer is told DEADLINE_SOON.
    public static let deadlineMargin: Duration = .seconds(1)
    /// The smallest time to run in seconds; on the wire 0 becomes 1 (protocol.txt, "put").
    public static let ttrSecondsMin: UInt32 = 1
    /// Job ids stay below this so that a JavaScript number holds them exactly.
    public static let jobIDBound: JobID = 1 << 53
    /// The most bytes of metadata that one job carries.
    public static let metadataBytesMax = 16_384
    /// Bodies shorter than this are not tried to be compressed unless told otherwise, in bytes.
    public static let compressionBytesMinDefault = 2_048
    /// How many times its size LZ4 can make of a block at most: a length byte stands for up to 255 bytes.
    public static let decompressionFactorMax = 255
    /// The longest reason of a burial in bytes; a longer one is cut.
    public static let buryReasonBytesMax = 1_024
    /// Tubes that one session may watch.
    public static let watchedTubesMax = 65_536
    /// Tubes that one store keeps at once.
    public static let tubesMax = 16_777_216

    /// Whether the limits agree with each other; asserted by a test.
    public static var areConsistent: Bool {
        // "pause-tube NAME 4294967295\r\n" is the longest line with a name in it.
        tubeNameBytesMax + "pause-tube  ".utf8.count + 10 + 2 <= commandLineBytesMax
            && bodyBytesMaxDefault <= bodyBytesMaxCeiling
            && bodyBytesMaxCeiling < Int(UInt32.max)
            && buryReasonBytesMax <= metadataBytesMax
    }
}
