/// How a job is put or released, as options.
struct Schedule {
    /// The priority that jobs have unless they are given one; beanstalkd's clients agree on none, this is the middle
    /// between urgent (below 1024) and late.
    static let priorityDefault: UInt32 = 1_024
    static let ttrSecondsDefault: UInt32 = 60
}
