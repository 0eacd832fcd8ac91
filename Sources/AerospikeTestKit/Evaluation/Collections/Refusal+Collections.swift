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
}
