import Aerospike

/// What a load on a cluster came to.
struct LoadReport: Sendable {
    /// A kind of failure.
    struct Failure: Sendable, Hashable {
        var call: String
        var code: ResultCode
        var inDoubt: Bool
    }

    var callCount = 0
    var failures: [Failure: Int] = [:]
    /// Answers that cannot be right.
    var violations: [String] = []
    /// When the last call that failed was begun.
    var lastFailureBegan: ContinuousClock.Instant?
    /// The longest that a call took.
    var longestCall = Duration.zero
    /// How long after the fault every partition had taken a write.
    var recovery = Duration.zero
    var faultBegan = ContinuousClock.Instant.now

    /// How long after the fault a call was begun that failed.
    var failuresLasted: Duration {
        lastFailureBegan.map { max(.zero, $0 - faultBegan) } ?? .zero
    }

    var failureCount: Int { failures.values.reduce(0, +) }
    var codes: Set<ResultCode> { Set(failures.keys.map(\.code)) }

    mutating func violated(_ what: String) {
        // The first tell what is wrong.
        if violations.count < 20 {
            violations.append(what)
        }
    }
}

extension LoadReport: CustomStringConvertible {
    var description: String {
        let failures = failures.sorted { $0.value > $1.value }.map { failure, count in
            "\(count) \(failure.call) \(failure.code)\(failure.inDoubt ? " in doubt" : "")"
        }
        return """
            \(callCount) calls, \(failureCount) failed: \(failures.joined(separator: ", ")); failures began up to \
            \(failuresLasted) after the fault, all partitions took writes after \(recovery), the longest call took \
            \(longestCall), \(violations.count) wrong answers
            """
    }
}
