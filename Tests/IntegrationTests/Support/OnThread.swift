import Foundation

/// Runs blocking work on a thread of its own, so that tests never hold up the threads that tasks run on.
///
/// The work is still part of the test: what it expects is recorded there.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await Task(executorPreference: ThreadExecutor()) { try work() }.value
}

/// Runs each of its jobs on a new thread.
private final class ThreadExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let thread = Thread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
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
