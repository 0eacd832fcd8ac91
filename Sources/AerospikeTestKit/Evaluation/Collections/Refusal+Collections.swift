import Aerospike

extension Refusal {
    /// The operation's bytes or arguments are wrong.
    static func parameter(_ reason: String) -> Refusal {
        Refusal(.invalidRequest, reason)
    }

    /// The operation is right, but not for this list or map.
    static func notApplicable(_ reason: String) -> Refusal {
        Refusal(.notApplicable, reason)
    }

    /// What a real server 8.1.0 stops at, or leaves a broken bin behind: nothing to imitate, and a test that does it is
    /// wrong.
    static func harmful(_ reason: String) -> Refusal {
        .unknown(harmfulPrefix + reason)
    }

    /// How the reasons of what is harmful begin.
    package static let harmfulPrefix = "a real server comes to grief over "
}
