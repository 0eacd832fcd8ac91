/// What one client knows of its jobs: what is acknowledged, and what may be besides.
struct JobLedger: Sendable {
    /// The part of a job that must survive a restart.
    struct Durable: Hashable, Sendable, CustomStringConvertible {
        enum State: String, Sendable { case ready, delayed, buried, gone }
        var state: State
        var priority: UInt32
        /// Only of delayed jobs; else 0.
        var delay: UInt32
        var releases = 0
        var buries = 0
        var kicks = 0

        var description: String { "\(state) pri \(priority) delay \(delay) r\(releases) b\(buries) k\(kicks)" }
    }

    /// One job.
    struct Job: Sendable {
        var body: [UInt8]
        /// Where the job is now, all commands sent so far carried out; reserved is ready to a restart.
        var now: Durable
        var isReserved = false
        /// What the job may be after a restart; one entry where everything about it is acknowledged.
        var possible: Set<Durable>
    }

    /// The client's tube; no other client puts jobs there.
    let tube: String
    /// Jobs by id, deleted ones too.
    var jobs: [UInt64: Job] = [:]
    /// Buried jobs in the order of their burials.
    var burials: [UInt64] = []
    /// Bodies of puts that nobody has acknowledged: each is there once or not at all.
    var unacknowledgedPuts: [[UInt8]: Durable] = [:]
    /// How many puts were sent, which makes every body another.
    var putsSent = 0
    /// Commands that were acknowledged.
    var acknowledged = 0
    /// What no client should have seen.
    var violation: String?

    init(tube: String) { self.tube = tube }

    /// Ids of the jobs that are there.
    var live: [UInt64] { jobs.filter { $0.value.now.state != .gone }.keys.sorted() }

    /// After a restart: the job is what was found, and nothing else is possible.
    mutating func settle(_ id: UInt64, as found: Durable) {
        jobs[id]?.now = found
        jobs[id]?.isReserved = false
        jobs[id]?.possible = [found]
    }
}
