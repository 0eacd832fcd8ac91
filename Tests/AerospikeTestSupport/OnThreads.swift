import Foundation
package import Testing

/// Runs tests on threads of their own, for they block: the threads that tasks share are few, and other tests need them.
package struct OnThreads: SuiteTrait, TestTrait, TestScoping {
    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else {
            try await function()
            return
        }
        await OnThreads.gate.enter()
        let result = await Result { try await withTaskExecutorPreference(ThreadExecutor()) { try await function() } }
        await OnThreads.gate.leave()
        try result.get()
    }

    /// Few run at once, so that other tests are not late on a small machine.
    private static let gate = Gate(places: 3)
}

/// Lets so many in at once, in the order in which they come.
private actor Gate {
    private var placesLeft: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        placesLeft = places
    }

    func enter() async {
        if placesLeft > 0 {
            placesLeft -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty {
            placesLeft += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}

extension Result where Failure == any Error {
    /// What came of something.
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}

extension Trait where Self == OnThreads {
    /// Runs each test on threads of its own.
    package static var onThreads: Self { OnThreads() }
}

/// Runs each of its jobs on a new thread.
private final class ThreadExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let thread = Thread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        thread.stackSize = 1 << 23
        thread.start()
    }
}
