/// What a commit has gone through when it returns.
///
/// `docs/journal-format.md`, "What is promised".
///
/// Whichever it is, a commit survives the end of this process; they differ in what a power cut takes away.
public enum JournalDurability: Sendable, Equatable {
    /// On the disk: a power cut takes nothing that was committed.
    case committed
    /// With the operating system, which is made to write it at most so many milliseconds later (`-f MS`).
    case everyMilliseconds(UInt32)
    /// With the operating system, which writes it when it likes (`-F`).
    case never
}
