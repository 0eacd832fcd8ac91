/// When a job that is worked on is touched: after a fraction of its time to run, again and again.
///
/// A value without a clock.
struct TouchPlan: Equatable {
    /// How long after it was reserved, or touched, a job is to be touched; nil where it need not be.
    let interval: Duration?

    /// A touch must be on its way for some time before it is too late.
    private static let intervalMin = Duration.milliseconds(50)

    /// A plan.
    ///
    /// - Parameters:
    ///   - timeToRun: the job's; nil where it has none.
    ///   - fraction: after which part of it to touch, above 0 and below 1.
    init(timeToRun: Duration?, fraction: Double) {
        guard let timeToRun else {
            interval = nil
            return
        }
        interval = max(Self.intervalMin, timeToRun * min(max(0.05, fraction), 0.9))
    }

    /// How long to wait before trying again when a touch could not be made, for reasons that may pass.
    var retryInterval: Duration { (interval ?? .seconds(1)) / 4 }
}
