/// When a job whose handler failed is tried again, and when it is given up.
///
/// A value without a clock: ``decision(attempt:using:)`` is all that there is to it.
public struct RetryPolicy: Sendable, Equatable {
    /// How often a job is worked on before it is buried, at least 1; 10 by default.
    public var attemptsMax: Int
    /// The pause after the first failure; 1 s by default.
    public var firstDelay: Duration
    /// How many times longer each pause is than the one before, at least 1; 2 by default.
    public var multiplier: Double
    /// No pause is longer; an hour by default.
    public var delayMax: Duration
    /// Which part of a pause is left to chance, 0 to 1, so that jobs that failed together do not come back together; 0.2 by
    /// default: between 0.8 and 1.2 of the pause.
    public var jitter: Double

    /// A policy.
    ///
    /// - Parameters:
    ///   - attemptsMax: how often a job is worked on before it is buried, at least 1.
    ///   - firstDelay: the pause after the first failure.
    ///   - multiplier: how many times longer each pause is than the one before, at least 1.
    ///   - delayMax: no pause is longer.
    ///   - jitter: which part of a pause is left to chance, 0 to 1.
    public init(
        attemptsMax: Int = 10,
        firstDelay: Duration = .seconds(1),
        multiplier: Double = 2,
        delayMax: Duration = .seconds(3_600),
        jitter: Double = 0.2
    ) {
        self.attemptsMax = max(1, attemptsMax)
        self.firstDelay = max(.zero, firstDelay)
        self.multiplier = max(1, multiplier)
        self.delayMax = max(.zero, delayMax)
        self.jitter = min(max(0, jitter), 1)
    }

    /// What is to become of a job.
    public enum Decision: Sendable, Equatable {
        /// Release it with this delay, and count a retry.
        case retry(after: Duration)
        /// Bury it.
        case bury
    }

    /// The pause after an attempt that failed, without jitter.
    ///
    /// - Parameter attempt: which attempt it was, from 1.
    /// - Returns: the pause.
    public func delay(afterAttempt attempt: Int) -> Duration {
        var delay = min(firstDelay, delayMax)
        for _ in 1..<max(1, attempt) {
            guard delay < delayMax, multiplier > 1 else { break }
            delay = min(delay * multiplier, delayMax)
        }
        return delay
    }

    /// What is to become of a job whose handler failed.
    ///
    /// - Parameters:
    ///   - attempt: which attempt it was, from 1.
    ///   - generator: where the chance comes from.
    /// - Returns: the decision.
    public func decision(attempt: Int, using generator: inout some RandomNumberGenerator) -> Decision {
        guard attempt < attemptsMax else { return .bury }
        let delay = delay(afterAttempt: attempt)
        guard jitter > 0, delay > .zero else { return .retry(after: delay) }
        return .retry(after: min(delay * Double.random(in: 1 - jitter...1 + jitter, using: &generator), delayMax))
    }
}
