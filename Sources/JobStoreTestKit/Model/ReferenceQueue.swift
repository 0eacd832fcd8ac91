public import BeanspikeCore

/// The queue as it is meant to behave, written to be read: arrays and linear scans, one thread, no disk.
///
/// It is what the random test compares a store with. The few places where order is decided can be overridden, so
/// that tests can show that a store with a wrong order is found out.
open class ReferenceQueue {
    /// Names a session of the model; never used twice.
    public typealias SessionKey = Int

    /// A job and who holds it.
    public struct Job {
        /// The job's number.
        public let id: JobID
        /// The tube that the job stays in.
        public let tube: TubeName
        /// State, priority and counters.
        public var lifecycle: JobLifecycle
        /// The bytes that it was put with, or was given since.
        public var body: [UInt8]
        /// What else it carries.
        public var attributes: JobAttributes?
        /// When it was put.
        public var created: StoreInstant
        /// When it was put, by the wall clock.
        public let createdWallMilliseconds: Int64
        /// When a delayed job is due, by the wall clock; kept by one that came due until something else happens to it.
        public var dueWallMilliseconds: Int64 = 0
        /// Who holds a reserved job.
        public var holder: SessionKey?
        /// Rises with each reservation and each burial: the order of a session's jobs and of a tube's buried ones.
        public var sequence: UInt64 = 0
    }

    /// A session that waits in a reserve.
    public struct Wait {
        /// Rises with each wait that begins.
        public let sequence: UInt64
        /// When it ends without a job.
        public let until: StoreInstant
        /// The instance that its session belongs to.
        public let instance: Int
    }

    /// A session.
    public struct Session {
        /// Its name.
        public let key: SessionKey
        /// The instance of the store that it belongs to; all are alike to the queue as it is meant to be.
        public let instance: Int
        /// Where its puts, kicks and peeks go.
        public var used = TubeName.default
        /// Where its reserves look.
        public var watched = [TubeName.default]
        /// Set while it waits.
        public var wait: Wait?
        /// What it asked for behind the reserve in which it waits.
        public var queue: [Request] = []
    }

    /// What is kept of a tube beside its jobs, for as long as it exists.
    public struct Tube {
        /// When its pause ends.
        public var pausedUntil: StoreInstant?
        /// How long its pause is.
        public var pauseSeconds: UInt64 = 0
        /// How often it was paused.
        public var pauses: UInt64 = 0
        /// Jobs put.
        public var total: UInt64 = 0
        /// Jobs deleted.
        public var deleted: UInt64 = 0

        /// A tube that nothing has happened to.
        public init() {}
    }

    /// An answer and whose it is.
    public struct Answer {
        /// The session that asked.
        public let session: SessionKey
        /// What it gets.
        public let reply: TestReply
    }

    /// The present instant.
    public internal(set) var now: StoreInstant
    /// The wall clock at ``now``, milliseconds since 1970.
    public internal(set) var wallMilliseconds: Int64
    /// Present jobs, in the order they were put.
    public internal(set) var jobs: [Job] = []
    /// Open sessions, in the order they were opened.
    public internal(set) var sessions: [Session] = []
    /// Existing tubes.
    public internal(set) var tubes: [TubeName: Tube] = [.default: Tube()]

    /// Greater by one than every id so far.
    public internal(set) var nextJobID: JobID = 1
    /// What was counted before a restart, or before a tube came to exist again, and is not counted now.
    public internal(set) var past = Past()
    /// Whether the id of each job comes from outside: ``sessionThatPuts``.
    public var takesIDs = false
    /// Set while a put, and everything after it, waits for ``put(as:)`` to say what its job's id is.
    public internal(set) var sessionThatPuts: SessionKey?

    /// The clocks when the queue was made.
    let start: (now: StoreInstant, wallMilliseconds: Int64)
    var idToCome: JobID?
    var answers: [Answer] = []
    var runnable: [SessionKey] = []
    var isRunning = false
    var nextSession: SessionKey = 0
    var nextSequence: UInt64 = 0
    var totalPut: UInt64 = 0
    var totalDeleted: UInt64 = 0
    var totalTimeouts: UInt64 = 0

    /// An empty queue.
    public required init(now: StoreInstant, wallMilliseconds: Int64) {
        self.now = now
        self.wallMilliseconds = wallMilliseconds
        start = (now, wallMilliseconds)
    }

    // MARK: Where order is decided

    /// Whether a ready job is handed out before another one: by (priority, id).
    open func isBetter(_ a: Job, than b: Job) -> Bool {
        (a.lifecycle.priority, a.id) < (b.lifecycle.priority, b.id)
    }

    /// Whether a waiting session is served before another one: by when they began to wait.
    open func isServed(_ a: Wait, before b: Wait) -> Bool { a.sequence < b.sequence }

    /// Whether a buried job is kicked before another one: by when they were buried.
    open func isKicked(buried a: Job, before b: Job) -> Bool { a.sequence < b.sequence }

    /// Whether a delayed job is kicked, shown and made ready before another one: by when they are due.
    open func isDue(_ a: Job, before b: Job) -> Bool {
        (a.lifecycle.deadline, a.id) < (b.lifecycle.deadline, b.id)
    }

    /// The id of a job that is now put in a tube: one more than the last one's.
    open func makeID(in tube: TubeName) -> JobID { nextJobID }

    /// Whether a restart ends no pause, and counts go on from where they were after it, and when a tube comes again.
    open var remembersPast: Bool { false }

    /// Whether a session may have a ready job of a tube that it watches.
    open func isOffered(_ job: Job, to session: Session) -> Bool { true }

    /// Called when a session was given a job.
    open func didHand(_ id: JobID, to session: Session) {}

    /// Carries one command out; nil where the session now waits.
    open func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        perform(request, session: key)
    }

    /// What happens to a job whose holder is gone.
    open func abandon(_ job: inout Job) {
        _ = job.lifecycle.abandon()
    }

    // MARK: What a session does

    /// A new session of an instance.
    public func openSession(instance: Int = 0) -> SessionKey {
        nextSession += 1
        sessions.append(Session(key: nextSession, instance: instance))
        return nextSession
    }

    /// Ends a session: its jobs become ready in the order they were reserved.
    public func closeSession(_ key: SessionKey) {
        guard let index = sessions.firstIndex(where: { $0.key == key }) else { return }
        sessions.remove(at: index)
        answers.removeAll { $0.session == key }
        let held = jobs.filter { $0.holder == key }.sorted { $0.sequence < $1.sequence }
        for job in held { change(job.id) { abandon(&$0) } }
        finish()
    }

    /// Runs requests in order, up to one that waits.
    public func submit(_ requests: [Request], session key: SessionKey) {
        guard let index = sessions.firstIndex(where: { $0.key == key }) else { return }
        sessions[index].queue += requests
        if sessions[index].wait == nil { runnable.append(key) }
        finish()
    }

    /// Goes on with the put that waits for its job's id.
    public func put(as id: JobID) {
        idToCome = id
        sessionThatPuts = nil
        finish()
    }

    /// Hands out what has come to be offered to sessions that wait.
    public func serveAgain() {
        serve()
        finish()
    }

    /// Whether the session waits in a reserve.
    public func isBlocked(_ key: SessionKey) -> Bool { sessions.contains { $0.key == key && $0.wait != nil } }

    /// Answers a waiting reserve with timedOut.
    public func endWait(_ key: SessionKey) {
        endWait(key, with: .timedOut)
        finish()
    }

    /// The answers since the last call.
    public func takeAnswers() -> [Answer] {
        defer { answers.removeAll() }
        return answers
    }

    func endWait(_ key: SessionKey, with reply: TestReply) {
        guard let index = sessions.firstIndex(where: { $0.key == key }), sessions[index].wait != nil else { return }
        sessions[index].wait = nil
        answers.append(Answer(session: key, reply: reply))
        runnable.append(key)
    }

    /// Runs what sessions that no longer wait had asked for behind their reserve, then forgets empty tubes.
    func finish() {
        guard !isRunning, sessionThatPuts == nil else { return }
        isRunning = true
        while let key = runnable.first {
            runnable.removeFirst()
            while let index = sessions.firstIndex(where: { $0.key == key }), sessions[index].wait == nil,
                !sessions[index].queue.isEmpty
            {
                if takesIDs, idToCome == nil, sessions[index].queue[0].isPut {
                    runnable.insert(key, at: 0)
                    sessionThatPuts = key
                    isRunning = false
                    return
                }
                let request = sessions[index].queue.removeFirst()
                if let reply = execute(request, session: key) {
                    answers.append(Answer(session: key, reply: reply))
                }
                forgetEmptyTubes()
            }
        }
        isRunning = false
        forgetEmptyTubes()
    }

    /// A tube exists while it has jobs, users or watchers; the default one always does.
    func forgetEmptyTubes() {
        var needed: Set<TubeName> = [.default]
        for job in jobs { needed.insert(job.tube) }
        for session in sessions { needed.formUnion(session.watched + [session.used]) }
        for (name, tube) in tubes where !needed.contains(name) {
            past.add(tube, name, isWhole: remembersPast)
            tubes[name] = nil
        }
    }

    /// Makes a tube exist.
    func ensureTube(_ name: TubeName) {
        guard tubes[name] == nil else { return }
        tubes[name] = remembersPast ? past.tubes[name] ?? Tube() : Tube()
    }
}
