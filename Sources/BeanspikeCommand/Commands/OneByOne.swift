import BeanspikeCore

/// Does one thing to each of some jobs, and goes on after those that are not there.
struct OneByOne {
    let options: ServerOptions
    /// What was done, as printed.
    let past: String

    func run(_ ids: [JobID], _ act: (BeanstalkConnection, JobID) throws -> Void) throws {
        let connection = try BeanstalkConnection(to: options.address())
        var missing: CommandError?
        for id in ids {
            do {
                try act(connection, id)
                Output.line(
                    options.json
                        ? JSONValue.object([("id", .unsigned(id)), ("outcome", .string(past))]).text : "\(past) \(id)"
                )
            } catch let error as CommandError where error.code == .nothingThere {
                if let missing { Output.note("beanspike: \(missing)") }
                missing = error
            }
        }
        if let missing { throw missing }
    }

    /// Reserves a job by its id.
    ///
    /// - Returns: its priority.
    static func take(_ id: JobID, _ connection: BeanstalkConnection) throws -> UInt64 {
        let statistics = try connection.statistics(ofJob: id)
        try connection.perform(
            "reserve-job \(id)",
            expecting: "RESERVED",
            missing: "Job \(id) is reserved by somebody else, or gone."
        )
        return statistics.number("pri") ?? UInt64(Schedule.priorityDefault)
    }
}
