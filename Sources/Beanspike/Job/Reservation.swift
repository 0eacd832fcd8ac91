import BeanspikeCore
import Synchronization

/// A job that a connection holds, and the lane on which it does.
final class Reservation: Sendable {
    let id: JobID
    let lane: Lane
    let priority: UInt32
    /// 0 means without end.
    let ttrSeconds: UInt32
    /// When its time to run certainly is over, as far as is known here; nil where it has none.
    private let end: Mutex<ContinuousClock.Instant?>

    /// A store's clock and ours do not tick together.
    private static let margin = Duration.seconds(10)

    init(_ view: JobView, lane: Lane) {
        id = view.id
        self.lane = lane
        priority = view.priority
        ttrSeconds = view.ttrSeconds
        end = Mutex(nil)
        restart()
    }

    /// Its time to run started anew.
    func restart() {
        guard ttrSeconds > 0 else { return }
        end.withLock { $0 = .now + .seconds(Int64(ttrSeconds)) + Self.margin }
    }

    /// Who uses the lane for this job just now, and whether it is held no more.
    private struct Use {
        var users = 0
        var isEnded = false
        var isReleased = false
    }

    private let use = Mutex(Use())

    /// Whether the job is not held here any more, as far as is known.
    var isEnded: Bool { use.withLock { $0.isEnded } }

    /// Begins to use the lane; false where the job is not held any more, and the lane may be another's.
    func begin() -> Bool {
        use.withLock { use in
            guard !use.isEnded else { return false }
            use.users += 1
            return true
        }
    }

    /// Is done with the lane.
    ///
    /// - Parameter isEnded: whether the job is not held any more.
    /// - Returns: true once: when the lane is not needed for the job any more.
    func end(isEnded: Bool) -> Bool {
        use.withLock { use in
            use.users -= 1
            return Self.isToRelease(&use, isEnded: isEnded)
        }
    }

    /// Gives the job up as lost; as ``end(isEnded:)``.
    func giveUp() -> Bool { use.withLock { Self.isToRelease(&$0, isEnded: true) } }

    private static func isToRelease(_ use: inout Use, isEnded: Bool) -> Bool {
        use.isEnded = use.isEnded || isEnded
        guard use.isEnded, use.users == 0, !use.isReleased else { return false }
        use.isReleased = true
        return true
    }

    func isOver(at now: ContinuousClock.Instant) -> Bool { end.withLock { $0.map { $0 < now } ?? false } }
}
