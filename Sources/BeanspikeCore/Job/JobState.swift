/// Where a job is in its life; `docs/state-machine.md` has the diagram.
///
/// The raw values are written to disk and never change.
public enum JobState: UInt8, Sendable, CaseIterable {
    /// Waiting to be reserved. Left by reserve, or by delete.
    case ready = 0
    /// Held by one session until it deletes, releases or buries the job, until the job's time to run is over,
    /// or until the session ends.
    case reserved = 1
    /// Waiting for its due time. Left when that comes, by kick, by reserve-job, or by delete.
    case delayed = 2
    /// Set aside until somebody kicks, reserves (by id) or deletes it.
    case buried = 3

    /// The word that `stats-job` prints.
    public var word: String {
        switch self {
        case .ready: "ready"
        case .reserved: "reserved"
        case .delayed: "delayed"
        case .buried: "buried"
        }
    }
}
