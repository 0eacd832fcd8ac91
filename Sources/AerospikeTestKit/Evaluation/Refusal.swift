package import Aerospike

/// Why the node refuses a request or one of its operations: the code that it answers, and for people the reason.
package struct Refusal: Error, Sendable, Hashable {
    /// What a real server answers too.
    package var code: ResultCode
    /// What exactly was refused.
    package var reason: String
    /// Whether the node does not know what it was asked, which a real server may well do: a test that meets it tests
    /// nothing, so nodes report it loudly.
    package var isUnknown: Bool

    package init(_ code: ResultCode, _ reason: String = "") {
        self.code = code
        self.reason = reason
        isUnknown = false
    }

    /// Something that this node does not do and a real server may.
    package static func unknown(_ reason: String) -> Refusal {
        var refusal = Refusal(.unsupportedFeature, reason)
        refusal.isUnknown = true
        return refusal
    }
}
