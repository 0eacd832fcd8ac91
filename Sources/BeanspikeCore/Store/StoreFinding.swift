/// One thing that an examination of a store has looked at: what it found, what that means for jobs, and how to change it.
public struct StoreFinding: Sendable, Hashable {
    /// How bad it is.
    public enum Level: String, Sendable, Hashable, Comparable, CaseIterable {
        /// As it should be.
        case fine
        /// Jobs are served, but less is promised than could be.
        case warning
        /// Jobs that were acknowledged could be lost, or none can be served.
        case refused

        /// Whether one is less bad than the other.
        public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .fine: 0
            case .warning: 1
            case .refused: 2
            }
        }
    }

    /// How to change what was found.
    public struct Remedy: Sendable, Hashable {
        /// What to do, in one or two sentences.
        public var advice: String
        /// What to type for it, one command a line; it takes effect at once.
        public var commands: [String]
        /// What to type in their stead, with a tool that does one node at a time.
        public var alternatives: [String]
        /// The lines of the configuration file that make it last.
        public var configuration: [String]

        /// A remedy.
        ///
        /// - Parameters:
        ///   - advice: what to do.
        ///   - commands: what to type for it.
        ///   - alternatives: what to type in their stead.
        ///   - configuration: the lines of the configuration file.
        public init(
            _ advice: String,
            commands: [String] = [],
            alternatives: [String] = [],
            configuration: [String] = []
        ) {
            self.advice = advice
            self.commands = commands
            self.alternatives = alternatives
            self.configuration = configuration
        }
    }

    /// How bad it is.
    public var level: Level
    /// What was looked at, such as `replication-factor`: the setting's own name where it is one.
    public var subject: String
    /// What was found, such as `2 on 3 nodes`.
    public var state: String
    /// What that means for jobs.
    public var meaning: String
    /// How to change it, if there is anything to do.
    public var remedy: Remedy?
    /// Whether a store may be opened all the same by who accepts what a refusal says.
    public var canBeAccepted: Bool

    /// A finding.
    ///
    /// - Parameters:
    ///   - level: how bad it is.
    ///   - subject: what was looked at.
    ///   - state: what was found.
    ///   - meaning: what that means for jobs.
    ///   - remedy: how to change it.
    ///   - canBeAccepted: whether a store may be opened all the same.
    public init(
        _ level: Level,
        _ subject: String,
        _ state: String,
        meaning: String,
        remedy: Remedy? = nil,
        canBeAccepted: Bool = true
    ) {
        self.level = level
        self.subject = subject
        self.state = state
        self.meaning = meaning
        self.remedy = remedy
        self.canBeAccepted = canBeAccepted
    }
}

extension StoreFinding: CustomStringConvertible {
    /// The finding on one line, for logs.
    public var description: String {
        "\(subject) is \(state): \(meaning)" + (remedy.map { " \($0.advice)" } ?? "")
    }
}
