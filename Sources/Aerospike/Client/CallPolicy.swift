package import NIOCore

/// How long a call may take, and what is done when a try of it fails.
///
/// What a call's own policy leaves nil is as the client is configured (``AerospikeClientConfiguration/call``), and what
/// that leaves nil too is the default.
///
/// ```swift
/// var policy = ReadPolicy()
/// policy.call.timeout = .milliseconds(50)
/// ```
public struct CallPolicy: Sendable, Hashable {
    /// How long the call may take, with all its tries; 1 second by default.
    public var timeout: Duration?

    /// How long one try may take; by default as long as the call.
    ///
    /// By default, a read that can ask another copy of the record gives each try but the last half of the time that is
    /// left, so that a node which has stopped costs it no more than a delay.
    public var tryTimeout: Duration?

    /// How many tries there may be, from 1 up; 3 by default.
    ///
    /// Tries that failed before anything was sent do not count: the time alone bounds them.
    public var triesMax: Int?

    /// Whether a write is tried again although an earlier try of it may have been applied; false by default.
    ///
    /// Only for writes that may as well happen twice. A read is always tried again.
    public var retriesInDoubt: Bool?

    /// The pause before the second try; 2 milliseconds by default.
    ///
    /// It doubles with each further one, and a random part of up to a half is taken off.
    public var backoff: Duration?

    /// The longest pause between two tries; 100 milliseconds by default.
    public var backoffMax: Duration?

    /// A policy that leaves everything as it is.
    public init() {}
}

/// What a call's policy comes to: every value is known.
package struct ResolvedCallPolicy: Sendable, Hashable {
    package var timeout: Duration
    /// Nil if a try may take as long as the call.
    package var tryTimeout: Duration?
    package var triesMax: Int
    package var retriesInDoubt: Bool
    package var backoff: Duration
    package var backoffMax: Duration

    /// A policy of the call's own values, or else the client's, or else the defaults.
    package init(_ own: CallPolicy, client: CallPolicy = CallPolicy()) {
        timeout = own.timeout ?? client.timeout ?? .seconds(1)
        tryTimeout = own.tryTimeout ?? client.tryTimeout
        triesMax = own.triesMax ?? client.triesMax ?? 3
        retriesInDoubt = own.retriesInDoubt ?? client.retriesInDoubt ?? false
        backoff = own.backoff ?? client.backoff ?? .milliseconds(2)
        backoffMax = own.backoffMax ?? client.backoffMax ?? .milliseconds(100)
    }
}

extension ResolvedCallPolicy {
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

    private let policy: ResolvedCallPolicy
    private let isWrite: Bool
    /// When the call's time is up.
    package let deadline: NIODeadline
    /// How many tries were sent so far.
    package private(set) var sentCount = 0
    /// How many tries failed so far, sent or not.
    package private(set) var failureCount = 0
    /// Whether an earlier try may have been applied.
    package private(set) var isInDoubt = false

    package init(_ policy: ResolvedCallPolicy, isWrite: Bool, now: NIODeadline) {
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
