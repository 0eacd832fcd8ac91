import Aerospike

/// Writes into every eighth partition until each has taken a write.
///
/// Who holds a partition is as good as random, so they tell of all; and more writes would be a load of their own.
enum PartitionProbe {
    /// A record of each partition that is looked at.
    private static let keys: [Key] = {
        var keys: [Int: Key] = [:]
        var number = 0
        while keys.count < Digest.partitionCount / 8 {
            let key = Key(namespace: "test", set: "swift-probe", .integer(Int64(number)))
            if key.partitionID.isMultiple(of: 8), keys[key.partitionID] == nil {
                keys[key.partitionID] = key
            }
            number += 1
        }
        return keys.sorted { $0.key < $1.key }.map(\.value)
    }()

    /// No more rounds, whatever happens; each takes half a second at most.
    private static let roundsMax = 100

    /// Makes the keys, which takes a while.
    static func prepare() {
        _ = keys.count
    }

    /// Writes; returns when each partition has taken a write.
    ///
    /// - Throws: the last error, if a partition never takes one.
    static func run(_ client: AerospikeClient) async throws {
        var open = keys
        var policy = BatchPolicy()
        policy.call.timeout = .milliseconds(500)
        policy.call.triesMax = 1
        var last: AerospikeError?
        for _ in 0..<roundsMax where !open.isEmpty {
            let results = try await client.batch(open.map { .put($0, ["p": 1]) }, policy: policy)
            let failed = zip(open, results).compactMap { key, result in
                if case .failure(let error) = result { (key, error) } else { nil }
            }
            open = failed.map(\.0)
            last = failed.last?.1 ?? last
        }
        if !open.isEmpty, let last { throw last }
    }
}
