/// Whether a commit is made by whoever asks for it, or by the writer's thread.
///
/// To wake another thread and be woken by it costs about as much as a fast disk takes to sync. So while commits are
/// fast, the caller makes them itself: all that arrives meanwhile waits in the kernel and is the next commit. Where
/// they are slow, nobody but those who wait for them should notice: the writer makes them.
struct CommitPacing {
    /// A caller is held up for no longer than this, by what commits took lately.
    static let callerMicrosecondsMax: Int64 = 1_000
    /// A caller writes no more than this many bytes of bodies itself.
    static let callerBytesMax = 262_144

    /// How long commits take: a mean that forgets.
    private(set) var microseconds: Int64 = 0

    /// Whether the next commit is fast enough for the caller.
    var isCallerToCommit: Bool { microseconds <= Self.callerMicrosecondsMax }

    /// Takes note of what a commit took.
    mutating func note(microseconds taken: Int64) {
        microseconds = (microseconds * 3 + taken) / 4
    }
}
