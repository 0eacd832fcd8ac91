/// A command that the load generator sends.
enum LoadCommand: UInt8, CaseIterable, Sendable {
    case put
    case reserve
    case delete

    /// Its name in reports.
    var name: String {
        switch self {
        case .put: "put"
        case .reserve: "reserve"
        case .delete: "delete"
        }
    }
}

/// What one phase of a benchmark sends: units of one or more commands, each sent when the one before is answered.
struct LoadPlan: Equatable, Sendable {
    /// What a unit starts with.
    let first: LoadCommand
    /// What a unit ends with.
    let last: LoadCommand
    /// Units to start.
    var units: Int
    /// Whether the first empty reserve ends the phase instead of being sent again.
    ///
    /// Such a phase has one command in flight: servers are known that lose what is pipelined behind a reserve that times out.
    var endsWhenEmpty = false
    /// Whether the phase goes on after Ctrl-C.
    var isCleanUp = false
    /// Whether a unit's last command takes the first one of the next unit with it, in one write.
    var overlaps = false

    /// Puts so many jobs.
    static func fill(_ jobs: Int) -> Self { .init(first: .put, last: .put, units: jobs) }
    /// Reserves and deletes so many jobs.
    static func drain(_ jobs: Int) -> Self { .init(first: .reserve, last: .delete, units: jobs) }
    /// Reserves and deletes so many jobs, each delete sent together with the next reserve.
    static func work(_ jobs: Int) -> Self { .init(first: .reserve, last: .delete, units: jobs, overlaps: true) }
    /// Reserves and deletes so many jobs, which a phase that ended early left.
    static func cleanUp(_ jobs: Int) -> Self { .init(first: .reserve, last: .delete, units: jobs, isCleanUp: true) }
    /// Reserves and deletes whatever is there, one by one.
    static let clear = LoadPlan(first: .reserve, last: .delete, units: .max, endsWhenEmpty: true, isCleanUp: true)
    /// Puts, reserves and deletes so many jobs, one after the other in each slot.
    static func cycle(_ jobs: Int) -> Self { .init(first: .put, last: .delete, units: jobs) }

    /// What follows a good reply, nil where the unit is complete.
    func command(after command: LoadCommand) -> LoadCommand? {
        if command == last { return nil }
        return switch command {
        case .put: .reserve
        case .reserve: .delete
        case .delete: nil
        }
    }
}

/// The sizes of a load.
struct LoadShape: Equatable, Sendable {
    var connections: Int
    /// Units at a time on each connection.
    var inFlight: Int
    var bodyBytes: Int

    /// The most commands in flight on a connection: of two units where they overlap.
    var commandsMax: Int { 2 * inFlight }
}
