import Synchronization

/// A function that is run the first time only.
final class Once: Sendable {
    private let hasRun = Atomic<Bool>(false)
    private let function: @Sendable () -> Void

    init(_ function: @escaping @Sendable () -> Void) {
        self.function = function
    }

    func run() {
        if !hasRun.exchange(true, ordering: .acquiringAndReleasing) {
            function()
        }
    }
}
