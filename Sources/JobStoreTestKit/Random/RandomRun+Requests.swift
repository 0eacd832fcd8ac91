import BeanspikeCore

extension RandomRun {
    private static let tubes: [TubeName] = [.default, alpha, beta, gamma]
    private static let priorities: [UInt32] = [0, 1, 2, 3, 1_023, 1_024, .max]
    /// A population that a linear scan is quick for.
    private static let jobsMax = 60

    /// A random request of a session.
    ///
    /// - Parameters:
    ///   - key: The session in the model.
    ///   - isAlone: Whether it must not make several jobs ready at once.
    ///   - mayWait: Whether it may be a reserve that waits.
    /// - Returns: The request.
    func request(for key: ReferenceQueue.SessionKey, isAlone: Bool, mayWait: Bool = true) -> Request {
        if model.jobs.count > Self.jobsMax, random.oneIn(2) { return Request(.delete(job(heldBy: key))) }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<20: return put()
        case 20..<30: return Request(.reserve(.none))
        case 30..<38: return Request(.reserve(mayWait ? wait() : .none))
        case 38..<42: return Request(.reserveJob(job()))
        case 42..<49: return Request(.delete(job(heldBy: key)))
        case 49..<56:
            return Request(
                .release(job(heldBy: key), priority: priority(), delaySeconds: delay(), isRetry: random.oneIn(3))
            )
        case 56..<61:
            let reason = random.oneIn(3) ? "reason \(Int.random(in: 0..<100, using: &random))" : ""
            return Request(.bury(job(heldBy: key), priority: priority(), reason: reason))
        case 61..<64: return random.oneIn(2) ? update(key) : Request(.touch(job(heldBy: key)))
        case 64..<67: return Request(.kick(isAlone ? 1 : UInt64.random(in: 0...4, using: &random)))
        case 67..<69: return Request(.kickJob(job()))
        case 69..<71: return Request(.peek(job()))
        case 71..<75:
            return Request(.peekNext([JobState.ready, .delayed, .buried][Int.random(in: 0..<3, using: &random)]))
        case 75..<78: return Request(.use(tube()))
        case 78..<81: return Request(.watch(tube()))
        case 81..<83: return Request(.ignore(tube()))
        case 83..<85: return Request(.pause(tube(), seconds: pause(isAlone: isAlone)))
        case 85..<86: return random.oneIn(2) ? Request(.truncate(tube())) : Request(.storeStatistics)
        case 86..<90: return Request(.jobStatistics(job()))
        case 90..<94: return Request(.tubeStatistics(tube()))
        case 94..<97: return Request(.storeStatistics)
        case 97..<98: return Request(.tubes)
        case 98..<99: return Request(.tubeUsed)
        default: return Request(.tubesWatched)
        }
    }

    private func update(_ key: ReferenceQueue.SessionKey) -> Request {
        let count = random.oneIn(4) ? Int.random(in: 0..<6_000, using: &random) : Int.random(in: 0..<40, using: &random)
        let form = BodyForm(
            originalBodyBytes: random.oneIn(2) ? UInt32.random(in: 1..<9_000, using: &random) : 0,
            isCompressionSkipped: random.oneIn(3)
        )
        return .update(job(heldBy: key), patternedBody(count: count, seed: random.next()), form: form)
    }

    private func put() -> Request {
        var attributes: JobAttributes?
        if random.oneIn(6) {
            attributes = JobAttributes(
                metadata: (0..<Int.random(in: 0..<20, using: &random)).map { UInt8($0) },
                timeOfBirthMilliseconds: Int64.random(in: 0..<2_000_000, using: &random),
                retries: UInt32.random(in: 0..<3, using: &random),
                originalBodyBytes: random.oneIn(2) ? UInt32.random(in: 1..<5_000, using: &random) : 0,
                isCompressionSkipped: random.oneIn(3)
            )
        }
        let count =
            random.oneIn(20) ? Int.random(in: 0..<6_000, using: &random) : Int.random(in: 0..<40, using: &random)
        return .put(
            patternedBody(count: count, seed: random.next()),
            priority: priority(),
            delay: delay(),
            ttr: ttr(),
            attributes: attributes
        )
    }

    private func tube() -> TubeName { Self.tubes[Int.random(in: 0..<Self.tubes.count, using: &random)] }

    private func priority() -> UInt32 { Self.priorities[Int.random(in: 0..<Self.priorities.count, using: &random)] }

    private func delay() -> UInt32 {
        guard random.oneIn(3) else { return 0 }
        guard isTimed else { return farDelay() }
        return random.oneIn(10) ? 100_000 : UInt32.random(in: 1...8, using: &random)
    }

    /// A delay that ends long after the run and, long before or after that of every other job.
    private func farDelay() -> UInt32 {
        while true {
            let delay = 100_000 + 1_000 * UInt32.random(in: 0..<100_000, using: &random)
            if delays.insert(delay).inserted { return delay }
        }
    }

    private func ttr() -> UInt32 {
        guard isTimed else { return random.oneIn(2) ? 0 : 100_000 }
        return [0, 1, 1, 2, 3, 4, 6, 10, 60][Int.random(in: 0..<9, using: &random)]
    }

    private func wait() -> ReserveWait {
        guard isTimed, random.oneIn(2) else { return .forever }
        return .microseconds(Int64.random(in: 0...5, using: &random) * 1_000_000)
    }

    private func pause(isAlone: Bool) -> UInt32 {
        if !isAlone, random.oneIn(3) { return 0 }
        return isTimed ? UInt32.random(in: 1...6, using: &random) : 100_000
    }

    /// A job, most often one that is there.
    private func job() -> JobID {
        if !random.oneIn(8), let job = model.jobs.randomElement(using: &random) { return job.id }
        return JobID.random(in: 0...(model.nextJobID + 1), using: &random)
    }

    /// A job, most often one that the session holds.
    private func job(heldBy key: ReferenceQueue.SessionKey) -> JobID {
        if !random.oneIn(4), let job = model.jobs.filter({ $0.holder == key }).randomElement(using: &random) {
            return job.id
        }
        return self.job()
    }
}

extension Request {
    /// Whether the reply tells of more than one job or session.
    var isOverview: Bool {
        switch command {
        case .tubeStatistics, .storeStatistics, .tubes: true
        default: false
        }
    }

    /// Whether it does the same whatever an instance knows of others: it names its job, or is the session's own.
    var isDirect: Bool {
        switch command {
        case .reserve, .kick, .peekNext, .pause, .truncate, .tubeStatistics, .storeStatistics, .tubes: false
        default: true
        }
    }

    /// Whether it is a reserve that waits for a job.
    var mayWait: Bool {
        switch command {
        case .reserve(let wait): wait != .none
        default: false
        }
    }

    /// The request as a line of a trace.
    var summary: String {
        guard case .put(let priority, let delay, let ttr, _, let attributes) = command else { return "\(command)" }
        let extras = attributes.map { ", \($0.summary)" } ?? ""
        return "put(priority: \(priority), delay: \(delay), ttr: \(ttr), \(body.count) bytes\(extras))"
    }
}

extension TestReply {
    /// The reply as a line of a trace.
    var summary: String {
        switch self {
        case .jobStatistics(let statistics): "statistics of job \(statistics.id): \(statistics.lifecycle.state.word)"
        case .tubeStatistics(let statistics): "statistics of tube \(statistics.name)"
        case .storeStatistics: "statistics"
        default: "\(self)"
        }
    }
}
