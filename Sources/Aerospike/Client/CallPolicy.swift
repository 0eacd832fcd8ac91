package import NIOCore

/// How long a call may take, and what is done when a try of it fails.
public struct CallPolicy: Sendable, Hashable {
    /// How long the call may take, with all its tries.
    public var timeout = Duration.seconds(1)

    /// How long one try may take; nil if as long as the call.
    ///
    /// If nil, a read that can ask another copy of the record gives each try but the last half of the time that is left,
    /// so that a node which has stopped costs it no more than a delay.
    public var tryTimeout: Duration?

    /// How many tries there may be, from 1 up.
    ///
    /// Tries that failed before anything was sent do not count: the time alone bounds them.
    public var triesMax = 3

    /// Whether a write is tried again although an earlier try of it may have been applied.
    ///
    /// Only for writes that may as well happen twice. A read is always tried again.
    public var retriesInDoubt = false

    /// The pause before the second try; it doubles with each further one, and a random part of up to a half is taken off.
    public var backoff = Duration.milliseconds(2)

    /// The longest pause between two tries.
    public var backoffMax = Duration.milliseconds(100)

    /// A policy of the defaults.
    public init() {}
}

extension CallPolicy {
    /// How long to pause after so many failures in a row.
    ///
    /// - Parameters:
    ///   - failureCount: how many, from 1 up.
    ///   - chance: a random number from 0 to 1.
    /// - Returns: the pause.
    func pause(afterFailures failureCount: Int, chance: Double = .random(in: 0...1)) -> TimeAmount {
        let first = max(0, backoff.timeAmount.nanoseconds)
        let longest = max(0, backoffMax.timeAmount.nanoseconds)
        let doublings = min(max(0, failureCount - 1), 20)
        let (product, overflow) = first.multipliedReportingOverflow(by: 1 << doublings)
        let whole = overflow ? longest : min(product, longest)
        return .nanoseconds(whole - Int64(Double(whole) * 0.5 * min(max(chance, 0), 1)))
    }
}

/// What is to be done about a call's tries: it holds no clock, waits for nothing and sends nothing.
package struct Attempts: Sendable {
    /// What to do after a try that failed.
    package enum Decision: Sendable {
        /// Try again after a pause.
        case retry(after: TimeAmount)
        /// Tell the caller.
        case fail(AerospikeError)
    }

    private let policy: CallPolicy
    private let isWrite: Bool
    /// When the call's time is up.
    package let deadline: NIODeadline
    /// How many tries were sent so far.
    package private(set) var sentCount = 0
    /// How many tries failed so far, sent or not.
    package private(set) var failureCount = 0
    /// Whether an earlier try may have been applied.
    package private(set) var isInDoubt = false

    package init(_ policy: CallPolicy, isWrite: Bool, now: NIODeadline) {
        self.policy = policy
        self.isWrite = isWrite
        deadline = now + policy.timeout.timeAmount
    }

    /// When the time of a try that begins now is up.
    ///
    /// - Parameters:
    ///   - now: the time.
    ///   - canAskOthers: whether the next try may go to another node.
    /// - Returns: the time.
    package func tryDeadline(now: NIODeadline, canAskOthers: Bool = false) -> NIODeadline {
        if let tryTimeout = policy.tryTimeout {
            return min(deadline, now + tryTimeout.timeAmount)
        }
        guard canAskOthers, !isWrite, sentCount + 1 < policy.triesMax else { return deadline }
        return now + .nanoseconds((deadline - now).nanoseconds / 2)
    }

    /// Decides what to do about a try that failed.
    ///
    /// - Parameters:
    ///   - error: what the try came to.
    ///   - wasSent: whether the node may have got the request.
    ///   - now: the time.
    ///   - chance: a random number from 0 to 1, for the pause.
    /// - Returns: what to do.
    package mutating func failed(
        _ error: AerospikeError,
        wasSent: Bool,
        now: NIODeadline,
        chance: Double
    ) -> Decision {
        failureCount += 1
        if wasSent {
            sentCount += 1
            if isWrite, error.code.leavesWriteInDoubt {
                isInDoubt = true
            }
        }
        let told = error.adding(inDoubt: isInDoubt)
        guard error.code.isTransient, !isInDoubt || policy.retriesInDoubt, sentCount < max(1, policy.triesMax) else {
            return .fail(told)
        }
        let pause = policy.pause(afterFailures: failureCount, chance: chance)
        guard now + pause < deadline else { return .fail(told) }
        return .retry(after: pause)
    }
}
