import BeanspikeCore

/// Names a tube's state; used again once the tube is gone.
typealias TubeIndex = UInt32

/// One tube: its jobs by state, and who waits for them.
struct Tube {
    /// A session that waits; stale once the session's ticket is another one.
    struct Waiter {
        var session: SessionID
        var ticket: UInt64
    }

    let name: TubeName
    var ready = ReadyQueue()
    var delayed = JobHeap()
    var buried = JobList()
    var counts = JobCounts()
    var sessionsUsing = 0
    var sessionsWatching = 0
    /// How many sessions wait for a job of this tube; `waiters` may hold stale ones beside.
    var sessionsWaiting = 0
    var pauses: UInt64 = 0
    var pauseSeconds: UInt32 = 0
    /// Nothing is handed out before this, while `pauseSeconds` is not 0.
    var pausedUntil = StoreInstant(microseconds: .min)
    /// Its place in the list of tubes.
    var listPosition = 0

    private var waiters: [Waiter] = []
    private var waitersGone = 0

    init(_ name: TubeName) { self.name = name }

    /// Whether somebody or something needs the tube to exist.
    var isNeeded: Bool { sessionsUsing > 0 || sessionsWatching > 0 || counts.present > 0 }

    var isPaused: Bool { pauseSeconds > 0 }

    mutating func appendWaiter(_ waiter: Waiter) {
        waiters.append(waiter)
        sessionsWaiting += 1
    }

    /// Keeps only the waiters that `isCurrent` says are; done when many are stale.
    mutating func pruneWaiters(_ isCurrent: (Waiter) -> Bool) {
        guard waiters.count > 4 * sessionsWaiting + 64 else { return }
        waiters = waiters[waitersGone...].filter(isCurrent)
        waitersGone = 0
    }

    /// The longest waiting session that `isCurrent` confirms; it is taken off the list.
    mutating func popWaiter(_ isCurrent: (Waiter) -> Bool) -> SessionID? {
        while waitersGone < waiters.count {
            let waiter = waiters[waitersGone]
            waitersGone += 1
            if waitersGone == waiters.count {
                waiters.removeAll(keepingCapacity: waiters.capacity <= 1024)
                waitersGone = 0
            } else if waitersGone > 1024, waitersGone * 2 > waiters.count {
                waiters.removeFirst(waitersGone)
                waitersGone = 0
            }
            if isCurrent(waiter) { return waiter.session }
        }
        return nil
    }
}

/// All tubes: by name, by index, and in the order that `list-tubes` shows.
struct TubeTable: ~Copyable {
    private var tubes: [UnsafeMutablePointer<Tube>?] = []
    private var free: [TubeIndex] = []
    private var byName: [TubeName: TubeIndex] = [:]
    private(set) var order: [TubeIndex] = []

    init() {}

    deinit {
        for case let tube? in tubes {
            tube.deinitialize(count: 1)
            tube.deallocate()
        }
    }

    @inline(__always)
    subscript(_ index: TubeIndex) -> UnsafeMutablePointer<Tube> {
        // The index comes from this table and the tube is still needed by whoever has it.
        tubes[Int(index)].unsafelyUnwrapped
    }

    var names: [TubeName] { order.map { self[$0].pointee.name } }

    func find(_ name: TubeName) -> TubeIndex? { byName[name] }

    mutating func findOrMake(_ name: TubeName) -> TubeIndex {
        if let index = byName[name] { return index }
        let tube = UnsafeMutablePointer<Tube>.allocate(capacity: 1)
        tube.initialize(to: Tube(name))
        tube.pointee.listPosition = order.count
        let index: TubeIndex
        if let reused = free.popLast() {
            index = reused
            tubes[Int(index)] = tube
        } else {
            index = TubeIndex(tubes.count)
            tubes.append(tube)
        }
        byName[name] = index
        order.append(index)
        return index
    }

    mutating func remove(_ index: TubeIndex) {
        let tube = self[index]
        byName[tube.pointee.name] = nil
        // As in beanstalkd's sets, the last one takes the place.
        let last = order.removeLast()
        if last != index {
            order[tube.pointee.listPosition] = last
            self[last].pointee.listPosition = tube.pointee.listPosition
        }
        tube.deinitialize(count: 1)
        tube.deallocate()
        tubes[Int(index)] = nil
        free.append(index)
    }
}
