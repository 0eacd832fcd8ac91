import Foundation

/// Runs blocking work on a thread of its own, so that tests never hold up the threads that tasks run on.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result { try work() }) }
        thread.stackSize = 1 << 20
        thread.start()
    }
}

/// Runs `count` pieces of work on threads of their own and returns their results in order.
func concurrently<Value: Sendable>(_ count: Int, _ work: @escaping @Sendable (Int) throws -> Value) throws -> [Value] {
    let done = NSCondition()
    let box = ResultBox<Value>(count: count)
    for index in 0..<count {
        let thread = Thread {
            let result = Result { try work(index) }
            done.lock()
            box.results[index] = result
            done.signal()
            done.unlock()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }
    done.lock()
    defer { done.unlock() }
    while box.results.contains(where: { $0 == nil }) { done.wait() }
    return try box.results.compactMap { try $0?.get() }
}

/// Results by index.
private final class ResultBox<Value: Sendable>: @unchecked Sendable {
    // Safe: every access is made with the condition of `concurrently` locked.
    var results: [Result<Value, any Error>?]
    init(count: Int) { results = Array(repeating: nil, count: count) }
}
