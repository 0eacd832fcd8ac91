/// How a put that failed is tried again.
///
/// A put whose outcome is in doubt is not repeated unless asked for: it may have happened, and then there would be two jobs.
public struct PutRetries: Sendable, Equatable {
    /// How often it is tried at most, at least 1; 3 by default.
    public var attemptsMax: Int
    /// The pause before the second try; 50 ms by default.
    public var firstPause: Duration
    /// How many times longer each pause is than the one before, at least 1; 2 by default.
    public var multiplier: Double
    /// Whether a put that may have happened is tried again too; false by default.
    public var repeatsInDoubt: Bool

    /// Retries.
    ///
    /// - Parameters:
    ///   - attemptsMax: how often it is tried at most, at least 1.
    ///   - firstPause: the pause before the second try.
    ///   - multiplier: how many times longer each pause is than the one before, at least 1.
    ///   - repeatsInDoubt: whether a put that may have happened is tried again too.
    public init(
        attemptsMax: Int = 3,
        firstPause: Duration = .milliseconds(50),
        multiplier: Double = 2,
        repeatsInDoubt: Bool = false
    ) {
        self.attemptsMax = max(1, attemptsMax)
        self.firstPause = max(.zero, firstPause)
        self.multiplier = max(1, multiplier)
        self.repeatsInDoubt = repeatsInDoubt
    }

    /// A put is tried once.
    public static let none = PutRetries(attemptsMax: 1)

    /// How long to wait before trying again; nil when it is not to be tried again.
    ///
    /// - Parameters:
    ///   - error: what the last try came to.
    ///   - attempts: how many tries there were, at least 1.
    /// - Returns: the pause.
    func pause(after error: BeanspikeError, attempts: Int) -> Duration? {
        guard attempts < attemptsMax else { return nil }
        switch error.code {
        case .writeFailed, .outOfSpace, .readFailed: break
        default: return nil
        }
        guard repeatsInDoubt || !error.inDoubt else { return nil }
        var pause = firstPause
        for _ in 1..<max(1, attempts) { pause = min(pause * multiplier, .seconds(60)) }
        return pause
    }

    /// What is to be tried again of puts that were tried together, and when; nil where nothing is.
    func next(
        after outcomes: [Result<Job.ID, BeanspikeError>],
        attempts: Int
    ) -> (pause: Duration, due: [Int])? {
        var pause: Duration?
        var due: [Int] = []
        for (index, outcome) in outcomes.enumerated() {
            guard case .failure(let error) = outcome, let next = self.pause(after: error, attempts: attempts) else {
                continue
            }
            pause = max(pause ?? .zero, next)
            due.append(index)
        }
        return pause.map { ($0, due) }
    }
}
