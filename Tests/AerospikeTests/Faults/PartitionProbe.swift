import Aerospike

/// Writes into each partition until every one has taken a write.
enum PartitionProbe {
    /// A record of each partition.
    private static let keys: [Key] = {
        var keys: [Int: Key] = [:]
        var number = 0
        while keys.count < Digest.partitionCount {
            let key = Key(namespace: "test", set: "swift-probe", .integer(Int64(number)))
            if keys[key.partitionID] == nil {
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
        policy.call.retriesInDoubt = true
        var last: AerospikeError?
        for _ in 0..<roundsMax where !open.isEmpty {
            let round = open
            let failed = try await withThrowingTaskGroup(of: [(Key, AerospikeError)].self) { group in
                for start in stride(from: 0, to: round.count, by: 512) {
                    let part = round[start..<min(start + 512, round.count)]
                    group.addTask { [policy] in
                        let results = try await client.batch(part.map { .put($0, ["p": 1]) }, policy: policy)
                        return zip(part, results).compactMap { key, result in
                            if case .failure(let error) = result { (key, error) } else { nil }
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            open = failed.map(\.0)
            last = failed.last?.1 ?? last
        }
        if !open.isEmpty, let last { throw last }
    }
}
