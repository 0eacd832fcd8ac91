import BeanspikeCore

/// What the journal keeps of one job beside its id and body, and the bytes that it is kept as.
///
/// Layout, all integers little-endian (format version 1; `docs/journal-format.md`):
///
///     0  u8   state            1  u8   flags (bit 0: attributes follow the tube's name)
///     2  u8   tube name bytes  3  u8   0
///     4  u32  priority         8  u32  delay, s        12  u32  TTR, s (0: none)
///    16  u32  reserves        20  u32  timeouts        24  u32  releases   28  u32  buries   32  u32  kicks
///    36  i64  created, ms since 1970                   44  i64  due, ms since 1970 (delayed jobs; else 0)
///    52  u64  burial sequence (buried jobs; else 0)    60  tube name
///
/// Attributes, when present: i64 time of birth, u32 retries, u8 flags (bit 0: retry, bit 1: compression skipped),
/// u32 original body bytes, u32 metadata bytes, metadata, u32 reason bytes, reason.
struct JournalRecord: Equatable {
    /// State, priority, delay, TTR and counters.
    ///
    /// The deadline is not used: ``dueWallMilliseconds`` is.
    var lifecycle: JobLifecycle
    /// The tube that the job is in.
    var tube: TubeName
    /// When it was put, milliseconds since 1970.
    var createdWallMilliseconds: Int64
    /// When a delayed job is due, milliseconds since 1970; 0 in other states.
    var dueWallMilliseconds: Int64
    /// Buried jobs of a tube are kicked in this order; 0 in other states.
    var burialSequence: UInt64
    /// What else it carries.
    var attributes: JobAttributes?

    static let fixedBytes = 60
}
