import Glibc

/// What went wrong in a run against a server, or with the vectors that one made.
struct CollectionFailure: Error {
    var reason: String
}

/// The variables that tell a run against a server what to do.
enum CollectionSettings {
    static let operationCount = variable("AEROSPIKE_COLLECTION_OPERATIONS").flatMap(Int.init) ?? 3000
    /// Always the same unless told, so that no server meets what was not tried on one before.
    static let seed = variable("AEROSPIKE_SEED").flatMap(UInt64.init) ?? 1
    static let vectorsPath = variable("AEROSPIKE_COLLECTION_VECTORS")

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
