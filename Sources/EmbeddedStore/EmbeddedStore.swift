public import BeanspikeCore

/// The queue in this process: scheduling in memory, and on disk whatever is acknowledged.
///
/// One lock guards the ``Scheduler``; whoever submits commands runs them right there. Two threads stand behind: one
/// looks at the time, the other writes where whoever flushes should not. All that changed while one commit runs goes into the next one (group
/// commit), and replies that promise something are held back until their commit is done.
///
/// `@unchecked Sendable`: every stored variable is used under `monitor` only.
public final class EmbeddedStore: JobStore, @unchecked Sendable {
    /// How a store on disk behaves.
    public struct Options: Sendable {
        /// When an acknowledged change is on disk.
        public var durability: JournalDurability = .committed
        /// The size in bytes that `stats` calls binlog-max-size; the journal itself is one database.
        public var fileBytesMax: UInt64 = 10_485_760
        /// Bodies beyond this many bytes in all are read from disk when they are wanted.
        public var bodyMemoryBytesMax = 1 << 30

        /// The defaults.
        public init() {}
    }

    let clock: any StoreClock
    let journal: (any Journal)?
    let monitor = Monitor()
    private let timerCondition: Monitor.Condition
    let writerCondition: Monitor.Condition

    /// Behind a pointer, so that using it costs no check of exclusive access: the lock sees to that.
    let scheduler: UnsafeMutablePointer<Scheduler>
    private var wakes: [@Sendable () -> Void] = []
    /// Until when the timer thread sleeps; it is woken when something is due earlier.
    private var timerSleepsUntil = StoreInstant(microseconds: .min)
    /// Until when the writer's thread sleeps; it is woken when it has something to do earlier.
    var writerSleepsUntil = StoreInstant(microseconds: .min)
    /// Whether some thread uses the journal just now.
    var isJournalBusy = false
    /// When the journal wants to be called without a commit.
    var maintenanceDue: StoreInstant?
    var pacing = CommitPacing()
    /// How soon after a caller's commit the journal's chores are looked at.
    let choreMicroseconds: Int64
    private(set) var isClosing = false
    private var isClosed = false
    private let closedCondition: Monitor.Condition
    /// Why the last commit could not be made.
    var closeError: JobStoreError?
    private var threads: [StoreThread] = []

    private init(
        journal: (any Journal)?,
        options: Options,
        clock: any StoreClock
    ) {
        self.journal = journal
        self.clock = clock
        timerCondition = Monitor.Condition(monitor)
        writerCondition = Monitor.Condition(monitor)
        closedCondition = Monitor.Condition(monitor)
        if case .everyMilliseconds(let milliseconds) = options.durability {
            choreMicroseconds = min(20_000, Int64(milliseconds) * 1_000)
        } else {
            choreMicroseconds = 20_000
        }
        scheduler = .allocate(capacity: 1)
        scheduler.initialize(
            to: Scheduler(isDurable: journal != nil, bodyMemoryBytesMax: options.bodyMemoryBytesMax)
        )
        if let journal { scheduler.pointee.journalStatistics = journal.statistics }
    }

    deinit {
        scheduler.deinitialize(count: 1)
        scheduler.deallocate()
    }

    /// A store that keeps nothing: for tests, and to compare with.
    ///
    /// - Throws: ``JobStoreError/Code/cannotOpen`` where the system has no thread to give.
    public static func inMemory(clock: any StoreClock = SystemClock()) throws(JobStoreError) -> EmbeddedStore {
        let store = EmbeddedStore(journal: nil, options: Options(), clock: clock)
        try store.startThreads()
        return store
    }

    static func open(
        journal: any Journal,
        options: Options,
        clock: any StoreClock
    ) throws(JobStoreError) -> EmbeddedStore {
        let store = EmbeddedStore(journal: journal, options: options, clock: clock)
        try store.replay(journal)
        try store.startThreads()
        return store
    }

    private func replay(_ journal: any Journal) throws(JobStoreError) {
        let now = clock.now()
        let wall = clock.wallMilliseconds()
        var buried: [(sequence: UInt64, handle: JobHandle)] = []
        var decoder = JournalRecordDecoder()
        let nextID = try journal.replay { id, wasUpdated, bytes, body in
            guard let record = decoder.decode(bytes) else {
                throw JobStoreError(
                    .notAStore,
                    "the record of job \(id) is damaged; nothing was changed. \(Self.salvage)"
                )
            }
            let handle = scheduler.pointee.replay(
                id,
                wasUpdated: wasUpdated,
                record,
                body: body,
                now: now,
                wallMilliseconds: wall
            )
            if let handle { buried.append((record.burialSequence, handle)) }
        }
        scheduler.pointee.bury(replayed: buried, now: now)
        scheduler.pointee.nextID = max(scheduler.pointee.nextID, nextID)
        scheduler.pointee.log.idsReservedBelow = scheduler.pointee.nextID
    }

    private static let salvage = "Copy the directory aside; docs/operating.md says how to save the other jobs."

    // MARK: - Ports

    /// A way into the store for one thread or event loop.
    public func makePort(wake: @escaping @Sendable () -> Void) -> any JobStorePort {
        monitor.lock()
        defer { monitor.unlock() }
        wakes.append(wake)
        return EmbeddedStorePort(store: self, outbox: scheduler.pointee.addOutbox())
    }

    /// Runs `body` on the scheduler as the owner of `outbox`, and tells everybody else whom it concerns.
    ///
    /// With `commits` false, a commit that is wanted now begins at ``flush()`` only.
    @inline(__always)
    func withScheduler<T>(of outbox: Int, commits: Bool = true, _ body: (inout Scheduler, StoreInstant) -> T) -> T {
        monitor.lock()
        let now = clock.now()
        if scheduler.pointee.nextDeadline <= now { scheduler.pointee.tick(now: now) }
        let result = body(&scheduler.pointee, now)
        let others = takeWakes(except: outbox)
        signalTimer()
        if commits { signalJournal(now) }
        monitor.unlock()
        for wake in others { wake() }
        return result
    }

    /// Only looks, or takes replies out.
    @inline(__always)
    func peekScheduler<T>(_ body: (inout Scheduler) -> T) -> T {
        monitor.lock()
        defer { monitor.unlock() }
        return body(&scheduler.pointee)
    }

    /// Those whose outbox has something new; each is called once until it collects.
    @inline(__always)
    func takeWakes(except own: Int?) -> [@Sendable () -> Void] {
        var called: [@Sendable () -> Void] = []
        for at in scheduler.pointee.outboxes.indices where at != own && scheduler.pointee.outboxes[at].needsWake {
            if scheduler.pointee.outboxes[at].isWakeSent { continue }
            scheduler.pointee.outboxes[at].isWakeSent = true
            called.append(wakes[at])
        }
        return called
    }

    @inline(__always)
    func signalTimer() {
        if scheduler.pointee.nextDeadline < timerSleepsUntil { timerCondition.signal() }
    }

    @inline(__always)
    private func signalJournal(_ now: StoreInstant) {
        if writerSleepsUntil > now, scheduler.pointee.commitDue <= now { writerCondition.signal() }
    }

    /// Does all that is due by the store's clock; for tests that move the clock themselves.
    public func tick() {
        monitor.lock()
        let now = clock.now()
        scheduler.pointee.tick(now: now)
        let woken = takeWakes(except: nil)
        signalTimer()
        signalJournal(now)
        monitor.unlock()
        for wake in woken { wake() }
    }

    // MARK: - Threads

    private func startThreads() throws(JobStoreError) {
        // A store lives until it is closed: its threads keep it.
        var bodies: [@Sendable () -> Void] = [{ self.runTimer() }]
        if journal != nil { bodies.append { self.runWriter() } }
        for body in bodies {
            if let thread = StoreThread(body) {
                threads.append(thread)
                continue
            }
            try? closeNow()
            throw JobStoreError(
                .cannotOpen,
                "The system has no thread to give: raise the limit of processes (ulimit -u)."
            )
        }
    }

    private func runTimer() {
        monitor.lock()
        while !isClosing {
            let now = clock.now()
            let next = scheduler.pointee.nextDeadline
            if next > now {
                timerSleepsUntil = next
                timerCondition.wait(microseconds: next == .never ? nil : next.microseconds - now.microseconds)
                timerSleepsUntil = StoreInstant(microseconds: .min)
                continue
            }
            scheduler.pointee.tick(now: now)
            let woken = takeWakes(except: nil)
            signalJournal(now)
            monitor.unlock()
            for wake in woken { wake() }
            monitor.lock()
        }
        monitor.unlock()
    }

    /// Ends the store: what is acknowledged stays, what is reserved is ready for others.
    ///
    /// - Throws: ``JobStoreError`` where the last changes could not be kept; none of those was acknowledged.
    public func close() async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            // Threads are waited for, which must not hold up the caller's executor.
            let closer = StoreThread {
                do {
                    try self.closeNow()
                    done.resume()
                } catch {
                    done.resume(throwing: error)
                }
            }
            if closer == nil { done.resume(throwing: JobStoreError(.closed, "no thread to close the store with")) }
        }
    }

    private func closeNow() throws(JobStoreError) {
        monitor.lock()
        if isClosing {
            while !isClosed { closedCondition.wait(microseconds: nil) }
            closedCondition.signal()
            monitor.unlock()
            return
        }
        isClosing = true
        timerCondition.signal()
        writerCondition.signal()
        monitor.unlock()
        for thread in threads { thread.join() }
        defer {
            monitor.lock()
            isClosed = true
            closedCondition.signal()
            monitor.unlock()
        }
        guard let journal else { return }
        monitor.lock()
        let nextID = scheduler.pointee.nextID
        let error = closeError
        monitor.unlock()
        try journal.close(nextID: nextID)
        if let error { throw error }
    }
}

extension Duration {
    /// Whole microseconds.
    var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
