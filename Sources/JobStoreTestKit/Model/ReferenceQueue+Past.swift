public import BeanspikeCore

extension ReferenceQueue {
    /// Counts of a time that a store with a fresh start has forgotten, and another one may remember.
    public struct Past {
        /// Jobs put before the last restart.
        public internal(set) var total: UInt64 = 0
        /// Jobs deleted before the last restart.
        public internal(set) var deleted: UInt64 = 0
        /// Reservations that ran out of time before the last restart.
        public internal(set) var timeouts: UInt64 = 0
        /// What was counted of a tube each time that it existed, but for the present one.
        public internal(set) var tubes: [TubeName: Tube] = [:]

        /// Keeps the counts of a tube that ceases to exist.
        ///
        /// - Parameters:
        ///   - tube: Its counts.
        ///   - name: Its name.
        ///   - isWhole: Whether they already contain those of before.
        mutating func add(_ tube: Tube, _ name: TubeName, isWhole: Bool = false) {
            var sum = isWhole ? Tube() : tubes[name] ?? Tube()
            sum.total += tube.total
            sum.deleted += tube.deleted
            sum.pauses += tube.pauses
            tubes[name] = sum
        }
    }

    /// Brings a store's counts to those that are expected, where they go on from some of the past.
    ///
    /// - Parameters:
    ///   - reply: What a store without a fresh start has answered.
    ///   - expected: What is expected of one with a fresh start.
    /// - Returns: The reply, with counts that may be as they are replaced.
    func forgiving(_ reply: TestReply, _ expected: TestReply) -> TestReply {
        switch (reply, expected) {
        case (.tubeStatistics(var statistics), .tubeStatistics(let other)):
            let former = past.tubes[other.name] ?? Tube()
            statistics.jobs.total.forget(former.total, ifLeaves: other.jobs.total)
            statistics.jobs.deleted.forget(former.deleted, ifLeaves: other.jobs.deleted)
            statistics.pauses.forget(former.pauses, ifLeaves: other.pauses)
            return .tubeStatistics(statistics)
        case (.storeStatistics(var statistics), .storeStatistics(let other)):
            statistics.jobs.total.forget(past.total, ifLeaves: other.jobs.total)
            statistics.jobs.deleted.forget(past.deleted, ifLeaves: other.jobs.deleted)
            statistics.timeouts.forget(past.timeouts, ifLeaves: other.timeouts)
            return .storeStatistics(statistics)
        default:
            return reply
        }
    }
}

extension UInt64 {
    /// Becomes `rest` where it is that and at most `most`.
    fileprivate mutating func forget(_ most: UInt64, ifLeaves rest: UInt64) {
        if (rest...rest + most).contains(self) { self = rest }
    }
}
