/// The commands that `stats` counts, in the order in which it prints them, and those that it does not print.
///
/// Source: prot.c of beanstalkd 1.13, `op_ct` and `STATS_FMT`.
public enum CommandKind: Int, CaseIterable, Sendable {
    case put
    case peek
    case peekReady
    case peekDelayed
    case peekBuried
    case reserve
    case reserveWithTimeout
    case delete
    case release
    case use
    case watch
    case ignore
    case bury
    case kick
    case touch
    case stats
    case statsJob
    case statsTube
    case listTubes
    case listTubeUsed
    case listTubesWatched
    case pauseTube
    // Counted, and not printed: `stats` has exactly beanstalkd's keys.
    case reserveJob
    case kickJob
    case truncate

    /// The key in `stats`, or nil where it has none.
    var statisticsKey: StaticString? {
        switch self {
        case .put: "cmd-put"
        case .peek: "cmd-peek"
        case .peekReady: "cmd-peek-ready"
        case .peekDelayed: "cmd-peek-delayed"
        case .peekBuried: "cmd-peek-buried"
        case .reserve: "cmd-reserve"
        case .reserveWithTimeout: "cmd-reserve-with-timeout"
        case .delete: "cmd-delete"
        case .release: "cmd-release"
        case .use: "cmd-use"
        case .watch: "cmd-watch"
        case .ignore: "cmd-ignore"
        case .bury: "cmd-bury"
        case .kick: "cmd-kick"
        case .touch: "cmd-touch"
        case .stats: "cmd-stats"
        case .statsJob: "cmd-stats-job"
        case .statsTube: "cmd-stats-tube"
        case .listTubes: "cmd-list-tubes"
        case .listTubeUsed: "cmd-list-tube-used"
        case .listTubesWatched: "cmd-list-tubes-watched"
        case .pauseTube: "cmd-pause-tube"
        case .reserveJob, .kickJob, .truncate: nil
        }
    }
}

/// How often each command came.
public struct CommandCounts: Equatable, Sendable {
    private var counts = [UInt64](repeating: 0, count: CommandKind.allCases.count)

    /// None came.
    public init() {}

    /// How often this command came.
    public subscript(kind: CommandKind) -> UInt64 { counts[kind.rawValue] }

    /// Counts one command.
    @inline(__always)
    mutating func count(_ kind: CommandKind) { counts[kind.rawValue] &+= 1 }

    /// Moves all that `other` counted to here.
    public mutating func take(_ other: inout CommandCounts) {
        for index in counts.indices {
            counts[index] &+= other.counts[index]
            other.counts[index] = 0
        }
    }
}
