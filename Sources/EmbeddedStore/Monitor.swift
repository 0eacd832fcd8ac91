#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A mutex with conditions to wait for, on which a thread may sleep until an instant of CLOCK_MONOTONIC.
///
/// The standard library's `Mutex` has no condition.
///
/// `@unchecked Sendable`: the pointer is fixed for life, and pthread allows any thread to use what it points to.
final class Monitor: @unchecked Sendable {
    fileprivate let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    @inline(__always)
    func lock() { pthread_mutex_lock(mutex) }

    @inline(__always)
    func unlock() { pthread_mutex_unlock(mutex) }

    /// Something that a thread may wait for while it holds the lock.
    ///
    /// `@unchecked Sendable`: as the monitor.
    final class Condition: @unchecked Sendable {
        private let monitor: Monitor
        private let condition: UnsafeMutablePointer<pthread_cond_t>

        init(_ monitor: Monitor) {
            self.monitor = monitor
            condition = .allocate(capacity: 1)
            condition.initialize(to: pthread_cond_t())
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(condition, &attributes)
            pthread_condattr_destroy(&attributes)
        }

        deinit {
            pthread_cond_destroy(condition)
            condition.deallocate()
        }

        /// Wakes the thread that waits.
        func signal() { pthread_cond_signal(condition) }

        /// Waits, the lock given up meanwhile, for a signal or that many microseconds; nil waits for a signal.
        func wait(microseconds: Int64?) {
            guard let microseconds else {
                pthread_cond_wait(condition, monitor.mutex)
                return
            }
            var until = timespec()
            clock_gettime(CLOCK_MONOTONIC, &until)
            let nanoseconds = Int64(until.tv_nsec) + (microseconds % 1_000_000) * 1_000
            until.tv_sec += Int(microseconds / 1_000_000 + nanoseconds / 1_000_000_000)
            until.tv_nsec = Int(nanoseconds % 1_000_000_000)
            pthread_cond_timedwait(condition, monitor.mutex, &until)
        }
    }
}

/// A thread of the store's own, for work that blocks.
struct StoreThread {
    private var thread: pthread_t

    /// Starts a thread; nil when the system has none to give.
    init?(_ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(ThreadBody(body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                let work = Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
                work.body()
                return nil
            },
            context.toOpaque()
        )
        guard status == 0 else {
            context.release()
            return nil
        }
        self.thread = thread
    }

    /// Waits for its end.
    func join() { pthread_join(thread, nil) }
}

private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
