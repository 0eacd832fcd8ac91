import Aerospike
import NIOCore

/// What everything is measured beside: puts of 64 bytes by the same client, on its own executor.
struct PlainPuts: Sendable {
    let client: AerospikeClient
    let namespace: String

    private static let recordCount = 256

    private func put(_ number: Int) async throws {
        let key = Key(namespace: namespace, set: "bench-plain", .integer(Int64(number % Self.recordCount)))
        try await client.put(key, ["b": .bytes(Workload.body)])
    }

    /// How long a put takes, in nanoseconds; to be called on the client's executor.
    func time(_ number: Int) async throws -> Int64 {
        let start = NIODeadline.now()
        try await put(number)
        return (NIODeadline.now() - start).nanoseconds
    }

    /// Calls a second of so many callers.
    func rate(callers: Int, for time: TimeAmount) async throws -> Double {
        let start = NIODeadline.now()
        let end = start + time
        let count = try await withTaskExecutorPreference(client.executor) {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for caller in 0..<callers {
                    group.addTask {
                        var count = 0
                        while NIODeadline.now() < end {
                            try await put(caller + count * callers)
                            count += 1
                        }
                        return count
                    }
                }
                return try await group.reduce(0, +)
            }
        }
        return Double(count) / (Double((NIODeadline.now() - start).nanoseconds) / 1e9)
    }
}
