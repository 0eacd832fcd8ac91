import Aerospike

/// Makes a call again that failed for what passes, as while a node is gone and the others have not taken over.
///
/// - Parameters:
///   - triesMax: how often it is made at most.
///   - body: a call that may as well happen twice.
/// - Returns: what the call answered.
/// - Throws: the last error.
func tryingAgain<T>(
    _ triesMax: Int = 8,
    _ body: () async throws(AerospikeError) -> T
) async throws(AerospikeError) -> T {
    var failures = 0
    while true {
        do throws(AerospikeError) {
            return try await body()
        } catch {
            failures += 1
            guard failures < triesMax, error.code.isTransient || error.inDoubt, error.code != .cancelled,
                !Task.isCancelled
            else { throw error }
        }
        let milliseconds = min(400, 5 << min(failures, 7))
        try? await Task.sleep(for: .milliseconds(Int.random(in: milliseconds / 2...milliseconds)))
    }
}
