import Synchronization

/// Lets tasks wait until a port says that it has something new, but not for ever.
final class WakeSignal: Sendable {
    private struct State {
        var wakes: UInt64 = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// How often there was something new so far.
    var wakes: UInt64 { state.withLock { $0.wakes } }

    /// Ends all waits.
    func wake() {
        let waiters = state.withLock { state in
            state.wakes += 1
            defer { state.waiters.removeAll() }
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when there was something new since `seen` was read from ``wakes``, or after `limit`.
    func wait(seen: UInt64, limit: Duration) async {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let watchdog = Task { [self] in
            try? await Task.sleep(for: limit)
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
        await withCheckedContinuation { continuation in
            let isLate = state.withLock { state in
                guard state.wakes == seen else { return true }
                state.waiters[number] = continuation
                return false
            }
            if isLate { continuation.resume() }
        }
        watchdog.cancel()
    }
}
